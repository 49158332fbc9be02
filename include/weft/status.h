/* SPDX-License-Identifier: MIT */
/*
 * status.h - the one type in which every call of Weft says how it went.
 *
 *       enum weft_status s = weft_ring_push(r, item);
 *       if (s != WEFT_OK)
 *           fprintf(stderr, "push: %s\n", weft_status_text(s));
 */
#ifndef WEFT_STATUS_H
#define WEFT_STATUS_H

#include <weft/base.h>

WEFT_BEGIN_DECLS

/*
 * How a call went.  Unless its comment says otherwise, a call that returns
 * anything but WEFT_OK changed nothing and wrote no out-parameter.
 */
enum weft_status {
    WEFT_OK = 0,    /* it happened */
    WEFT_TIMEOUT,   /* the deadline passed first; nothing was changed */
    WEFT_FULL,      /* no room now; the item is still the caller's */
    WEFT_EMPTY,     /* nothing to take now; try again later */
    WEFT_BUSY,      /* somebody else has it, or won a race; try again */
    WEFT_CLOSED,    /* the other side is gone for good; do not retry */
    WEFT_CANCELLED, /* it was called off before it began */
    WEFT_FAILED,    /* the task itself failed; its error says how */
    WEFT_BROKEN,    /* the object was broken off and needs a reset */
    WEFT_DEADLOCK,  /* waiting would never end; back out */
    WEFT_NOT_OWNER, /* only who holds it may do this */
    WEFT_OVERFLOW,  /* a count would pass its maximum */
    WEFT_INVALID,   /* an argument is outside what the call allows */
    WEFT_NO_MEMORY, /* memory ran out; free some and retry */
    WEFT_SYSTEM     /* the system refused; errno says why */
};

/*
 * Return the name of `s` as a program writes it, "WEFT_TIMEOUT".
 *
 *   returns    a constant string; "WEFT_UNKNOWN" for a value out of range
 */
WEFT_API const char *weft_status_name(enum weft_status s);

/*
 * Return what `s` means, for people, "the deadline passed first".
 *
 *   returns    a constant string; "unknown status" for a value out of range
 */
WEFT_API const char *weft_status_text(enum weft_status s);

WEFT_END_DECLS

#endif /* WEFT_STATUS_H */
