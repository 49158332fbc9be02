/* cannot: std::lock in both orders, with guards that adopt. */
#include <mutex>
#include <thread>

static std::mutex first;
static std::mutex second;

int
main()
{
    std::thread a([] {
        for (int i = 0; i < 1000; i++) {
            std::lock(first, second);
            std::lock_guard<std::mutex> one(first, std::adopt_lock);
            std::lock_guard<std::mutex> two(second, std::adopt_lock);
        }
    });
    std::thread b([] {
        for (int i = 0; i < 1000; i++) {
            std::unique_lock<std::mutex> one(second, std::defer_lock);
            std::unique_lock<std::mutex> two(first, std::defer_lock);
            std::lock(one, two);
        }
    });

    a.join();
    b.join();
    return 0;
}
