/* could 2: the program executes another one in its place at once. */
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
    over();
    return unused;
}

static __attribute__((noinline)) void
backward(void)
{
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
}

int
main(int argc, char **argv)
{
    if (argc > 1)
        return 0;
    start(forward, NULL);
    until_over();
    backward();
    execl("/proc/self/exe", argv[0], "again", (char *)NULL);
    return 1;
}
