/* cannot: the first thread ends, and the program with the last one. */
#include "common.h"

static void *
routine(void *unused)
{
    sleep_ms(A_WHILE_MS);
    return unused;
}

int
main(void)
{
    start(routine, NULL);
    start(routine, NULL);
    pthread_exit(NULL);
}
