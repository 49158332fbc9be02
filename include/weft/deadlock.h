/* SPDX-License-Identifier: MIT */
/*
 * deadlock.h - finds threads that wait for each other, while they do, and those
 * that could.
 *
 *   idea       a thread that has been blocked for some 20 ms looks at whom it
 *              waits for, and whom they wait for.  Threads that nobody can wake
 *              any more are reported on stderr: each with its name, what it
 *              holds and where it took it, what it waits for and where, and one
 *              sentence on what to change
 *   sibling    dump.h: all threads, when you ask
 *
 *       $ WEFT_DEADLOCK=report ./program
 *
 *       int main(void)
 *       {
 *           weft_deadlock_enable(WEFT_DEADLOCK_FAIL);
 *           ...
 *           if (weft_mutex_lock(&b) == WEFT_DEADLOCK) {
 *               weft_mutex_unlock(&a);          back out, and try again
 *
 * In the environment, WEFT_DEADLOCK=report, fail or abort enables it before
 * main.  After it, `:json=FILE` and `:graph=FILE` have each report written there,
 * too, for programs and for Graphviz; `:suppress=FILE` leaves out those of which
 * FILE names a function, file or module (weft-deadlock(1) says how); `:order` and
 * `:memory=BYTES` are for what could happen.
 *
 * What is found.  Locks, joins and once know who has to act: mutexes, recursive
 * ones, read-write locks, threads, a function that runs once, in any mixture;
 * also a lock whose owner has ended.  That is certain.  For a semaphore, event,
 * condition, barrier, queue or future, anybody could act: it is reported, as
 * possible, once every thread of the process sleeps without a deadline, and no
 * handler of a signal could wake one.  Who waits with a deadline waits for
 * nobody.
 *
 * What could happen.  While it is on, a run that goes well is looked at, too:
 * threads that take locks in orders that close a circle are reported as soon as
 * the last of these orders is seen, once for the same places.  Nothing fails and
 * nothing is aborted for that.  It is not reported if something keeps the threads
 * apart: one lock that all of them hold, a start or a join, a barrier, a once, a
 * semaphore that began at 0, a condition, an event, a queue, a future, a timer.
 * With `:order` it is reported then, too, with what keeps them apart.  A try and
 * a call with a deadline take locks that others may wait for, and wait for none.
 * A semaphore that begins at 1 is a lock as long as only those give it back who
 * have taken it.
 * What is noted for that takes 64 MiB at most, or `:memory=BYTES` (with k, m or
 * g): what could happen is not looked for any more once they are full, which is
 * said.
 *
 * A lock is its address, until it is initialised again, or weft_deadlock_name
 * takes its name away: memory that serves another lock without either makes one
 * of two.  A thread that Weft has not started takes part from its first call on:
 * after all that was seen before, and before all that is seen after its end.
 */
#ifndef WEFT_DEADLOCK_H
#define WEFT_DEADLOCK_H

#include <stddef.h>

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

enum weft_deadlock_policy {
    WEFT_DEADLOCK_OFF,
    WEFT_DEADLOCK_REPORT, /* say it; the threads stay as they are */
    WEFT_DEADLOCK_FAIL,   /* say it, once for each pair of places, and let one
                             call return WEFT_DEADLOCK: of those that can (a
                             lock, once, join) the one that began to wait last.
                             Not where it is only possible */
    WEFT_DEADLOCK_ABORT   /* say it, and abort() if it is certain */
};

/*
 * Begin to look for deadlocks, or end it.
 *
 *   returns    WEFT_OK; WEFT_INVALID, it is no policy
 *   threads    any
 *   cost       while it is on, each lock and unlock notes what it does:
 *              doc/design/deadlock.md.  No thread is started
 *   caveat     locks that are held already are not known to be, nor waits that
 *              have begun looked after: enable it first of all.  While it is
 *              on, threads that are woken from a long wait no longer come in
 *              the order of their calls
 */
WEFT_API enum weft_status
weft_deadlock_enable(enum weft_deadlock_policy policy);

/*
 * Call an object `name` in reports.
 *
 *   name       copied, cut at 47 bytes; NULL: it has none any more, which an
 *              object should have before its memory serves another; what was
 *              noted of its order is forgotten, too
 *   caveat     there is room for 1000 names; later ones are forgotten
 */
WEFT_API void weft_deadlock_name(const void *object, const char *name);

/*
 * Give a lock a rank: who holds it may only wait for locks of a higher one.
 * While the detector is on, a call that does otherwise is reported at once,
 * once for each place, whether or not anybody waits for anybody; it goes on.
 *
 *   lock       a mutex, recursive mutex or read-write lock
 *   rank       any number; the same as another's: the two are never held
 *              together
 *   returns    WEFT_OK; WEFT_NO_MEMORY, there is room for 1000
 *   threads    any; a later call for the same lock gives it another
 *   caveat     a call that does not wait (trylock, WEFT_NOW) is not looked at.
 *              There is no way to take a rank back: a lock at the same address
 *              has it, too
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_deadlock_rank(const void *lock,
                                                           int rank);

/*
 * Return how many deadlocks were found so far, the possible ones and broken
 * ranks included; not those that could happen.
 */
WEFT_API size_t weft_deadlock_count(void);

/*
 * Return how many deadlocks were found so far that did not happen when they were
 * found, but could; with `:order`, also those that something keeps apart.
 */
WEFT_API size_t weft_deadlock_predicted(void);

WEFT_END_DECLS

#endif /* WEFT_DEADLOCK_H */
