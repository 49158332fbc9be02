/* SPDX-License-Identifier: MIT */
/*
 * pool/future_group.h - several futures, each once.
 */
#ifndef WEFT_POOL_FUTURE_GROUP_H
#define WEFT_POOL_FUTURE_GROUP_H

#include <stddef.h>

#include "pool/future_impl.h"

/* One of them. */
struct weft_member_ {
    struct weft_watcher_ watcher; /* the first: notify is called with it */
    weft_future *future;
    void *group;
    struct weft_member_ *next;
    size_t index; /* where it was first */
};

/*
 * Fill `members`, room for `n`, with the different ones of `futures`, in the
 * order in which they were there first.
 *
 *   returns    how many there are; SIZE_MAX: there is a NULL among them
 */
size_t weft_members_fill_(struct weft_member_ *members,
                          weft_future *const *futures, size_t n);

#endif /* WEFT_POOL_FUTURE_GROUP_H */
