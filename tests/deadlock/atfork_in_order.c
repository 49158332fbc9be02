/* cannot --children: the program's own handlers of fork lock what its threads
 * lock, in their order, and give it back on both sides; the child goes on with
 * threads. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void
before(void)
{
    lock(&first);
    lock(&second);
}

static void
after(void)
{
    unlock(&second);
    unlock(&first);
}

static void *
forward(void *unused)
{
    for (int i = 0; i < 200; i++) {
        lock(&first);
        lock(&second);
        unlock(&second);
        unlock(&first);
    }
    return unused;
}

int
main(void)
{
    int status = 0;

    must(pthread_atfork(before, after, after));
    const pthread_t t = start(forward, NULL);
    const pid_t child = fork();
    if (child == 0) {
        run_both(forward, forward);
        return 0;
    }
    run_both(forward, forward);
    join(t);
    must(waitpid(child, &status, 0) == child ? 0 : errno);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
