/* cannot: a condition of the layout of 2002, which programs of x86-64 of that
 * age use; one thread waits, another signals. */
#include "common.h"

#if defined(__x86_64__)
__asm__(".symver elder_wait,pthread_cond_wait@GLIBC_2.2.5");
__asm__(".symver elder_timedwait,pthread_cond_timedwait@GLIBC_2.2.5");
__asm__(".symver elder_signal,pthread_cond_signal@GLIBC_2.2.5");
#else
#define elder_wait      pthread_cond_wait
#define elder_timedwait pthread_cond_timedwait
#define elder_signal    pthread_cond_signal
#endif
int elder_wait(pthread_cond_t *c, pthread_mutex_t *m);
int elder_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
                    const struct timespec *until);
int elder_signal(pthread_cond_t *c);

/* Nothing but a pointer and what tells that more of it was touched. */
static union {
    pthread_cond_t c;
    unsigned char bytes[sizeof(pthread_cond_t)];
} elder;
static pthread_mutex_t m = MUTEX;
static int done;

static void *
tell(void *unused)
{
    sleep_ms(A_WHILE_MS);
    lock(&m);
    done = 1;
    elder_signal(&elder.c);
    unlock(&m);
    return unused;
}

int
main(void)
{
    const struct timespec until = in_ms(10);

    lock(&m);
    if (elder_timedwait(&elder.c, &m, &until) != ETIMEDOUT)
        return 1;
    const pthread_t t = start(tell, NULL);
    while (!done)
        elder_wait(&elder.c, &m);
    unlock(&m);
    join(t);
#if defined(__x86_64__)
    for (size_t i = sizeof(void *); i < sizeof(elder.bytes); i++)
        if (elder.bytes[i] != 0)
            return 2;
#endif
    return 0;
}
