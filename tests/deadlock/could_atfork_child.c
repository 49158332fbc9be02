/* could 2 --children: a lock that a handler of fork took before is given back in
 * the child, whose threads have it in both orders with another. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void
before(void)
{
    lock(&first);
}

static void
after(void)
{
    unlock(&first);
}

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
    int status = 0;

    must(pthread_atfork(before, after, after));
    const pid_t child = fork();
    if (child == 0) {
        run_apart(forward, backward);
        return 0;
    }
    must(waitpid(child, &status, 0) == child ? 0 : errno);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
