/* SPDX-License-Identifier: MIT */
/*
 * word_count.c - count the words of many files, as `wc -w` does, with threads
 * that read, threads that count, and two rings between them.
 *
 *     word_count [--serial] [--readers N] [--counters N]
 *                [--ring lockfree|lockless|mutex] FILE|DIRECTORY|- ...
 *
 * A directory stands for the regular files below it, - for the names on the
 * standard input, one a line.  There is a fixed number of chunks to read into:
 *
 *     readers  ---- ready ---->  counters
 *              <--- empty -----
 *
 * A word is what lies between white space and has a printable byte in it.  One
 * that crosses into the next chunk counts where it begins: the reader of both
 * chunks says in the second that it begins inside a word.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weft/weft.h>

#define CHUNK_BYTES  65536
#define CHUNKS       64
#define THREADS_MOST 64 /* of each kind */

struct chunk {
    size_t length;
    bool inside; /* a word that has been counted goes on here */
    unsigned char bytes[CHUNK_BYTES];
};

enum { SPACE = 0, WORD = 1, NEITHER = 2 }; /* NEITHER begins and ends nothing */

static unsigned char kinds[256];
static char **files;
static size_t file_count;
static _Atomic size_t next_file; /* to read */
static weft_ring *ready;
static weft_ring *empty;
static weft_counter *words;
static weft_counter *bytes;
static bool is_repeat;      /* of a run that has complained */
static _Atomic bool failed; /* some file could not be read */

static void
complain(const char *path)
{
    if (!is_repeat)
        warn("%s", path);
    atomic_store_explicit(&failed, true, memory_order_relaxed);
}

