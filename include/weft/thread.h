/* SPDX-License-Identifier: MIT */
/*
 * thread.h - threads: started, joined with a deadline, named, listed.
 *
 *   shape      a handle and a record, one allocation of about 1 KiB; the thread
 *              itself is one of pthreads
 *   source     the model of Python's threading.Thread
 *
 *       static void *
 *       greet(void *name)
 *       {
 *           printf("hello, %s\n", (char *)name);
 *           return NULL;
 *       }
 *
 *       weft_thread *t;
 *       if (weft_thread_start(&t, greet, "world", NULL) == WEFT_OK) {
 *           if (weft_thread_join(t, WEFT_FOREVER, NULL) == WEFT_FAILED)
 *               puts(weft_thread_error(t)->message);
 *           weft_thread_release(t);
 *       }
 *
 * Handles.  A handle is counted: weft_thread_start gives one, _retain another,
 * and each is given back by _release.  A thread whose handles are all given
 * back runs on and cleans up after itself.  weft_thread_current, weft_thread_main
 * and weft_thread_enumerate lend handles, which need not be given back.
 *
 * Threads that Weft did not start have handles too: main, and every foreign
 * thread from its first call of Weft that has to know it.
 */
#ifndef WEFT_THREAD_H
#define WEFT_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/fail.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_thread weft_thread;

/* Whether the process waits for the thread when it ends. */
enum weft_daemon {
    WEFT_DAEMON_INHERIT, /* as the thread that starts it; main does not count
                            as a daemon, nor does a foreign thread */
    WEFT_DAEMON_YES,     /* it is abandoned when the process ends */
    WEFT_DAEMON_NO       /* exit() and the return of main wait for it */
};

/* Zero bytes mean the defaults. */
typedef struct weft_thread_options {
    const char *name; /* copied; NULL: "Thread-N", N being its id */
    enum weft_daemon daemon;
    size_t stack_bytes; /* 0: the system's default */
    bool pin;           /* to `cpu` */
    unsigned cpu;
} weft_thread_options;

/*
 * Start a thread that calls `fn(arg)`, and store its handle in `*out`.
 *
 *   options    NULL for all defaults
 *   returns    WEFT_OK, and the thread has its ids; WEFT_INVALID (`out` or `fn`
 *              is NULL, `daemon` is not one of the enum, a stack too small, a
 *              CPU that this process may not use), WEFT_NO_MEMORY, WEFT_SYSTEM
 *              (no thread is to be had, errno says why): nothing was started
 *   blocking   as pthread_create; does not wait for the thread to run
 *   ordering   everything before the start happens-before the call of `fn`
 *   cost       pthread_create and one allocation
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_thread_start(weft_thread **out, weft_fn *fn, void *arg,
                  const weft_thread_options *options);

/*
 * Wait until the thread has ended, and take what `fn` returned.
 *
 *   result     may be NULL; written only on WEFT_OK
 *   returns    WEFT_OK; WEFT_FAILED, and weft_thread_error says how;
 *              WEFT_TIMEOUT, it can be joined again; WEFT_DEADLOCK, the caller
 *              is that thread, or waiting would close a cycle of joins that
 *              never ends, or, if the detector is on and its policy is to fail,
 *              any other cycle; WEFT_INVALID, a thread that Weft did not start;
 *              WEFT_CLOSED, in a forked child, a thread of the parent that had
 *              not been joined
 *   blocking   sleeps until the thread has ended; a cancellation point, after
 *              which the thread can still be joined
 *   ordering   everything the thread did, and the destructors of its
 *              thread-specific data, happen-before WEFT_OK and WEFT_FAILED
 *   threads    any number at the same time and again afterwards: all get the
 *              same answer
 *   cost       WEFT_FOREVER: pthread_join; with a deadline one more wake-up
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_thread_join(weft_thread *t, weft_deadline deadline, void **result);

/*
 * Return how a thread has failed.
 *
 *   returns    NULL while it has not; valid as long as the handle is
 *   blocking   for a few instructions, on a lock
 */
WEFT_API const weft_error *weft_thread_error(weft_thread *t);

/* Take one more handle of the same thread, and return it. */
WEFT_API weft_thread *weft_thread_retain(weft_thread *t);

/*
 * Give a handle back; NULL is fine.
 *
 *   blocking   for a few instructions, on a lock; the failure hook is called if
 *              this was the last handle of a thread that failed unasked
 */
WEFT_API void weft_thread_release(weft_thread *t);

/*
 * Return the calling thread's handle, lent until the thread ends.
 *
 *   returns    NULL only if there was no memory for it, or in the last round of
 *              destructors of the thread's thread-specific data
 *   cost       a foreign thread's first call allocates; later ones one
 *              thread-local read
 */
WEFT_API weft_thread *weft_thread_current(void);

/* Return the main thread's handle, lent for ever.  In a forked child the main
 * thread is the one that called fork. */
WEFT_API weft_thread *weft_thread_main(void);

/*
 * Return its name, of any length.
 *
 *   returns    the string stays valid and unchanged as long as the handle, also
 *              when the thread is renamed; "MainThread" or "Foreign-N" for a
 *              thread that Weft did not start and nobody named
 */
WEFT_API const char *weft_thread_name(const weft_thread *t);

/*
 * Rename it; NULL for the name it had without one.  The system is told the
 * first 15 bytes, without the part of a UTF-8 character.
 *
 *   blocking   one system call for the calling thread, three for another; an
 *              end of a thread may wait meanwhile
 *   caveat     without memory the name stays as it is.  Each different name of
 *              a thread takes memory until its handles are gone
 */
WEFT_API void weft_thread_set_name(weft_thread *t, const char *name);

/* Return its id: 1 for main, then 2, 3, ...; never used again. */
WEFT_API uint64_t weft_thread_id(const weft_thread *t);

/* Return the system's id of it (gettid); it may be another's once the thread
 * has ended. */
WEFT_API int64_t weft_thread_native_id(const weft_thread *t);

/* Whether it has not ended; true from the start on. */
WEFT_API bool weft_thread_is_alive(const weft_thread *t);

/* Whether the process ends without it. */
WEFT_API bool weft_thread_is_daemon(const weft_thread *t);

/* Return how many threads weft_thread_enumerate would visit now. */
WEFT_API size_t weft_thread_count(void);

/*
 * Call `visit(t, ctx)` for every thread that is alive at one moment of this
 * call, in the order of their ids: main, started by Weft, and foreign.
 *
 *   visit      may call Weft, this function too; `t` is lent for the call, and
 *              weft_thread_retain keeps it.  The thread may have ended meanwhile
 *   progress   never blocks a thread that starts or ends
 *   cost       allocates for more than 64 threads; if that fails they are
 *              visited as they are met, which is then not one moment
 */
WEFT_API void weft_thread_enumerate(void (*visit)(weft_thread *t, void *ctx),
                                    void *ctx);

/* Told of a failure that nobody asked for. */
typedef void weft_failure_hook(weft_thread *t, const weft_error *error,
                               void *ctx);

/*
 * Let `hook` be called for every thread that ended through weft_fail and whose
 * error nobody took: when the thread ends if it has no handle, else when the
 * last one is given back, or when the process exits.
 *
 *   hook       NULL: one line on standard error.  It runs in the thread that
 *              ended, released or exits; `t` and `error` are lent for the call
 *   caveat     a call of the old hook may still be running
 */
WEFT_API void weft_thread_set_failure_hook(weft_failure_hook *hook, void *ctx);

WEFT_END_DECLS

#endif /* WEFT_THREAD_H */
