/* could 2: an exception unwinds both locks of one side. */
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <thread>

static std::mutex first;
static std::mutex second;

int
main()
{
    std::thread a([] {
        try {
            std::lock_guard<std::mutex> outer(first);
            std::lock_guard<std::mutex> inner(second);
            throw std::runtime_error("no");
        } catch (const std::exception &) {
        }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    std::thread b([] {
        std::lock_guard<std::mutex> outer(second);
        std::lock_guard<std::mutex> inner(first);
    });

    a.join();
    b.join();
    return 0;
}
