/* cannot: one posts a semaphore with a name when it is done, and the other takes
 * it before it begins.  Each opens it: whoever comes first makes it. */
#include "common.h"

#include <fcntl.h>

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static char name[64];
static sem_t *kept; /* open until the end */

static sem_t *
get_done(void)
{
    sem_t *s = sem_open(name, O_CREAT, 0600, 0);

    must(s == SEM_FAILED ? errno : 0);
    return s;
}

static void *
forward(void *unused)
{
    sem_t *done = get_done();

    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    must(sem_post(done));
    kept = done;
    return unused;
}

static void *
backward(void *unused)
{
    apart();
    sem_t *done = get_done();

    must(sem_wait(done));
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    must(sem_close(done));
    return unused;
}

int
main(void)
{
    snprintf(name, sizeof(name), "/weft-%d", (int)getpid());
    run_both(forward, backward);
    must(sem_close(kept));
    must(sem_unlink(name));
    return 0;
}
