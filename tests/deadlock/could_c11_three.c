/* could 3: three mutexes of C11 in a ring. */
#include "common.h"

static mtx_t m[3];

static int
take(void *arg)
{
    const long i = (long)arg;

    mtx_lock(&m[i]);
    mtx_lock(&m[(i + 1) % 3]); /* here */
    mtx_unlock(&m[(i + 1) % 3]);
    mtx_unlock(&m[i]);
    return 0;
}

int
main(void)
{
    thrd_t t[3];

    for (int i = 0; i < 3; i++)
        mtx_init(&m[i], mtx_plain);
    for (long i = 0; i < 3; i++) {
        thrd_create(&t[i], take, (void *)i);
        apart();
    }
    for (int i = 0; i < 3; i++)
        thrd_join(t[i], NULL);
    return 0;
}
