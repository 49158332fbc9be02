/* SPDX-License-Identifier: MIT */
/*
 * base.h - what every other header of Weft needs: linkage, attributes, the
 * word that picks an implementation, and the number of CPUs.
 */
#ifndef WEFT_BASE_H
#define WEFT_BASE_H

#ifdef __cplusplus
#define WEFT_BEGIN_DECLS extern "C" {
#define WEFT_END_DECLS   }
#else
#define WEFT_BEGIN_DECLS
#define WEFT_END_DECLS
#endif

/* An exported function; the compiler hides every other one. */
#define WEFT_API __attribute__((visibility("default")))

/* Ignoring the result loses data, and the compiler says so. */
#define WEFT_MUST_USE __attribute__((warn_unused_result))

/* No complete type of Weft is larger [bytes]. */
#define WEFT_PLAIN_BYTES 128

WEFT_BEGIN_DECLS

/*
 * Which implementation a create call picks.  A concept that has no faster form
 * than its lock-free one takes WEFT_LOCKLESS to mean WEFT_LOCKFREE.
 */
enum weft_impl {
    WEFT_LOCKFREE, /* strict: a thread stopped anywhere stops nobody else */
    WEFT_LOCKLESS, /* no lock, fastest; a thread stopped inside one call can
                      hold up the calls that need its slot */
    WEFT_MUTEX     /* one mutex: the readable specification, the yardstick */
};

/*
 * Return how many CPUs this process may use.
 *
 *   returns    the CPUs of the calling thread's affinity mask, cut down to the
 *              cgroup quota (v2 or v1) rounded up; at least 1
 *   cost       reads a few files under /proc and /sys: not for a hot path
 */
WEFT_API unsigned weft_cpu_count(void);

WEFT_END_DECLS

#endif /* WEFT_BASE_H */
