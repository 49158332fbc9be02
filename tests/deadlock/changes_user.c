/* cannot: libc signals every thread when the process changes its user. */
#include "common.h"

static void *
routine(void *unused)
{
    meet();
    sleep_ms(A_WHILE_MS);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(routine, NULL);

    meet();
    if (setuid(getuid()) != 0 || setgid(getgid()) != 0)
        return 1;
    join(t);
    return 0;
}
