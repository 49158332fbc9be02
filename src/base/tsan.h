/* SPDX-License-Identifier: MIT */
/*
 * base/tsan.h - what ThreadSanitizer cannot see by itself: edges that a library
 * makes in inline assembly, and waits.  Nothing in other builds.
 */
#ifndef WEFT_BASE_TSAN_H
#define WEFT_BASE_TSAN_H

#if defined(__SANITIZE_THREAD__)
#define WEFT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_TSAN 1
#endif
#endif

#ifdef WEFT_TSAN
#include <sanitizer/tsan_interface.h>
#include <signal.h>
#endif

/* What this thread did so far happens-before what follows an acquire of
 * `object` that comes later. */
static inline void
weft_tsan_release_(void *object)
{
#ifdef WEFT_TSAN
    __tsan_release(object);
#else
    (void)object;
#endif
}

static inline void
weft_tsan_acquire_(void *object)
{
#ifdef WEFT_TSAN
    __tsan_acquire(object);
#else
    (void)object;
#endif
}

/*
 * Run the handlers of signals that have come.  ThreadSanitizer holds them back
 * until the thread calls something of the C library that it knows, which a
 * thread that waits for long would not.
 */
static inline void
weft_tsan_take_signals_(void)
{
#ifdef WEFT_TSAN
    sigset_t set;

    sigemptyset(&set);
#endif
}

#endif /* WEFT_BASE_TSAN_H */
