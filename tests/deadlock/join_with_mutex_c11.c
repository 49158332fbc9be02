/* does cycle: the same in C11. */
#include "common.h"

static mtx_t m;

static int
routine(void *unused)
{
    (void)unused;
    mtx_lock(&m);
    mtx_unlock(&m);
    return 0;
}

int
main(void)
{
    thrd_t t;

    mtx_init(&m, mtx_plain);
    mtx_lock(&m);
    thrd_create(&t, routine, NULL);
    thrd_join(t, NULL);
    mtx_unlock(&m);
    return 0;
}
