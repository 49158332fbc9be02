/* cannot: a condition of the layout of 2002 forces the order. */
#include "common.h"

#if defined(__x86_64__)
__asm__(".symver elder_wait,pthread_cond_wait@GLIBC_2.2.5");
__asm__(".symver elder_signal,pthread_cond_signal@GLIBC_2.2.5");
#else
#define elder_wait   pthread_cond_wait
#define elder_signal pthread_cond_signal
#endif
int elder_wait(pthread_cond_t *c, pthread_mutex_t *m);
int elder_signal(pthread_cond_t *c);

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int done;

static void *
forward(void *unused)
{
    apart();
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    lock(&m);
    done = 1;
    elder_signal(&c);
    unlock(&m);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&m);
    while (!done)
        elder_wait(&c, &m);
    unlock(&m);
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}
