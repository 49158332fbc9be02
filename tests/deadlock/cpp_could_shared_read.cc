/* could 2: std::shared_mutex, read in one and written in the other. */
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>

static void
apart()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
}

static std::shared_mutex first;
static std::shared_mutex second;

int
main()
{
    std::thread a([] {
        std::shared_lock<std::shared_mutex> outer(first);
        std::unique_lock<std::shared_mutex> inner(second);
    });
    apart();
    std::thread b([] {
        std::shared_lock<std::shared_mutex> outer(second);
        std::unique_lock<std::shared_mutex> inner(first);
    });

    a.join();
    b.join();
    return 0;
}
