/* cannot: a condition of C11 forces the order. */
#include "common.h"

static mtx_t first;
static mtx_t second;
static mtx_t m;
static cnd_t c;
static int done;

static int
forward(void *unused)
{
    (void)unused;
    mtx_lock(&first);
    mtx_lock(&second);
    mtx_unlock(&second);
    mtx_unlock(&first);
    mtx_lock(&m);
    done = 1;
    cnd_signal(&c);
    mtx_unlock(&m);
    return 0;
}

static int
backward(void *unused)
{
    (void)unused;
    mtx_lock(&m);
    while (!done)
        cnd_wait(&c, &m);
    mtx_unlock(&m);
    mtx_lock(&second);
    mtx_lock(&first);
    mtx_unlock(&first);
    mtx_unlock(&second);
    return 0;
}

int
main(void)
{
    thrd_t a;
    thrd_t b;

    mtx_init(&first, mtx_plain);
    mtx_init(&second, mtx_plain);
    mtx_init(&m, mtx_plain);
    cnd_init(&c);
    thrd_create(&a, forward, NULL);
    apart();
    thrd_create(&b, backward, NULL);
    thrd_join(a, NULL);
    thrd_join(b, NULL);
    return 0;
}
