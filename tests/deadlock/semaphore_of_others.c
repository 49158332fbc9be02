/* cannot: one waits for a post with the lock that the other takes before it
 * posts; but another process posts as well. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static sem_t *posted;

static void *
waits(void *unused)
{
    apart();
    lock(&m);
    must(sem_wait(posted));
    unlock(&m);
    return unused;
}

static void *
posts(void *unused)
{
    lock(&m);
    unlock(&m);
    must(sem_post(posted));
    return unused;
}

int
main(void)
{
    posted = mmap(NULL, sizeof(*posted), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(sem_init(posted, 1, 0));
    const pid_t child = fork();
    if (child == 0) {
        sleep_ms(4 * A_WHILE_MS);
        must(sem_post(posted));
        _exit(0);
    }
    run_both(waits, posts);
    must(waitpid(child, NULL, 0) == child ? 0 : errno);
    return 0;
}
