/* cannot: as semaphore_third_posts_late, but the third thread posts before half a
 * second is over. */
#include "common.h"

static sem_t first;
static sem_t second;

static void *
forward(void *unused)
{
    sem_wait(&first);
    meet();
    sem_wait(&second);
    sem_post(&second);
    return unused;
}

static void *
backward(void *unused)
{
    sem_wait(&second);
    meet();
    sem_wait(&first);
    sem_post(&second);
    return unused;
}

static void *
helper(void *unused)
{
    sleep_ms(250);
    sem_post(&first);
    return unused;
}

int
main(void)
{
    sem_init(&first, 0, 1);
    sem_init(&second, 0, 1);
    const pthread_t t = start(helper, NULL);
    run_both(forward, backward);
    join(t);
    return 0;
}
