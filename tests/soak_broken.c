/* SPDX-License-Identifier: MIT */
/*
 * soak_broken.c - the list of what is broken.
 */
#include "soak_broken.h"

extern const struct soak_subject soak_barrier;
extern const struct soak_subject soak_cond;
extern const struct soak_subject soak_event;
extern const struct soak_subject soak_mutex;
extern const struct soak_subject soak_once;
extern const struct soak_subject soak_rmutex;
extern const struct soak_subject soak_rwlock;
extern const struct soak_subject soak_semaphore;
extern const struct soak_subject soak_thread;
extern const struct soak_subject soak_timer;

const struct broken broken[] = {
    {&soak_mutex, &mutex_lets_in, "locks nothing", "came in while", 0},
    {&soak_mutex, &mutex_lets_in_seldom, "lets one in 500 in", "came in while",
     0},
    {&soak_mutex, &mutex_unlocks_for_all, "lets anybody unlock",
     "unlock of what it does not hold returned WEFT_OK", 0},
    {&soak_mutex, &mutex_times_out_early, "times out too early",
     "before its deadline", 0},
    {&soak_mutex, &mutex_locks_its_own, "lets its owner lock it again",
     "one's own returned WEFT_OK|while", 0},
    {&soak_mutex, &mutex_forgets_one, "forgets one that waits",
     "has made no turn", 0},
    {&soak_mutex, &mutex_never_free, "says it is locked when it is not",
     "all have unlocked it", 0.2},
    {&soak_rmutex, &rmutex_wrong_depth, "miscounts its depth", "times, it says",
     0},
    {&soak_rmutex, &rmutex_unlocks_at_once, "is free after one unlock",
     "inside|no owner|NOT_OWNER", 0},
    {&soak_rwlock, &rwlock_lets_reader_in, "lets a reader in",
     "reads while|while others read|half written|of a reader", 0},
    {&soak_rwlock, &rwlock_lets_writer_in, "lets a writer in",
     "while|two threads write|half written|read_lock of a writer", 0},
    {&soak_rwlock, &rwlock_upgrades, "lets a reader write",
     "write_lock of a reader returned WEFT_OK", 0},
    {&soak_rwlock, &rwlock_unlocks_for_all, "lets anybody unlock",
     "read_unlock of what it does not hold returned WEFT_OK", 0},
    {&soak_rwlock, &rwlock_times_out_early, "times out too early",
     "before its deadline", 0},
    {&soak_cond, &cond_tells_more, "tells one more", "was not told", 0},
    {&soak_cond, &cond_tells_less, "tells one less", "told|no turn", 0},
    {&soak_cond, &cond_tells_one, "tells one instead of all", "told|no turn",
     0},
    {&soak_cond, &cond_without_reason, "returns without a reason",
     "was not told", 0},
    {&soak_cond, &cond_denies, "calls it a timeout", "timed out", 0},
    {&soak_cond, &cond_loses_lock, "does not take the lock again",
     "without the lock", 0},
    {&soak_semaphore, &semaphore_one_more, "gives back one too many",
     "unit|OVERFLOW", 0},
    {&soak_semaphore, &semaphore_one_less, "loses a unit", "it has", 0.2},
    {&soak_semaphore, &semaphore_no_bound, "has no maximum",
     "more than there are|are out", 0},
    {&soak_semaphore, &semaphore_eaten, "loses the unit of the cancelled",
     "no turn", 0},
    {&soak_event, &event_never_waits, "makes nobody wait", "nobody", 0},
    {&soak_event, &event_misses_a_pulse, "wakes nobody if cleared at once",
     "has made no turn", 0},
    {&soak_event, &event_stays_set, "cannot be cleared", "cleared, it", 0},
    {&soak_once, &once_twice, "succeeds twice", "have done it|two threads", 0},
    {&soak_once, &once_at_once, "lets all in",
     "two threads were in|have done it", 0},
    {&soak_once, &once_forgets, "takes a failure for done",
     "have done it|two threads", 0},
    {&soak_barrier, &barrier_lets_through, "lets one through",
     "had come|action ran", 0},
    {&soak_barrier, &barrier_same_place, "gives a place twice",
     "two have the place", 0},
    {&soak_barrier, &barrier_acts_twice, "acts twice", "the action ran", 0},
    {&soak_barrier, &barrier_hides_timeout, "calls a timeout a passage",
     "passed a last round", 0},
    {&soak_barrier, &barrier_stays_broken, "is not mended by a reset",
     "reset, it is broken|no turn", 0},
    {&soak_thread, &thread_same_id, "gives an id twice", "came after id", 0},
    {&soak_thread, &thread_loses_result, "loses what was returned",
     "another thread's result", 0},
    {&soak_thread, &thread_times_out_early, "does not wait", "deadline", 0},
    {&soak_thread, &thread_joins_once, "cannot be joined twice", "join", 0},
    {&soak_timer, &timer_early, "runs early", "before its time", 0},
    {&soak_timer, &timer_twice, "runs twice", "ran twice", 0},
    {&soak_timer, &timer_runs_cancelled, "runs what is cancelled", "cancelled",
     0},
};
const size_t broken_count = sizeof(broken) / sizeof(broken[0]);
