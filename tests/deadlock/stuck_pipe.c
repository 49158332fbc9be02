/* does stuck --stuck=1: the only thread reads from a pipe that it alone could
 * fill. */
#include "common.h"

int
main(void)
{
    int ends[2];
    char c;

    must(pipe(ends));
    return (int)read(ends[0], &c, 1);
}
