/* cannot: a thread forks, and its child ends as the routine returns. */
#include "common.h"

static void *
routine(void *unused)
{
    int status = 1;
    const pid_t child = fork();

    if (child == 0)
        return unused;
    waitpid(child, &status, 0);
    return status == 0 ? NULL : &both_;
}

int
main(void)
{
    void *result;

    must(pthread_join(start(routine, NULL), &result));
    return result == NULL ? 0 : 1;
}
