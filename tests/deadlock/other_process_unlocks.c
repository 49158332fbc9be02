/* cannot: a mutex is shared with a process that has it for a while. */
#include "common.h"

struct shared {
    pthread_mutex_t m;
    sem_t taken;
};

int
main(void)
{
    struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t a;

    must(pthread_mutexattr_init(&a));
    must(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
    must(pthread_mutex_init(&s->m, &a));
    sem_init(&s->taken, 1, 0);
    if (fork() == 0) {
        lock(&s->m);
        sem_post(&s->taken);
        sleep_ms(2 * A_WHILE_MS);
        unlock(&s->m);
        _exit(0);
    }
    sem_wait(&s->taken);
    lock(&s->m);
    unlock(&s->m);
    wait(NULL);
    return 0;
}
