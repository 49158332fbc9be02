/* cannot: more locks are held than the tool takes notes of. */
#include "common.h"

#define MANY 50000

int
main(void)
{
    pthread_rwlock_t *l = calloc(MANY, sizeof(*l));

    for (size_t i = 0; i < MANY; i++)
        pthread_rwlock_rdlock(&l[i]);
    for (size_t i = 0; i < MANY; i++)
        pthread_rwlock_unlock(&l[i]);
    free(l);
    return 0;
}
