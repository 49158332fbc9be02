/* cannot: threads, shared mutexes, timed waits, exceptions and once. */
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <thread>

static std::shared_mutex shared;
static std::timed_mutex timed;
static std::mutex m;
static std::condition_variable c;
static std::once_flag once;
static int done;

static void
work()
{
    try {
        std::call_once(once, [] { throw 1; });
    } catch (int) {
        done++;
    }
    std::shared_lock<std::shared_mutex> reading(shared);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::lock_guard<std::mutex> mine(m);
    done++;
    c.notify_all();
}

int
main()
{
    std::unique_lock<std::timed_mutex> taken(timed);
    std::thread a(work);
    std::thread b([] {
        while (!timed.try_lock_for(std::chrono::milliseconds(20)))
            continue;
        timed.unlock();
    });
    std::unique_lock<std::mutex> mine(m);

    c.wait_for(mine, std::chrono::milliseconds(10));
    c.wait(mine, [] { return done == 2; });
    mine.unlock();
    std::unique_lock<std::shared_mutex> writing(shared);
    taken.unlock();
    a.join();
    b.join();
    return 0;
}
