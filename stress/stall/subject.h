/* SPDX-License-Identifier: MIT */
/*
 * subject.h - what is stopped, and what the others do meanwhile.
 *
 * Each trial has a fresh object.  The victim makes one call on it, the others
 * make rounds on it, and when all have come to rest everything is counted.
 */
#ifndef STRESS_STALL_SUBJECT_H
#define STRESS_STALL_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#define SUBJECT_OTHERS_MOST 8

/* What a variant promises about the others of a stopped thread. */
enum promise {
    GOES_ON,     /* they are never held up: one that is, is a failure */
    MAY_BE_HELD, /* they may be: how often is what one wants to know */
    MUST_BE_HELD /* they are: if not, the trial shows nothing */
};

struct variant {
    const char *name;
    int id; /* of the enum that the create call takes */
    enum promise promise;
};

/* Lists end with a name of NULL. */
struct subject {
    const void *context; /* its own affair */
    const struct variant *variants;
    const char *const *operations; /* of the victim */
    const char *const *states;     /* in which the victim begins */
    const char *others;            /* what the other threads do, for people */
    unsigned others_most;          /* 0: SUBJECT_OTHERS_MOST */

    /*
     * An object in state `state`, for the victim to make `operation` on.
     */
    void *(*create)(const struct subject *s, int variant, unsigned operation,
                    unsigned state);

    void (*call)(void *object); /* the victim's */
    void (*undo)(void *object); /* and back again */

    /*
     * The others have work for `share` quarters of a lap; rounds count from
     * here on.  12 is what shows that they go on.
     */
    void (*aim)(void *object, unsigned share);

    /* One round of one of the others: did anything move? */
    bool (*round)(void *object, unsigned who);

    /* Whether what aim() asked for is done. */
    bool (*is_done)(void *object);

    /* Nobody uses it any more.  Free it; NULL or a text: what was wrong. */
    const char *(*finish)(void *object);
};

#endif /* STRESS_STALL_SUBJECT_H */
