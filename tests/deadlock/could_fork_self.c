/* could 2 --children: after a fork, by who has forked and a thread of it. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

int
main(void)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        const pthread_t t = start(forward, NULL);
        apart();
        lock(&second);
        lock(&first); /* here */
        unlock(&first);
        unlock(&second);
        join(t);
        return 0;
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
