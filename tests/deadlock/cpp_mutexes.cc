/* does cycle: two std::mutex in opposite order. */
#include <atomic>
#include <mutex>
#include <thread>

static std::mutex first;
static std::mutex second;
static std::atomic<int> come;

static void
take(std::mutex &a, std::mutex &b)
{
    std::lock_guard<std::mutex> outer(a);

    for (come++; come < 2;)
        std::this_thread::yield();
    std::lock_guard<std::mutex> inner(b);
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
