/* cannot: a child of fork uses its copy of a mutex, and starts threads. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
routine(void *unused)
{
    lock(&m);
    unlock(&m);
    return unused;
}

int
main(void)
{
    int status = 1;

    join(start(routine, NULL));
    lock(&m);
    const pid_t child = fork();
    unlock(&m);
    run_both(routine, routine);
    if (child == 0)
        _exit(7);
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 7 ? 0 : 1;
}
