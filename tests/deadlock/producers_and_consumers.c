/* cannot: a bounded queue with two conditions, under load. */
#include "common.h"

#define ROOM 4
#define N    2000

static pthread_mutex_t m = MUTEX;
static pthread_mutex_t total_lock = MUTEX;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int items[ROOM];
static int count;
static long total;

static void *
produce(void *unused)
{
    for (int i = 0; i < N; i++) {
        lock(&m);
        while (count == ROOM)
            pthread_cond_wait(&not_full, &m);
        items[count++] = i;
        pthread_cond_signal(&not_empty);
        unlock(&m);
    }
    return unused;
}

static void *
consume(void *unused)
{
    for (int i = 0; i < N; i++) {
        lock(&m);
        while (count == 0)
            pthread_cond_wait(&not_empty, &m);
        const int item = items[--count];
        lock(&total_lock);
        total += item;
        unlock(&total_lock);
        pthread_cond_signal(&not_full);
        unlock(&m);
    }
    return unused;
}

int
main(void)
{
    const pthread_t a = start(produce, NULL);
    const pthread_t b = start(consume, NULL);

    run_both(produce, consume);
    join(a);
    join(b);
    return total == (long)N * (N - 1) ? 0 : 1;
}
