/* SPDX-License-Identifier: MIT */
/*
 * base/asan.h - what AddressSanitizer cannot see by itself.  Nothing in other
 * builds.
 */
#ifndef WEFT_BASE_ASAN_H
#define WEFT_BASE_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif

#ifdef WEFT_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* How far that reaches on either side [bytes]. */
#define WEFT_ASAN_REACH_ 16384

/*
 * The calling thread leaves functions without returning from them, as a
 * cancelled one does: their frames, below and above what is in use now, are
 * plain memory again.
 */
static inline void
weft_asan_forget_frames_(void)
{
#ifdef WEFT_ASAN
    const char *here = __builtin_frame_address(0);

    __asan_unpoison_memory_region(here - WEFT_ASAN_REACH_,
                                  2 * WEFT_ASAN_REACH_);
#endif
}

#endif /* WEFT_BASE_ASAN_H */
