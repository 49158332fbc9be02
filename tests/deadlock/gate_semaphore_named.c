/* cannot: the gate is a semaphore of one that has a name. */
#include "common.h"

#include <fcntl.h>

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static sem_t *gate;

static void *
forward(void *unused)
{
    must(sem_wait(gate));
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    must(sem_post(gate));
    return unused;
}

static void *
backward(void *unused)
{
    must(sem_wait(gate));
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    must(sem_post(gate));
    return unused;
}

int
main(void)
{
    char name[64];

    snprintf(name, sizeof(name), "/weft-%d", (int)getpid());
    gate = sem_open(name, O_CREAT, 0600, 1);
    must(gate == SEM_FAILED ? errno : 0);
    must(sem_unlink(name));
    run_both(forward, backward);
    must(sem_close(gate));
    return 0;
}
