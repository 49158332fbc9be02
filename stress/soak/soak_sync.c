/* SPDX-License-Identifier: MIT */
/*
 * soak_sync.c - `weft-stress soak sync`: what locks and wake-ups promise, one
 * primitive after another, each in many threads for a share of the time.
 */
#include "soak/rows.h"

extern const struct soak_subject soak_barrier;
extern const struct soak_subject soak_cond;
extern const struct soak_subject soak_event;
extern const struct soak_subject soak_mutex;
extern const struct soak_subject soak_once;
extern const struct soak_subject soak_rcond;
extern const struct soak_subject soak_rmutex;
extern const struct soak_subject soak_rwlock;
extern const struct soak_subject soak_semaphore;
extern const struct soak_subject soak_thread;
extern const struct soak_subject soak_timer;

const struct soak_subject *const soak_subjects[] = {
    &soak_mutex, &soak_rmutex, &soak_rwlock, &soak_semaphore,
    &soak_event, &soak_cond,   &soak_rcond,  &soak_barrier,
    &soak_once,  &soak_thread, &soak_timer,
};
const size_t soak_subject_count =
    sizeof(soak_subjects) / sizeof(soak_subjects[0]);

static enum outcome
run(const struct options *o, struct report *r)
{
    const struct soak_list list = {
        .name = "sync",
        .column = "primitive",
        .stuck = "has lost a wake-up",
        .subjects = soak_subjects,
        .count = soak_subject_count,
    };

    return soak_rows(&list, o, r);
}

const struct scenario soak_sync = {
    .command = "soak",
    .name = "sync",
    .summary = "locks and wake-ups by many threads: does what they promise "
               "hold?",
    .run = run,
    .extras = soak_extras,
};
