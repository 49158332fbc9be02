/* could 2: the same of C11: a condition is told and destroyed; the next one in
 * that place orders nobody behind who told the first. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static mtx_t guard;
static pthread_mutex_t other = MUTEX;
static cnd_t told;
static int flag;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    lock(&other);
    unlock(&other);
    must(cnd_signal(&told));
    return unused;
}

static void *
backward(void *unused)
{
    must(mtx_lock(&guard));
    while (flag == 0)
        must(cnd_wait(&told, &guard));
    must(mtx_unlock(&guard));
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

static void *
tells(void *unused)
{
    must(mtx_lock(&guard));
    flag = 1;
    must(cnd_signal(&told));
    must(mtx_unlock(&guard));
    return unused;
}

int
main(void)
{
    must(cnd_init(&told));
    must(mtx_init(&guard, mtx_plain));
    const pthread_t a = start(forward, NULL);
    apart();
    cnd_destroy(&told);
    must(cnd_init(&told));
    const pthread_t b = start(backward, NULL);
    apart();
    const pthread_t c = start(tells, NULL);

    join(a);
    join(b);
    join(c);
    return 0;
}
