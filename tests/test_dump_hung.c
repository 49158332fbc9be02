/* SPDX-License-Identifier: MIT */
/* Dumps of processes in which a lock of the system is held for ever.  This
 * program has a malloc of its own, so that a test can hold its lock. */
#include <weft/dump.h>

#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/tsan.h"
#include "testing.h"

#if !defined(WEFT_TSAN) && !defined(__SANITIZE_ADDRESS__)
#define HAS_ITS_MALLOC true

#define UNIT      32
#define HEAP      ((size_t)256 << 20)
#define HEADER(p) (((size_t *)(void *)(p))[-1])

static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static char *heap;
static size_t heap_used;

/* Nothing is ever given back. */
static void *
take(size_t alignment, size_t bytes)
{
    pthread_mutex_lock(&heap_lock);
    if (heap == NULL)
        heap = mmap(NULL, HEAP, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (alignment < UNIT)
        alignment = UNIT;
    size_t at = heap_used + UNIT;
    at = (at + alignment - 1) / alignment * alignment;
    const bool fits = heap != MAP_FAILED && bytes < HEAP && at + bytes <= HEAP;
    if (fits)
        heap_used = at + bytes;
    pthread_mutex_unlock(&heap_lock);
    if (!fits)
        return NULL;
    HEADER(heap + at) = bytes;
    return heap + at;
}

void *
malloc(size_t bytes)
{
    return take(UNIT, bytes);
}

void *
calloc(size_t n, size_t bytes)
{
    return take(UNIT, n * bytes); /* fresh pages are zero */
}

void *
realloc(void *old, size_t bytes)
{
    char *fresh = take(UNIT, bytes);

    if (old != NULL && fresh != NULL)
        memcpy(fresh, old, HEADER(old) < bytes ? HEADER(old) : bytes);
    return fresh;
}

void *
aligned_alloc(size_t alignment, size_t bytes)
{
    return take(alignment, bytes);
}

int
posix_memalign(void **out, size_t alignment, size_t bytes)
{
    *out = take(alignment, bytes);
    return *out == NULL;
}

void
free(void *p)
{
    (void)p;
}
#else
#define HAS_ITS_MALLOC false
static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
#endif

static char text[65536];
static sem_t is_held;
static sem_t never;

__attribute__((noinline)) static void
sleep_for_ever(void)
{
    sem_post(&is_held);
    for (;;)
        sem_wait(&never);
}

static void *
hold_malloc(void *arg)
{
    pthread_mutex_lock(&heap_lock);
    sleep_for_ever();
    return arg;
}

static int
sleep_inside(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)info;
    (void)size;
    (void)data;
    sleep_for_ever();
    return 0;
}

static void *
hold_linker(void *arg)
{
    dl_iterate_phdr(sleep_inside, NULL);
    return arg;
}

static void
let_hold(void *(*hold)(void *))
{
    pthread_t t;

    sem_init(&is_held, 0, 0);
    sem_init(&never, 0, 0);
    if (pthread_create(&t, NULL, hold, NULL) != 0)
        abort();
    while (sem_wait(&is_held) != 0)
        continue;
}

/* Only what needs no malloc, nor the linker, from here on. */
static bool
has(const char *part)
{
    return strstr(text, part) != NULL;
}

static void
dump(int fd)
{
    weft_thread_dump_stacks(fd);
    if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
        abort();
}

START_TEST(test_dump_while_a_thread_sleeps_with_the_lock_of_malloc)
{
    const int fd = memfd_create("dump", MFD_CLOEXEC);

    let_hold(hold_malloc);
    dump(fd);
    const bool good = has(" sleep_for_ever") && has(" hold_malloc");
    _exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
}
END_TEST

START_TEST(test_dump_while_a_thread_sleeps_with_the_lock_of_the_linker)
{
    const int fd = memfd_create("dump", MFD_CLOEXEC);

    let_hold(hold_linker);
    dump(fd);
    const bool good = has(" sleep_for_ever") && has(" sleep_inside");
    _exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
}
END_TEST

START_TEST(test_dump_on_signal_while_a_thread_sleeps_with_the_lock_of_malloc)
{
    const int fd = memfd_create("dump", MFD_CLOEXEC);

    if (weft_thread_dump_on_signal(SIGQUIT, fd) != WEFT_OK)
        abort();
    let_hold(hold_malloc);
    kill(getpid(), SIGQUIT);
    while (!has(" hold_malloc")) {
        sched_yield();
        if (pread(fd, text, sizeof(text) - 1, 0) < 0)
            abort();
    }
    _exit(EXIT_SUCCESS);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_dump_while_a_thread_sleeps_with_the_lock_of_malloc, 1},
        {&test_dump_while_a_thread_sleeps_with_the_lock_of_the_linker, 1},
        {&test_dump_on_signal_while_a_thread_sleeps_with_the_lock_of_malloc, 1},
    };

    if (!HAS_ITS_MALLOC)
        return 77; /* a sanitizer has its own */
    if (in_emulator()) {
        puts("left out: qemu-user 7.2 does not survive the copy of a process "
             "with threads that a dump makes to read symbols");
        return 77;
    }
    return run_tests("dump_hung", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
