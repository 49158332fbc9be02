/* could 2: a thread forks, for which the program's own handler locks two in the
 * order that another thread does not have. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void
before(void)
{
    lock(&second);
    lock(&first); /* here */
}

static void
after(void)
{
    unlock(&first);
    unlock(&second);
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
forks(void *unused)
{
    const pid_t child = fork();

    if (child == 0)
        _exit(0);
    must(waitpid(child, NULL, 0) == child ? 0 : errno);
    return unused;
}

int
main(void)
{
    must(pthread_atfork(before, after, after));
    run_apart(forward, forks);
    return 0;
}
