/* SPDX-License-Identifier: MIT */
/*
 * deadlock/find.h - which threads wait for each other, for good.
 *
 *   idea       a thread is stuck if it waits without a deadline and everyone
 *              who could wake it is stuck, too, or has ended.  The stuck ones
 *              are the largest set of which that is true; what is found is its
 *              parts, each as the shortest cycle and those behind it
 *   shape      a pure function of a picture of all threads, which the caller
 *              has made; nothing is allocated, the marks of the search lie in
 *              the picture
 *   source     Edgar Knapp, Deadlock Detection in Distributed Databases, ACM
 *              Computing Surveys 1987: waiting for all and for any
 *
 *       struct weft_dl_picture p = {.threads = list, .count = n};
 *       struct weft_dl_found found[8];
 *
 *       size_t k = weft_dl_find_(&p, found, 8);
 *       for (size_t i = 0; i < k; i++)
 *           for (uint32_t t = found[i].first; t != WEFT_DL_NONE;
 *                t = p.threads[t].next)
 *               ... p.threads[t] waits for the next, the last for the first ...
 *
 * A picture is not of one moment.  Take two, and believe what weft_dl_same_
 * finds in both.  See DOUBT below for what else there is to ask.
 */
#ifndef WEFT_DEADLOCK_FIND_H
#define WEFT_DEADLOCK_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadlock/kind.h"

#define WEFT_DL_NONE   UINT32_MAX
#define WEFT_DL_PLACES 4

/* Where a call was: addresses inside calls, the innermost first; 0: no more.
 * The first that lies in code of the user is what a report shows. */
struct weft_dl_place {
    uintptr_t call[WEFT_DL_PLACES];
};

enum weft_dl_state {
    WEFT_DL_RUNS,    /* it does not wait for anything that is known */
    WEFT_DL_TIMED,   /* it waits until a deadline at most */
    WEFT_DL_BLOCKED, /* it waits for good */
    WEFT_DL_ENDED    /* it is no more: it wakes nobody and releases nothing */
};

/* Whom a blocked thread needs. */
enum weft_dl_rule {
    /* Every one of `needs` has to do something, and nobody else can do it for
     * him: the owner of a mutex, each reader where a writer waits, the thread
     * that is joined.  Some of them may be missing from the list, never one too
     * many.  An empty list: it will be woken.  Who has ended releases nothing,
     * but can be joined. */
    WEFT_DL_ALL,
    /* Any one of `needs` is enough, as far as is known (who has posted a
     * semaphore before, the last taker of one that never passed 1).  What is
     * found by this rule is POSSIBLE. */
    WEFT_DL_ONE_OF,
    /* Any thread could do it: it is stuck only if every thread is.  What is
     * found by this rule is POSSIBLE. */
    WEFT_DL_ANYBODY
};

struct weft_dl_wait {
    const void *object;
    enum weft_kind kind;
    enum weft_dl_rule rule;
    bool outside; /* a handler of a signal, another process or a thread that is
                     not listed may wake it: it is never stuck */
    bool idle;    /* nothing is due: it takes part in no deadlock, but is none
                     who would end one, either */
    uint32_t needs_count;
    uint32_t bystanders;   /* the last of them: they could help, but are not to
                            blame, and so in no cycle */
    const uint32_t *needs; /* places in the list of threads; the caller's */
    uint64_t sequence;     /* another number for each wait of a thread */
    struct weft_dl_place place;
};

struct weft_dl_held {
    const void *object;
    enum weft_kind kind;
    struct weft_dl_place place; /* where it was acquired */
};

struct weft_dl_thread {
    uint64_t id; /* never 0, never used again */
    char name[64];
    enum weft_dl_state state;
    bool can_fail; /* its wait could be ended with an error */
    int64_t since; /* when it began to wait, or any number that grows: the
                      greatest is the youngest wait */
    struct weft_dl_wait wait; /* if it is TIMED or BLOCKED */
    uint32_t held_count;
    const struct weft_dl_held *held; /* oldest first; the caller's */

    /* What the search says. */
    uint32_t next; /* in the cycle, or in the chain of those behind */
    bool stuck;
    uint32_t part;  /* which of those found it belongs to; WEFT_DL_NONE */
    uint32_t seen;  /* private */
    uint32_t from;  /* private */
    uint32_t queue; /* private */
};

struct weft_dl_picture {
    struct weft_dl_thread *threads;
    uint32_t count;
};

enum weft_dl_shape {
    WEFT_DL_SELF,     /* one thread waits for what it holds itself */
    WEFT_DL_UPGRADE,  /* readers who want to write, before they let go */
    WEFT_DL_ORPHANED, /* who holds it has ended */
    WEFT_DL_JOINS,    /* threads that join each other */
    WEFT_DL_CYCLE,    /* each waits for the next */
    WEFT_DL_ASLEEP    /* no cycle, but everyone who could wake them sleeps */
};

/* How sure it is that there is a deadlock at all. */
enum weft_dl_level {
    WEFT_DL_HAPPENS,  /* it has happened: `certain`, or possible */
    WEFT_DL_FEASIBLE, /* it could, by all that is known of the orders */
    WEFT_DL_ORDER     /* locks are taken in both orders, but something keeps
                         them apart, which `doubt` names */
};

struct weft_dl_found {
    enum weft_dl_level level;
    enum weft_dl_shape shape;
    bool certain;      /* else POSSIBLE, and `doubt` says why */
    const char *doubt; /* half a sentence; NULL if certain */
    uint32_t count;    /* threads of the cycle */
    uint32_t first;    /* the first of them; then `next` */
    uint32_t behind;   /* the first of those who wait for them; then `next` */
    uint32_t behind_count;
    uint32_t youngest; /* the one of the cycle whose wait is the youngest, of
                           those that can fail if there is one */
    uint32_t ended;    /* ORPHANED: whose it is */
};

/*
 * Find who is stuck, in at most `room` parts, the certain ones first.
 *
 *   p          the marks in it are written
 *   returns    how many were found
 *   cost       with n threads and m needs, n (n + m) steps for each part found;
 *              n + m if none is
 *
 * DOUBT.  ALL needs no more than two pictures with the same sequence numbers:
 * who holds what another wants cannot let go while it waits.  For the other
 * rules a thread may have been woken, and not have run yet: believe it only if
 * the system says that each of them sleeps, and has slept from one picture to
 * the other.
 */
size_t weft_dl_find_(struct weft_dl_picture *p, struct weft_dl_found *out,
                     size_t room);

/*
 * Whether what was found in one picture is in another, too: the same threads in
 * the same waits, in any order.
 */
bool weft_dl_same_(const struct weft_dl_picture *a,
                   const struct weft_dl_found *fa,
                   const struct weft_dl_picture *b,
                   const struct weft_dl_found *fb);

/* Return a number that stands for the threads of the cycle and their waits, to
 * remember what was reported; never 0. */
uint64_t weft_dl_mark_(const struct weft_dl_picture *p,
                       const struct weft_dl_found *f);

/* Return what thread `t` holds of what `waiter` waits for; NULL: nothing. */
const struct weft_dl_held *weft_dl_held_of_(const struct weft_dl_picture *p,
                                            uint32_t t, uint32_t waiter);

#endif /* WEFT_DEADLOCK_FIND_H */
