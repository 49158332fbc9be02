/* could 2: a condition is told and freed; the next one in that memory orders
 * nobody behind who told the first. */
#include "common.h"

#include <malloc.h>

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t guard = MUTEX;
static pthread_mutex_t other = MUTEX;
static pthread_cond_t *told;
static int flag;

static pthread_cond_t *
make(void)
{
    static const pthread_cond_t empty = PTHREAD_COND_INITIALIZER;
    pthread_cond_t *c = malloc(sizeof(*c));

    *c = empty;
    return c;
}

static void *
forward(void *unused)
{
    pthread_cond_t *c = make();

    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    lock(&other);
    unlock(&other);
    must(pthread_cond_signal(c));
    free(c);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&guard);
    while (flag == 0)
        must(pthread_cond_wait(told, &guard));
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
    must(pthread_cond_signal(told));
    unlock(&guard);
    return unused;
}

/* What each thread has is freed where it came from: in the arena of all. */
int
main(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    const pthread_t a = start(forward, NULL);
    apart();
    told = make();
    const pthread_t b = start(backward, NULL);
    apart();
    const pthread_t c = start(tells, NULL);

    join(a);
    join(b);
    join(c);
    free(told);
    return 0;
}
