/* could 2: accounts on the heap, each with a std::mutex. */
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

struct account {
    std::mutex lock;
    long money = 100;

    void
    pay(account &to, long sum)
    {
        std::lock_guard<std::mutex> mine(lock);
        std::lock_guard<std::mutex> theirs(to.lock);
        money -= sum;
        to.money += sum;
    }
};

int
main()
{
    auto anna = std::make_unique<account>();
    auto bert = std::make_unique<account>();
    std::thread a([&] { anna->pay(*bert, 10); });
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    std::thread b([&] { bert->pay(*anna, 5); });

    a.join();
    b.join();
    return 0;
}
