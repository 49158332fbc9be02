/* SPDX-License-Identifier: MIT */
/*
 * dump.h - what every thread of the process does: for a program that hangs.
 *
 *       weft_thread_dump_on_signal(SIGQUIT, STDERR_FILENO);   // in main
 *
 * and later, at the terminal where it hangs, Ctrl-\, or from another one
 * `kill -QUIT <process>`.
 *
 * First comes who waits for whom, and whether they wait in a circle; then each
 * thread: its name and ids, whether it runs, sleeps in the kernel or waits for
 * an object of Weft and until when, whose that object is, what it holds, and
 * its stack with functions and, where elfutils' libdw is installed, files and
 * lines.  Threads that never called Weft are there, too.
 */
#ifndef WEFT_DUMP_H
#define WEFT_DUMP_H

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/*
 * Write about all threads to `fd`.
 *
 *   fd         of an open file; one that takes no more ends the dump early, one
 *              that is closed makes it do nothing
 *   blocking   until each thread has answered a signal, at most a quarter of a
 *              second each and two seconds for all that do not; up to four
 *              seconds for the names of functions; and on `fd`.  Needs no lock
 *              of Weft's locks and none of malloc, whoever holds them
 *   threads    any; one dump at a time, others wait
 *   caveat     each thread is interrupted by a signal, so a system call that
 *              no flag starts again (poll, nanosleep, ...) ends there with
 *              EINTR.  Not async-signal-safe: see weft_thread_dump_on_signal
 */
WEFT_API void weft_thread_dump_stacks(int fd);

/*
 * Write about all threads to `fd` whenever the process gets `signal_number`.
 *
 *   signal_number  one that can be handled and that is not the sign of a
 *              broken program (SIGSEGV, SIGBUS, SIGFPE, SIGILL)
 *   fd         of a file open for writing, to be kept open; as it is, the dump
 *              goes to what it is open for then
 *   returns    WEFT_OK; else, and nothing is changed, WEFT_INVALID, or
 *              WEFT_SYSTEM (no thread can be started; errno says why)
 *   threads    any; a later call for the same signal replaces the file
 *   cost       a thread that sleeps; and from now on every lock is noted by
 *              its owner (as with WEFT_WATCH=1 in the environment from the
 *              start), so that the dump can list what was taken since:
 *              doc/design/dump.md has what that costs
 *   caveat     a forked child has no such handler: there the signal means what
 *              it meant before
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_thread_dump_on_signal(int signal_number, int fd);

WEFT_END_DECLS

#endif /* WEFT_DUMP_H */
