/* SPDX-License-Identifier: MIT */
/*
 * web_server.c - serves a page on loopback, for the example that downloads.
 *
 * Prints the port it listens on.  /page is there, /slow never has an answer,
 * all else is not found.  Goes on until it is killed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read up to the blank line after the head of a request. */
static bool
read_head(int client, char *head, size_t bytes)
{
    size_t n = 0;

    head[0] = '\0';
    while (strstr(head, "\r\n\r\n") == NULL) {
        const ssize_t got = read(client, head + n, bytes - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        head[n] = '\0';
    }
    return true;
}

static void
serve(int client)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: "
                               "5\r\nConnection: close\r\n\r\nweft\n";
    static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";
    char head[4096];

    if (read_head(client, head, sizeof(head))) {
        if (strncmp(head, "GET /slow ", 10) == 0)
            return; /* and keep it open */
        const char *answer = strncmp(head, "GET /page ", 10) == 0 ? page : none;
        if (write(client, answer, strlen(answer)) < 0)
            perror("web_server: write");
    }
    close(client);
}

int
main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t bytes = sizeof(at);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);

    signal(SIGPIPE, SIG_IGN);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, bytes) != 0 ||
        listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &bytes) != 0) {
        perror("web_server");
        return 1;
    }
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        const int client = accept(listener, NULL, NULL);
        if (client >= 0)
            serve(client);
    }
}
