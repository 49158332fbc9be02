/* could 2: each of two threads holds 300 others when they cross. */
#include "common.h"

#define DEEP 300

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t mine[2][DEEP];

static void
deeper(int who, int depth)
{
    if (depth == DEEP) {
        lock(who == 0 ? &first : &second);
        lock(who == 0 ? &second : &first); /* here */
        unlock(who == 0 ? &second : &first);
        unlock(who == 0 ? &first : &second);
        return;
    }
    lock(&mine[who][depth]);
    deeper(who, depth + 1);
    unlock(&mine[who][depth]);
}

static void *
forward(void *unused)
{
    deeper(0, 0);
    return unused;
}

static void *
backward(void *unused)
{
    deeper(1, 0);
    return unused;
}

int
main(void)
{
    for (int i = 0; i < DEEP; i++) {
        must(pthread_mutex_init(&mine[0][i], NULL));
        must(pthread_mutex_init(&mine[1][i], NULL));
    }
    run_apart(forward, backward);
    return 0;
}
