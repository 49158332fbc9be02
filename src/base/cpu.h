/* SPDX-License-Identifier: MIT */
/*
 * base/cpu.h - counting CPUs, for the library's own use and for its tests.
 */
#ifndef WEFT_BASE_CPU_H
#define WEFT_BASE_CPU_H

#include <sys/types.h>

/*
 * Return how many CPUs `thread` may use, as weft_cpu_count does.
 *
 *   thread     0: the calling one; getpid(): the main one, whose affinity is
 *              the process's unless it has pinned itself
 *   root       stands before "/proc" and before every mount point; "" is this
 *              machine
 */
unsigned weft_cpu_count_of_(pid_t thread, const char *root);

/*
 * Return how many CPUs the cgroups of this process grant, rounded up.
 *
 *   returns    at least 1; UINT_MAX where no limit is set or none can be read
 */
unsigned weft_cpu_quota_(const char *root);

#endif /* WEFT_BASE_CPU_H */
