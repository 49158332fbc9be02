/* cannot: std::scoped_lock in both orders. */
#include <mutex>
#include <thread>

static std::mutex first;
static std::mutex second;

static void
take(std::mutex &a, std::mutex &b)
{
    for (int i = 0; i < 2000; i++)
        std::scoped_lock both(a, b);
}

int
main()
{
    std::thread a([] { take(first, second); });
    std::thread b([] { take(second, first); });

    a.join();
    b.join();
    return 0;
}
