/* does stuck --stuck=1: who has the mutex polls a pipe that the one behind the
 * mutex would fill. */
#include "common.h"

#include <poll.h>

static pthread_mutex_t m = MUTEX;
static int ends[2];

static void *
reader(void *unused)
{
    struct pollfd p = {.fd = ends[0], .events = POLLIN};

    lock(&m);
    meet();
    poll(&p, 1, -1);
    unlock(&m);
    return unused;
}

static void *
writer(void *unused)
{
    meet();
    lock(&m);
    must(write(ends[1], "x", 1) != 1);
    unlock(&m);
    return unused;
}

int
main(void)
{
    must(pipe(ends));
    run_both(reader, writer);
    return 0;
}
