/* cannot: a timer of the system posts in a thread of its own. */
#include "common.h"

static sem_t s;

static void
post(union sigval unused)
{
    (void)unused;
    sem_post(&s);
}

int
main(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_THREAD,
                         .sigev_notify_function = post};
    const struct itimerspec when = {.it_value = {0, A_WHILE_MS * 1000000}};
    timer_t t;

    sem_init(&s, 0, 0);
    if (timer_create(CLOCK_MONOTONIC, &e, &t) != 0)
        return 1;
    timer_settime(t, 0, &when, NULL);
    sem_wait(&s);
    return 0;
}
