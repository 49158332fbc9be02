/* SPDX-License-Identifier: MIT */
/*
 * dumping.h - dumps as text, and threads worth dumping.
 */
#ifndef TESTS_DUMPING_H
#define TESTS_DUMPING_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <weft/mutex.h>

#include "base/tsan.h"
#include "deadlock/watch.h"

/* ThreadSanitizer keeps signals back from a thread that sleeps. */
#ifdef WEFT_TSAN
#define STACKS_COME false
#else
#define STACKS_COME true
#endif

#define DUMP_ROOM (256 * 1024)

/* The last dump. */
extern char dump_text[DUMP_ROOM];

/* A dump into a file without a name, and from there into `dump_text`. */
void dump(void);

/* What is said of the known threads without stacks, and with '~' in the place
 * of what differs from run to run. */
const char *dump_outline(void);

/* What is said of the thread of that name; cut off from the rest. */
const char *dump_stanza(const char *name);

#define ck_assert_contains(whole, part) \
    ck_assert_msg(strstr(whole, part) != NULL, "no '%s' in:\n%s", part, whole)

pthread_t start_thread(void *(*run)(void *), void *arg);

/* Wait until n threads have said that they wait for `object`; until one has
 * that it waits for something of that kind. */
void await_wait_for(const void *object, unsigned n);
void await_wait_for_kind(enum weft_kind kind);

/* Wait until a thread sleeps in a system call. */
void await_system_call(pid_t id, int number);

/* Threads 2, "left", and 3, "right", wait for each other's mutex; the right one
 * until then. */
extern weft_mutex dump_mutexes[2];
void begin_circle(weft_deadline right_until);
void begin_deadlock(void);

/* A thread "computer" that computes until this is 0. */
extern _Atomic pid_t computer;
pthread_t begin_computing(void);

#endif /* TESTS_DUMPING_H */
