/* does asleep: nobody notifies. */
#include <condition_variable>
#include <mutex>

int
main()
{
    std::mutex m;
    std::condition_variable c;
    bool ready = false;
    std::unique_lock<std::mutex> mine(m);

    c.notify_all();
    c.wait(mine, [&] { return ready; });
    return 0;
}
