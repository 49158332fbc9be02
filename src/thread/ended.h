/* SPDX-License-Identifier: MIT */
/*
 * thread/ended.h - threads that ended while they held something; while somebody
 * watches.
 */
#ifndef WEFT_THREAD_ENDED_H
#define WEFT_THREAD_ENDED_H

#include <stdbool.h>
#include <stdint.h>

#include "deadlock/find.h"

#define WEFT_ENDED_HELD 8 /* locks remembered of each */

struct weft_ended {
    uint64_t id; /* 0: none */
    int64_t native_id;
    char name[64];
    uint32_t held_count;
    struct weft_dl_held held[WEFT_ENDED_HELD];
};

/* Begin to remember. */
void weft_ended_begin_(void);

/* Copy what is known of the thread with that id, if it is not there any more to
 * the system, either. */
bool weft_ended_get_(uint64_t id, struct weft_ended *out);

#endif /* WEFT_THREAD_ENDED_H */
