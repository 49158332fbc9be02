/* could 2: std::unique_lock, later and earlier than its scope says. */
#include <chrono>
#include <mutex>
#include <thread>

static void
apart()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
}

static std::mutex first;
static std::mutex second;

int
main()
{
    std::thread a([] {
        std::unique_lock<std::mutex> outer(first);
        std::unique_lock<std::mutex> inner(second, std::defer_lock);
        inner.lock();
    });
    apart();
    std::thread b([] {
        std::unique_lock<std::mutex> outer(second);
        first.lock();
        outer.unlock();
        first.unlock();
    });

    a.join();
    b.join();
    return 0;
}
