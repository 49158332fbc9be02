/* could 2: behind 3200 threads that nobody joins, but waits for. */
#include "common.h"

#define THREADS 3200
#define AT_ONCE 16

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t guard = MUTEX;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int over;

static void *
serve(void *unused)
{
    lock(&first);
    unlock(&first);
    lock(&guard);
    over++;
    pthread_cond_signal(&changed);
    unlock(&guard);
    return unused;
}

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

static void
await(int count)
{
    lock(&guard);
    while (over < count)
        pthread_cond_wait(&changed, &guard);
    unlock(&guard);
}

int
main(void)
{
    for (int i = 0; i < THREADS; i++) {
        await(i - AT_ONCE + 1);
        must(pthread_detach(start(serve, NULL)));
    }
    await(THREADS);
    run_apart(forward, backward);
    return 0;
}
