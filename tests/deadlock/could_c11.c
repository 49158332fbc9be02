/* could 2: opposite orders of mutexes of C11 that do not meet. */
#include "common.h"

static mtx_t first;
static mtx_t second;

static void *
forward(void *unused)
{
    mtx_lock(&first);
    mtx_lock(&second);
    mtx_unlock(&second);
    mtx_unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    sleep_ms(A_WHILE_MS);
    mtx_lock(&second);
    mtx_lock(&first);
    mtx_unlock(&first);
    mtx_unlock(&second);
    return unused;
}

int
main(void)
{
    mtx_init(&first, mtx_plain);
    mtx_init(&second, mtx_plain);
    run_both(forward, backward);
    return 0;
}
