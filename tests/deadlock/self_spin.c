/* does self: a spin lock is locked twice. */
#include "common.h"

int
main(void)
{
    pthread_spinlock_t s;

    pthread_spin_init(&s, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&s);
    pthread_spin_lock(&s);
    return 0;
}
