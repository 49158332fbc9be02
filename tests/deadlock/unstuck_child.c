/* cannot --stuck=0.3: a child has the other end of the pipe, and writes in the
 * end. */
#include "common.h"

int
main(void)
{
    int ends[2];
    char c;

    must(pipe(ends));
    if (fork() == 0) {
        sleep_ms(5L * A_WHILE_MS);
        _exit(write(ends[1], "x", 1) != 1);
    }
    must(read(ends[0], &c, 1) != 1);
    wait(NULL);
    return 0;
}
