/* cannot: threads that start and join others, so that a pthread_t is used again
 * as soon as the join is over. */
#include "common.h"

#define STARTERS 12
#define STARTED  300

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
in_order(void *unused)
{
    for (int i = 0; i < 20; i++) {
        lock(&first);
        lock(&second);
        unlock(&second);
        unlock(&first);
    }
    return unused;
}

static void *
start_others(void *unused)
{
    for (int i = 0; i < STARTED; i++)
        join(start(in_order, NULL));
    return unused;
}

int
main(void)
{
    pthread_t starters[STARTERS];

    for (int i = 0; i < STARTERS; i++)
        starters[i] = start(start_others, NULL);
    for (int i = 0; i < STARTERS; i++)
        join(starters[i]);
    return 0;
}
