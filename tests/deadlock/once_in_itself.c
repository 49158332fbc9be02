/* does self: a routine that runs once asks for itself. */
#include "common.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
routine(void)
{
    pthread_once(&once, routine);
}

int
main(void)
{
    pthread_once(&once, routine);
    return 0;
}
