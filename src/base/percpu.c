/* SPDX-License-Identifier: MIT */
/*
 * percpu.c - how many cells a table needs, and the shared words.
 *
 * The table must reach the highest CPU number that can ever come, not the
 * number of CPUs there are now: numbers have holes, and CPUs are plugged in.
 * The kernel fixes that set at boot and lists it as "possible".  If the list
 * cannot be read and the guess is too low, the CPUs beyond it use the shared
 * words: slower, and as right.
 *
 * Threads take numbers as they first add to a shared word, and number k goes
 * to the stripe that the fraction k * (golden ratio) points at: any few
 * threads in a row are spread evenly over any number of cells, without a
 * division.
 *
 * Ordering.  Nothing here carries an edge.  The known count is relaxed: who
 * does not see it yet reads the same list again.
 */
#include "base/percpu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define POSSIBLE  "/sys/devices/system/cpu/possible"
#define COUNT_MAX 65536u /* far beyond any machine: the list is damaged */

unsigned
weft_percpu_parse_(const char *list)
{
    unsigned long highest = 0;
    const char *p = list;

    for (;;) {
        char *end;

        if (*p < '0' || *p > '9')
            return 0;
        unsigned long number = strtoul(p, &end, 10);
        if (number >= COUNT_MAX)
            return 0;
        if (number > highest)
            highest = number;
        if (*end == '\0' || *end == '\n')
            return (unsigned)highest + 1;
        if (*end != ',' && *end != '-')
            return 0;
        p = end + 1;
    }
}

/* Read the list of possible CPUs; 0 if there is none. */
static unsigned
read_possible(void)
{
    char list[1024];
    int fd = open(POSSIBLE, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;

    ssize_t length;
    do
        length = read(fd, list, sizeof(list) - 1);
    while (length < 0 && errno == EINTR);
    close(fd);
    if (length <= 0 || (size_t)length == sizeof(list) - 1)
        return 0;
    list[length] = '\0';
    return weft_percpu_parse_(list);
}

unsigned
weft_percpu_count_(void)
{
    static _Atomic unsigned known;
    unsigned count = atomic_load_explicit(&known, memory_order_relaxed);
    if (count != 0)
        return count;

    int saved_errno = errno;
    count = read_possible();
    if (count == 0) {
        long configured = sysconf(_SC_NPROCESSORS_CONF);
        count = configured > 0 && configured < (long)COUNT_MAX
                    ? (unsigned)configured
                    : 1;
    }
    errno = saved_errno;
    atomic_store_explicit(&known, count, memory_order_relaxed);
    return count;
}

void
weft_percpu_add_shared_(struct weft_percpu_cell *cells, unsigned count,
                        int64_t n)
{
    /*
     * One word of static thread-local storage, so that also a library loaded
     * late reaches it without a call.  0 is "none yet"; a signal handler that
     * takes a number in between costs one number.
     */
    static _Atomic unsigned last;
    static _Thread_local unsigned mine
        __attribute__((tls_model("initial-exec")));

    if (mine == 0)
        mine = 1 + atomic_fetch_add_explicit(&last, 1, memory_order_relaxed);

    uint32_t fraction = (uint32_t)mine * 2654435769u; /* 2^32 / 1.618... */
    uint64_t stripe = ((uint64_t)fraction * count) >> 32;
    atomic_fetch_add_explicit(&cells[stripe].shared, n, memory_order_relaxed);
}
