/* cannot: a future forces the second order to come later. */
#include <future>
#include <mutex>
#include <thread>

static std::mutex first;
static std::mutex second;

int
main()
{
    auto early = std::async(std::launch::async, [] {
        std::lock_guard<std::mutex> outer(first);
        std::lock_guard<std::mutex> inner(second);
    });
    early.get();
    auto late = std::async(std::launch::async, [] {
        std::lock_guard<std::mutex> outer(second);
        std::lock_guard<std::mutex> inner(first);
    });
    late.get();
    return 0;
}
