/* cannot --stuck=0.3: workers sleep, and the first thread waits for a client,
 * who comes. */
#include "common.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static sem_t jobs;

static void *
worker(void *unused)
{
    sem_wait(&jobs);
    return unused;
}

int
main(void)
{
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof(a);

    must(bind(s, (struct sockaddr *)&a, sizeof(a)));
    must(listen(s, 1));
    must(getsockname(s, (struct sockaddr *)&a, &bytes));
    sem_init(&jobs, 0, 0);
    const pthread_t t = start(worker, NULL);
    const pid_t child = fork();
    if (child == 0) {
        sleep_ms(5L * A_WHILE_MS);
        const int c = socket(AF_INET, SOCK_STREAM, 0);
        _exit(connect(c, (struct sockaddr *)&a, sizeof(a)) != 0);
    }
    must(accept(s, NULL, NULL) < 0);
    sem_post(&jobs);
    join(t);
    waitpid(child, NULL, 0);
    return 0;
}
