/* cannot: a cache that is read, and filled under a lock of its own. */
#include "common.h"

static pthread_mutex_t fill = MUTEX;
static pthread_rwlock_t cache = PTHREAD_RWLOCK_INITIALIZER;
static int filled[64];

static int
is_there(int i)
{
    must(pthread_rwlock_rdlock(&cache));
    const int there = filled[i];
    must(pthread_rwlock_unlock(&cache));
    return there;
}

static void *
work(void *unused)
{
    for (int i = 0; i < 6400; i++) {
        const int k = i % 64;
        if (is_there(k))
            continue;
        lock(&fill);
        if (!is_there(k)) {
            must(pthread_rwlock_wrlock(&cache));
            filled[k] = 1;
            must(pthread_rwlock_unlock(&cache));
        }
        unlock(&fill);
    }
    return unused;
}

int
main(void)
{
    run_both(work, work);
    return 0;
}
