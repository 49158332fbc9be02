/* cannot: a semaphore that begins at one is posted by another process, again and
 * again; who has taken it holds nothing. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static sem_t *s;

static void *
outside(void *unused)
{
    must(sem_wait(s));
    must(sem_wait(s));
    lock(&m);
    unlock(&m);
    return unused;
}

static void *
inside(void *unused)
{
    lock(&m);
    must(sem_wait(s));
    unlock(&m);
    return unused;
}

int
main(void)
{
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(sem_init(s, 1, 1));
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 2; i++) {
            apart();
            must(sem_post(s));
        }
        _exit(0);
    }
    run_apart(outside, inside);
    must(waitpid(child, NULL, 0) == child ? 0 : errno);
    return 0;
}
