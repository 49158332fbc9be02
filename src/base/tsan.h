/* SPDX-License-Identifier: MIT */
/*
 * base/tsan.h - edges that ThreadSanitizer cannot see by itself, because a
 * library makes them in inline assembly.  Nothing in other builds.
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

#endif /* WEFT_BASE_TSAN_H */
