/* cannot --stuck=0.3: a handler of a signal writes into the program's own
 * pipe. */
#include "common.h"

static int ends[2];

static void
tell(int unused)
{
    (void)unused;
    if (write(ends[1], "x", 1) != 1)
        _exit(1);
}

int
main(void)
{
    struct sigaction a = {.sa_handler = tell, .sa_flags = SA_RESTART};
    char c;

    must(pipe(ends));
    must(sigaction(SIGALRM, &a, NULL));
    alarm(1);
    must(read(ends[0], &c, 1) != 1);
    return 0;
}
