/* cannot: a semaphore with a name is closed, and the next one lies where it was:
 * the name of one is posted before the lock is taken, of the other behind it. */
#include "common.h"

#include <fcntl.h>

static pthread_mutex_t m = MUTEX;
static sem_t *s;
static char name[64];
static _Atomic int ended;

static void
begin(unsigned value)
{
    s = sem_open(name, O_CREAT | O_EXCL, 0600, value);
    must(s == SEM_FAILED ? errno : 0);
    must(sem_unlink(name));
}

static void *
outside(void *unused)
{
    must(sem_wait(s));
    lock(&m);
    unlock(&m);
    must(sem_post(s));
    ended++;
    return unused;
}

static void *
inside(void *unused)
{
    lock(&m);
    must(sem_wait(s));
    must(sem_post(s));
    unlock(&m);
    ended++;
    return unused;
}

/* A detached thread is behind nothing: only time keeps the two apart. */
static void
run_alone(void *(*routine)(void *))
{
    const int before = ended;

    must(pthread_detach(start(routine, NULL)));
    while (ended == before)
        sleep_ms(1);
}

int
main(void)
{
    snprintf(name, sizeof(name), "/weft-%d", (int)getpid());
    begin(1);
    run_alone(outside);
    must(sem_close(s));
    begin(1);
    run_alone(inside);
    must(sem_close(s));
    return 0;
}
