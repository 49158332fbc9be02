/* could 2: std::recursive_mutex, each taken twice. */
#include <chrono>
#include <mutex>
#include <thread>

static void
apart()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
}

static std::recursive_mutex first;
static std::recursive_mutex second;

int
main()
{
    std::thread a([] {
        std::lock_guard<std::recursive_mutex> outer(first);
        std::lock_guard<std::recursive_mutex> again(first);
        std::lock_guard<std::recursive_mutex> inner(second);
    });
    apart();
    std::thread b([] {
        std::lock_guard<std::recursive_mutex> outer(second);
        std::lock_guard<std::recursive_mutex> again(second);
        std::lock_guard<std::recursive_mutex> inner(first);
    });

    a.join();
    b.join();
    return 0;
}
