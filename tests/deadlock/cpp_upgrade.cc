/* does self|upgrade: who shares a std::shared_mutex wants it alone. */
#include <mutex>
#include <shared_mutex>
#include <thread>

int
main()
{
    std::shared_mutex m;
    std::thread t([&] {
        std::shared_lock<std::shared_mutex> shared(m);
        m.lock();
    });

    t.join();
    return 0;
}
