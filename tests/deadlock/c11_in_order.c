/* cannot: mutexes, conditions and once of C11, as they should be used. */
#include "common.h"

static once_flag once = ONCE_FLAG_INIT;
static mtx_t m;
static cnd_t c;
static int done;

static void
begin(void)
{
    mtx_init(&m, mtx_timed | mtx_recursive);
    cnd_init(&c);
}

static int
tell(void *unused)
{
    (void)unused;
    call_once(&once, begin);
    thrd_sleep(&(struct timespec){0, A_WHILE_MS * 1000000}, NULL);
    mtx_lock(&m);
    done = 1;
    cnd_broadcast(&c);
    mtx_unlock(&m);
    thrd_exit(3);
}

int
main(void)
{
    thrd_t t;
    int result = 0;
    const struct timespec soon = in_ms(10);

    call_once(&once, begin);
    thrd_create(&t, tell, NULL);
    mtx_lock(&m);
    if (mtx_trylock(&m) != thrd_success || mtx_unlock(&m) != thrd_success)
        return 1;
    if (cnd_timedwait(&c, &m, &soon) != thrd_timedout)
        return 2;
    while (!done)
        cnd_wait(&c, &m);
    mtx_unlock(&m);
    thrd_join(t, &result);
    return result == 3 ? 0 : 3;
}
