/* could 2: a thousand times in one order, once in the other. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        lock(&first);
        lock(&second); /* here */
        unlock(&second);
        unlock(&first);
    }
    return unused;
}

static void *
backward(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        lock(&second);
        if (i == 500) {
            lock(&first); /* here */
            unlock(&first);
        }
        unlock(&second);
    }
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}
