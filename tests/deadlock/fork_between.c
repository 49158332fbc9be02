/* cannot: the other order is in a child of fork. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(forward, NULL);
    int status = 0;

    join(t);
    const pid_t child = fork();
    if (child == 0) {
        lock(&second);
        lock(&first);
        unlock(&first);
        unlock(&second);
        return 0;
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
