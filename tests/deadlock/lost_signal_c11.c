/* does asleep: the same in C11. */
#include "common.h"

int
main(void)
{
    mtx_t m;
    cnd_t c;

    mtx_init(&m, mtx_plain);
    cnd_init(&c);
    cnd_signal(&c);
    mtx_lock(&m);
    cnd_wait(&c, &m);
    mtx_unlock(&m);
    return 0;
}
