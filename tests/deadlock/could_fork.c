/* could 2 --children: in a child of fork. */
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

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        run_apart(forward, backward);
        return 0;
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
