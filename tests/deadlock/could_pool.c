/* could 2: jobs of a pool, two of which take the locks in opposite orders. */
#include "common.h"

static pthread_mutex_t queue = MUTEX;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static int next;

static __attribute__((noinline)) void
job(int i)
{
    if (i % 2 == 0) {
        lock(&first);
        lock(&second); /* here */
        unlock(&second);
        unlock(&first);
    } else {
        lock(&second);
        lock(&first); /* here */
        unlock(&first);
        unlock(&second);
    }
}

static void *
work(void *arg)
{
    const int *mine = arg;

    for (int done = 0; done < 5;) {
        lock(&queue);
        const int i = next;
        const int takes = i % 2 == *mine;
        next += takes;
        unlock(&queue);
        if (takes) {
            job(i);
            done++;
        } else {
            sleep_ms(5);
        }
    }
    return NULL;
}

int
main(void)
{
    static int even = 0;
    static int odd = 1;

    const pthread_t a = start(work, &even);
    const pthread_t b = start(work, &odd);
    join(a);
    join(b);
    return 0;
}
