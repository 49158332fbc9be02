/* SPDX-License-Identifier: MIT */
/*
 * local.h - a value of its own for each thread, made when the thread first asks.
 *
 *   shape      a small object for the local, and in each thread that uses one a
 *              growing array of 16 bytes for each local; any number of locals
 *   source     the model of Python's threading.local; C11's tss_t, without its
 *              limit of 1024
 *
 *       static void *new_buffer(void *ctx) { return malloc(*(size_t *)ctx); }
 *
 *       weft_local *buffers;
 *       static size_t bytes = 4096;
 *       if (weft_local_create(&buffers, new_buffer, free, &bytes) != WEFT_OK)
 *           return;
 *       char *mine = weft_local_get(buffers);
 */
#ifndef WEFT_LOCAL_H
#define WEFT_LOCAL_H

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_local weft_local;

/*
 * Create a local and store it in `*out`.
 *
 *   init       called with `ctx` by a thread's first weft_local_get, and what it
 *              returns is the thread's value; NULL: the value is NULL until set
 *   destroy    called with each value that is not NULL, when its thread ends or
 *              the local is destroyed; may be NULL
 *   returns    WEFT_OK; else WEFT_INVALID (`out` is NULL) or WEFT_NO_MEMORY
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_local_create(weft_local **out, void *(*init)(void *ctx),
                  void (*destroy)(void *value), void *ctx);

/*
 * Return the calling thread's value.
 *
 *   returns    NULL also if there is no memory to keep a value in; `init` is
 *              then not called, or within `init` itself
 *   progress   wait-free, but for a thread's first call
 *   cost       two thread-local reads and a comparison; a thread's first call
 *              of all, and now and then one with a new local, allocates
 */
WEFT_API void *weft_local_get(weft_local *l);

/*
 * Make `value` the calling thread's.  The one that was there is the caller's:
 * it is not destroyed.
 *
 *   returns    WEFT_OK; WEFT_NO_MEMORY only if the thread had no value before
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_local_set(weft_local *l,
                                                       void *value);

/*
 * Destroy the local, and with `destroy` the values that all threads have in it,
 * in the calling thread; NULL is fine.
 *
 *   requires   no other call with it is running or follows, and no thread uses
 *              its value any more
 *   caveat     a thread that is ending meanwhile may be destroying its value
 *              still when this returns; each value is destroyed once
 */
WEFT_API void weft_local_destroy(weft_local *l);

WEFT_END_DECLS

#endif /* WEFT_LOCAL_H */