/* A ring never waits: that is up to its user. */
static void
wait_a_little(unsigned tries)
{
    if (tries < 16)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

static void
give(weft_ring *r, struct chunk *c)
{
    for (unsigned tries = 0; weft_ring_push(r, c) != WEFT_OK; tries++)
        wait_a_little(tries);
}

static struct chunk *
take(weft_ring *r)
{
    void *c;

    for (unsigned tries = 0; weft_ring_pop(r, &c) != WEFT_OK; tries++)
        wait_a_little(tries);
    return c;
}

static struct chunk *
count(struct chunk *c)
{
    unsigned inside = c->inside;
    int64_t begun = 0;

    for (size_t i = 0; i < c->length; i++) {
        const unsigned kind = kinds[c->bytes[i]];
        begun += kind & ~inside & 1;
        inside = (kind | (kind >> 1 & inside)) & 1;
    }
    weft_counter_add(words, begun);
    weft_counter_add(bytes, (int64_t)c->length);
    return c;
}

static struct chunk *
hand_on(struct chunk *c)
{
    give(ready, c);
    return take(empty);
}

/* Whether a word goes on in the next chunk. */
static bool
ends_inside(const struct chunk *c)
{
    for (size_t i = c->length; i > 0; i--)
        if (kinds[c->bytes[i - 1]] != NEITHER)
            return kinds[c->bytes[i - 1]] == WORD;
    return c->inside;
}

/* Read the files that are left; `use` takes each chunk and returns an empty
 * one. */
static void
read_files(struct chunk *(*use)(struct chunk *c))
{
    struct chunk *c = take(empty);
    size_t i;

    while ((i = atomic_fetch_add_explicit(&next_file, 1,
                                          memory_order_relaxed)) < file_count) {
        const int fd = open(files[i], O_RDONLY | O_CLOEXEC);
        bool inside = false;
        ssize_t n = -1;

        while (fd >= 0 && (n = read(fd, c->bytes, CHUNK_BYTES)) > 0) {
            c->length = (size_t)n;
            c->inside = inside;
            inside = ends_inside(c);
            c = use(c);
        }
        if (n < 0)
            complain(files[i]);
        if (fd >= 0)
            close(fd);
    }
    give(empty, c);
}

static void *
reader(void *unused)
{
    read_files(hand_on);
    return unused;
}

static void *
counter(void *unused)
{
    struct chunk *c;

    while ((c = take(ready)) != NULL) /* NULL: no more will come */
        give(empty, count(c));
    return unused;
}

static void
start(pthread_t *threads, unsigned n, void *(*body)(void *))
{
    for (unsigned i = 0; i < n; i++)
        if ((errno = pthread_create(&threads[i], NULL, body, NULL)) != 0)
            err(EXIT_FAILURE, "cannot start a thread");
}

static void
join(const pthread_t *threads, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

/* Count all files, without other threads if `readers` is 0; return seconds. */
static double
run(unsigned readers, unsigned counters)
{
    pthread_t reading[THREADS_MOST];
    pthread_t counting[THREADS_MOST];
    struct timespec begin;
    struct timespec end;

    weft_counter_reset(words);
    weft_counter_reset(bytes);
    atomic_store_explicit(&next_file, 0, memory_order_relaxed);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (readers == 0) {
        read_files(count);
    } else {
        start(reading, readers, reader);
        start(counting, counters, counter);
        join(reading, readers);
        for (unsigned i = 0; i < counters; i++)
            give(ready, NULL);
        join(counting, counters);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - begin.tv_sec) +
           (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

static double
least(double a, double b)
{
    return a < b ? a : b;
}

/* Both ways in turn, and again: the first run may have waited for the disk. */
static void
compare(unsigned readers, unsigned counters)
{
    double parallel = run(readers, counters);
    is_repeat = true;
    double serial = run(0, 0);
    parallel = least(parallel, run(readers, counters));
    const int64_t total = weft_counter_sum(words);
    serial = least(serial, run(0, 0));
    if (weft_counter_sum(words) != total)
        errx(EXIT_FAILURE, "the two counts differ");

    const double mb = (double)weft_counter_sum(bytes) / 1e6;
    printf("%lld words, %zu files, %.1f MB\n", (long long)total, file_count,
           mb);
    printf("serial    %.3f s, %.0f MB/s\n", serial, mb / serial);
    if (readers > 0)
        printf("parallel  %.3f s, %.0f MB/s, %.2f times as fast, "
               "%u reading, %u counting\n",
               parallel, mb / parallel, serial / parallel, readers, counters);
}

static void
add_file(const char *path)
{
    files = reallocarray(files, file_count + 1, sizeof(files[0]));
    if (files == NULL || (files[file_count++] = strdup(path)) == NULL)
        err(EXIT_FAILURE, NULL);
}

static void
add_tree(char *path)
{
    FTS *tree = fts_open((char *[]){path, NULL},
                         FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    FTSENT *e;

    if (tree == NULL)
        err(EXIT_FAILURE, "%s", path);
    while ((e = fts_read(tree)) != NULL) {
        if (e->fts_info == FTS_F)
            add_file(e->fts_path);
        errno = e->fts_errno;
        if (errno != 0)
            complain(e->fts_path);
    }
    fts_close(tree);
}

static void
add_listed(void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        add_tree(line);
    }
    free(line);
}

static void
prepare(enum weft_impl impl)
{
    struct chunk *chunks = calloc(CHUNKS, sizeof(*chunks));

    if (chunks == NULL || weft_ring_create(&ready, CHUNKS, impl) != WEFT_OK ||
        weft_ring_create(&empty, CHUNKS, impl) != WEFT_OK ||
        weft_counter_create(&words, WEFT_COUNTER_PERCPU) != WEFT_OK ||
        weft_counter_create(&bytes, WEFT_COUNTER_PERCPU) != WEFT_OK)
        errx(EXIT_FAILURE, "out of memory");
    for (size_t i = 0; i < CHUNKS; i++)
        give(empty, &chunks[i]);
    for (int c = 0; c < 256; c++)
        kinds[c] = isspace(c) ? SPACE : isprint(c) ? WORD : NEITHER;
}

static unsigned
number(const char *text)
{
    const int n = atoi(text);

    if (n < 1 || n > THREADS_MOST)
        errx(2, "%s: from 1 to %d threads, please", text, THREADS_MOST);
    return (unsigned)n;
}

static enum weft_impl
ring_named(const char *name)
{
    static const char *const names[] = {"lockfree", "lockless", "mutex"};

    for (int i = WEFT_LOCKFREE; i <= WEFT_MUTEX; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum weft_impl)i;
    errx(2, "%s: lockfree, lockless or mutex, please", name);
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {{"serial", 0, NULL, 's'},
                                            {"readers", 1, NULL, 'r'},
                                            {"counters", 1, NULL, 'c'},
                                            {"ring", 1, NULL, 'i'},
                                            {NULL, 0, NULL, 0}};
    enum weft_impl impl = WEFT_LOCKFREE;
    unsigned counters =
        weft_cpu_count() < THREADS_MOST ? weft_cpu_count() : THREADS_MOST;
    unsigned readers = (counters + 1) / 2;
    bool is_serial = false;
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return 2;
        is_serial |= o == 's';
        readers = o == 'r' ? number(optarg) : readers;
        counters = o == 'c' ? number(optarg) : counters;
        impl = o == 'i' ? ring_named(optarg) : impl;
    }
    if (optind == argc)
        errx(2, "which files?");
    prepare(impl);
    for (char **name = argv + optind; *name != NULL; name++) {
        if (strcmp(*name, "-") == 0)
            add_listed();
        else
            add_tree(*name);
    }
    compare(is_serial ? 0 : readers, counters);
    return atomic_load_explicit(&failed, memory_order_relaxed) ? 1 : 0;
}
