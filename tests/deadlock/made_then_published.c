/* cannot: an object is made with its lock outside of the lock of the list, by who
 * alone has it; when others find it, the list is outside. */
#include "common.h"

static pthread_mutex_t list = MUTEX;
static struct item {
    struct item *next;
    pthread_mutex_t m;
} * items;

static void *
makes(void *unused)
{
    for (int i = 0; i < 5; i++) {
        struct item *it = calloc(1, sizeof(*it));
        must(pthread_mutex_init(&it->m, NULL));
        lock(&it->m);
        lock(&list); /* nobody can hold the list and want this one */
        it->next = items;
        items = it;
        unlock(&it->m);
        unlock(&list);
    }
    return unused;
}

static void *
walks(void *unused)
{
    lock(&list);
    for (struct item *it = items; it != NULL; it = it->next) {
        lock(&it->m);
        unlock(&it->m);
    }
    unlock(&list);
    return unused;
}

int
main(void)
{
    run_apart(makes, walks);
    return 0;
}
