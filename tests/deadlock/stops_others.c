/* cannot: a thread is stopped by a signal wherever it is, as a collector of
 * garbage does. */
#include "common.h"

#define LOCKS 16
#define STOPS 300

static pthread_mutex_t list[LOCKS];
static sem_t stopped;
static volatile sig_atomic_t stops;
static volatile sig_atomic_t over;

static void
stop(int unused)
{
    const sig_atomic_t now = stops;
    sigset_t all;

    (void)unused;
    sigfillset(&all);
    sigdelset(&all, SIGUSR2);
    sem_post(&stopped);
    while (stops == now)
        sigsuspend(&all);
}

static void
go_on(int unused)
{
    (void)unused;
}

static void *
work(void *unused)
{
    for (unsigned i = 0; !over; i++) {
        pthread_mutex_t own;

        must(pthread_mutex_init(&own, NULL));
        lock(&list[i % LOCKS]);
        lock(&own);
        unlock(&own);
        unlock(&list[i % LOCKS]);
        must(pthread_mutex_destroy(&own));
    }
    return unused;
}

int
main(void)
{
    struct sigaction a = {.sa_handler = stop};

    sigfillset(&a.sa_mask);
    sigdelset(&a.sa_mask, SIGUSR2);
    must(sigaction(SIGUSR1, &a, NULL));
    a.sa_handler = go_on;
    must(sigaction(SIGUSR2, &a, NULL));
    sem_init(&stopped, 0, 0);
    for (int i = 0; i < LOCKS; i++)
        must(pthread_mutex_init(&list[i], NULL));
    const pthread_t worker = start(work, NULL);
    for (int i = 0; i < STOPS; i++) {
        must(pthread_kill(worker, SIGUSR1));
        sem_wait(&stopped);
        stops = stops + 1;
        must(pthread_kill(worker, SIGUSR2));
        usleep(300);
    }
    over = 1;
    join(worker);
    return 0;
}
