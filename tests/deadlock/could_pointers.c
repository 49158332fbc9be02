/* could 2: locks that are reached through pointers in lists. */
#include "common.h"

struct node {
    struct node *other;
    pthread_mutex_t lock;
};

static void *
visit(void *arg)
{
    struct node *n = arg;

    lock(&n->lock);
    lock(&n->other->lock); /* here */
    unlock(&n->other->lock);
    unlock(&n->lock);
    return NULL;
}

int
main(void)
{
    struct node *a = calloc(2, sizeof(*a));
    struct node *b = &a[1];

    a->other = b;
    b->other = a;
    must(pthread_mutex_init(&a->lock, NULL));
    must(pthread_mutex_init(&b->lock, NULL));
    const pthread_t t = start(visit, a);
    apart();
    join(start(visit, b));
    join(t);
    free(a);
    return 0;
}
