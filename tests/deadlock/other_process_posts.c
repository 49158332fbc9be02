/* cannot: all sleep until another process posts. */
#include "common.h"

int
main(void)
{
    sem_t *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    sem_init(s, 1, 0);
    if (fork() == 0) {
        sleep_ms(2 * A_WHILE_MS);
        sem_post(s);
        _exit(0);
    }
    sem_wait(s);
    wait(NULL);
    return 0;
}
