/* does self|upgrade: a reader of 200 locks wants to write the last. */
#include "common.h"

#define MANY 200

int
main(void)
{
    pthread_rwlock_t *l = calloc(MANY, sizeof(*l));

    for (int i = 0; i < MANY; i++) {
        must(pthread_rwlock_init(&l[i], NULL));
        must(pthread_rwlock_rdlock(&l[i]));
    }
    pthread_rwlock_wrlock(&l[MANY - 1]);
    return 0;
}
