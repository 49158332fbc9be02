/* could 2: a queue between, but the order was before the item came. */
#include "common.h"

static pthread_mutex_t q = MUTEX;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static sem_t items;

static void *
producer(void *unused)
{
    for (int i = 0; i < 10; i++) {
        must(sem_post(&items));
        lock(&first);
        lock(&second); /* here */
        unlock(&second);
        unlock(&first);
    }
    return unused;
}

static void *
consumer(void *unused)
{
    for (int i = 0; i < 10; i++)
        must(sem_wait(&items));
    apart();
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    must(sem_init(&items, 0, 0));
    run_both(producer, consumer);
    return 0;
}
