/* cannot: the system forbids to read the memory of a process; a mutex is freed
 * that another thread unlocked, and so is still on the list of the first. */
#include "common.h"
#include "sandbox.h"

static pthread_mutex_t *box;
static pthread_mutex_t other = MUTEX;

static void *
unlocks(void *unused)
{
    unlock(box);
    return unused;
}

int
main(void)
{
    (void)forbid_reading();
    box = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
               -1, 0);
    must(pthread_mutex_init(box, NULL));
    lock(box);
    join(start(unlocks, NULL));
    must(munmap(box, 4096));
    for (int i = 0; i < 40; i++) {
        pthread_mutex_t m = MUTEX;
        lock(&other);
        lock(&m);
        unlock(&m);
        unlock(&other);
    }
    return 0;
}
