/* cannot: a thread waits for a signal and then wakes the others. */
#include <sys/time.h>

#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int done;

static void *
listen(void *arg)
{
    int got;

    sigwait(arg, &got);
    lock(&m);
    done = 1;
    pthread_cond_broadcast(&c);
    unlock(&m);
    return NULL;
}

int
main(void)
{
    const struct itimerval when = {.it_value = {0, A_WHILE_MS * 1000}};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    const pthread_t t = start(listen, &set);
    setitimer(ITIMER_REAL, &when, NULL);
    lock(&m);
    while (!done)
        pthread_cond_wait(&c, &m);
    unlock(&m);
    join(t);
    return 0;
}
