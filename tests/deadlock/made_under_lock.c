/* cannot: an object is made under the lock of the list, and locked there by who
 * alone has it; all others lock it before the list. */
#include "common.h"

static pthread_mutex_t list = MUTEX;
static struct item {
    struct item *next;
    pthread_rwlock_t l;
} * _Atomic items;

static void *
makes(void *unused)
{
    for (int i = 0; i < 5; i++) {
        struct item *it = calloc(1, sizeof(*it));
        lock(&list);
        must(pthread_rwlock_init(&it->l, NULL));
        must(pthread_rwlock_wrlock(&it->l));
        it->next = items;
        items = it;
        must(pthread_rwlock_unlock(&it->l));
        unlock(&list);
    }
    return unused;
}

static void *
uses(void *unused)
{
    for (struct item *it = items; it != NULL; it = it->next) {
        must(pthread_rwlock_wrlock(&it->l));
        lock(&list);
        unlock(&list);
        must(pthread_rwlock_unlock(&it->l));
    }
    return unused;
}

int
main(void)
{
    run_apart(makes, uses);
    return 0;
}
