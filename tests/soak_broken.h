/* SPDX-License-Identifier: MIT */
/*
 * soak_broken.h - primitives that are broken on purpose, each in one way, and
 * what the soak is to say of it.
 */
#ifndef TESTS_SOAK_BROKEN_H
#define TESTS_SOAK_BROKEN_H

#include "soak/sync.h"
#include "soak/sync_ops.h"

struct broken {
    const struct soak_subject *like;
    const void *ops;
    const char *what;  /* what it does wrong */
    const char *found; /* a part of the fault; "or|else" */
    double seconds;    /* 0: until it is found */
};

extern const struct broken broken[];
extern const size_t broken_count;

/* Run it for a moment; the test fails if it does. */
void soak_must_pass(const struct soak_subject *s);

/*
 * Run it until it is found.  Every run finds something; by chance it may be
 * what else is wrong with it than what it is there for.  Ends the process.
 */
void soak_must_find(const struct broken *b);

/*
 * End this test's process, passed.  Threads and memory that a broken primitive
 * has cost are left behind, and whatever races it let happen: a sanitizer is
 * not to hear of them.
 */
void soak_leave(void);

/* soak_broken_pools.c: copies of the right one, but for one call; make them
 * first. */
void make_broken_pools(void);

/* By file. */
extern const struct soak_mutex_ops mutex_lets_in;
extern const struct soak_mutex_ops mutex_lets_in_seldom;
extern const struct soak_mutex_ops mutex_unlocks_for_all;
extern const struct soak_mutex_ops mutex_times_out_early;
extern const struct soak_mutex_ops mutex_locks_its_own;
extern const struct soak_mutex_ops mutex_forgets_one;
extern const struct soak_mutex_ops mutex_never_free;
extern const struct soak_mutex_ops rmutex_wrong_depth;
extern const struct soak_mutex_ops rmutex_unlocks_at_once;
extern const struct soak_rwlock_ops rwlock_lets_reader_in;
extern const struct soak_rwlock_ops rwlock_lets_writer_in;
extern const struct soak_rwlock_ops rwlock_upgrades;
extern const struct soak_rwlock_ops rwlock_unlocks_for_all;
extern const struct soak_rwlock_ops rwlock_times_out_early;
extern const struct soak_cond_ops cond_tells_more;
extern const struct soak_cond_ops cond_tells_less;
extern const struct soak_cond_ops cond_tells_one;
extern const struct soak_cond_ops cond_without_reason;
extern const struct soak_cond_ops cond_denies;
extern const struct soak_cond_ops cond_loses_lock;
extern const struct soak_semaphore_ops semaphore_one_more;
extern const struct soak_semaphore_ops semaphore_one_less;
extern const struct soak_semaphore_ops semaphore_no_bound;
extern const struct soak_semaphore_ops semaphore_eaten;
extern const struct soak_event_ops event_never_waits;
extern const struct soak_event_ops event_misses_a_pulse;
extern const struct soak_event_ops event_stays_set;
extern const struct soak_once_ops once_twice;
extern const struct soak_once_ops once_at_once;
extern const struct soak_once_ops once_forgets;
extern const struct soak_barrier_ops barrier_lets_through;
extern const struct soak_barrier_ops barrier_same_place;
extern const struct soak_barrier_ops barrier_acts_twice;
extern const struct soak_barrier_ops barrier_hides_timeout;
extern const struct soak_barrier_ops barrier_stays_broken;
extern const struct soak_thread_ops thread_same_id;
extern const struct soak_thread_ops thread_loses_result;
extern const struct soak_thread_ops thread_times_out_early;
extern const struct soak_thread_ops thread_joins_once;
extern const struct soak_timer_ops timer_early;
extern const struct soak_timer_ops timer_twice;
extern const struct soak_timer_ops timer_runs_cancelled;

#endif /* TESTS_SOAK_BROKEN_H */
