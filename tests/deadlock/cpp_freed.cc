/* cannot: std::mutex objects are deleted, and others lie there. */
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

struct both {
    std::mutex first;
    std::mutex second;
};

static std::atomic<bool> done; /* orders nothing that a tool could see */

int
main()
{
    both *b = new both;
    std::thread t([b] {
        {
            std::lock_guard<std::mutex> outer(b->first);
            std::lock_guard<std::mutex> inner(b->second);
        }
        done = true;
    });

    while (!done)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    delete b;
    b = new both;
    std::thread u([b] {
        std::lock_guard<std::mutex> outer(b->second);
        std::lock_guard<std::mutex> inner(b->first);
    });
    u.join();
    t.join();
    delete b;
    return 0;
}
