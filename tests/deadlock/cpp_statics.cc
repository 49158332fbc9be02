/* cannot: static objects of functions, one made inside the other. */
#include <mutex>
#include <thread>

static std::mutex m;

struct thing {
    thing()
    {
        std::lock_guard<std::mutex> guard(m);
    }
};

static thing &
the_thing()
{
    static thing t;
    return t;
}

int
main()
{
    std::thread a([] { the_thing(); });
    std::thread b([] {
        the_thing();
        std::lock_guard<std::mutex> guard(m);
    });

    a.join();
    b.join();
    return 0;
}
