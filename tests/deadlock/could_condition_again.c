/* could 2: a condition is told and destroyed; the next one in that place, which
 * is made by a call, orders nobody behind who told the first. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t guard = MUTEX;
static pthread_mutex_t other = MUTEX;
static pthread_cond_t told;
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
    must(pthread_cond_signal(&told));
    return unused;
}

static void *
backward(void *unused)
{
    lock(&guard);
    while (flag == 0)
        must(pthread_cond_wait(&told, &guard));
    unlock(&guard);
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

static void *
tells(void *unused)
{
    lock(&guard);
    flag = 1;
    must(pthread_cond_signal(&told));
    unlock(&guard);
    return unused;
}

int
main(void)
{
    must(pthread_cond_init(&told, NULL));
    const pthread_t a = start(forward, NULL);
    apart();
    must(pthread_cond_destroy(&told));
    must(pthread_cond_init(&told, NULL));
    const pthread_t b = start(backward, NULL);
    apart();
    const pthread_t c = start(tells, NULL);

    join(a);
    join(b);
    join(c);
    return 0;
}
