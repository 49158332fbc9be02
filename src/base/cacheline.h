/* SPDX-License-Identifier: MIT */
/*
 * base/cacheline.h - the unit in which CPUs take memory from each other.
 */
#ifndef WEFT_BASE_CACHELINE_H
#define WEFT_BASE_CACHELINE_H

/* x86-64 and nearly all of aarch64 [bytes]. */
#define WEFT_CACHE_LINE 64

/*
 * What two hot words of different threads keep between them [bytes]: the
 * prefetcher of x86-64 fetches lines in pairs.
 */
#define WEFT_CACHE_PAIR (2 * WEFT_CACHE_LINE)

#endif /* WEFT_BASE_CACHELINE_H */
