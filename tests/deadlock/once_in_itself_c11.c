/* does self: the same in C11. */
#include "common.h"

static once_flag once = ONCE_FLAG_INIT;

static void
routine(void)
{
    call_once(&once, routine);
}

int
main(void)
{
    call_once(&once, routine);
    return 0;
}
