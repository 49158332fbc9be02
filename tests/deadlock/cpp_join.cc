/* does cycle: a thread is joined by who has its mutex. */
#include <mutex>
#include <thread>

int
main()
{
    std::mutex m;
    std::lock_guard<std::mutex> mine(m);
    std::thread t([&] { std::lock_guard<std::mutex> its(m); });

    t.join();
    return 0;
}
