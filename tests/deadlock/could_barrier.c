/* could 2: a mutex is kept at a barrier, and wanted before it. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
keeps(void *unused)
{
    lock(&m);
    meet();
    unlock(&m);
    return unused;
}

static void *
wants(void *unused)
{
    lock(&m);
    unlock(&m);
    meet();
    return unused;
}

int
main(void)
{
    run_apart(wants, keeps);
    return 0;
}
