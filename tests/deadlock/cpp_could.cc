/* could 2: two std::mutex in opposite orders that do not meet. */
#include <chrono>
#include <mutex>
#include <thread>

static std::mutex first;
static std::mutex second;

int
main()
{
    std::thread a([] {
        std::lock_guard<std::mutex> outer(first);
        std::lock_guard<std::mutex> inner(second);
    });
    std::thread b([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        std::lock_guard<std::mutex> outer(second);
        std::lock_guard<std::mutex> inner(first);
    });

    a.join();
    b.join();
    return 0;
}
