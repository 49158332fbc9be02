/* cannot: a pool whose jobs of a phase end before the next begins. */
#include "common.h"

static pthread_mutex_t queue = MUTEX;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int todo;
static int running;
static int phase;
static int ended;

static void
job(int in_phase)
{
    pthread_mutex_t *outer = in_phase % 2 == 0 ? &first : &second;
    pthread_mutex_t *inner = in_phase % 2 == 0 ? &second : &first;

    lock(outer);
    lock(inner);
    unlock(inner);
    unlock(outer);
}

static void *
work(void *unused)
{
    lock(&queue);
    for (;;) {
        while (todo == 0 && !ended)
            pthread_cond_wait(&changed, &queue);
        if (ended)
            break;
        const int mine = phase;
        todo--;
        running++;
        unlock(&queue);
        job(mine);
        lock(&queue);
        running--;
        pthread_cond_broadcast(&changed);
    }
    unlock(&queue);
    return unused;
}

int
main(void)
{
    const pthread_t a = start(work, NULL);
    const pthread_t b = start(work, NULL);

    lock(&queue);
    for (phase = 0; phase < 10; phase++) {
        todo = 8;
        pthread_cond_broadcast(&changed);
        while (todo > 0 || running > 0)
            pthread_cond_wait(&changed, &queue);
    }
    ended = 1;
    pthread_cond_broadcast(&changed);
    unlock(&queue);
    join(a);
    join(b);
    return 0;
}
