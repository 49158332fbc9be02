/* SPDX-License-Identifier: MIT */
/*
 * guard.h - hold a lock for a block, and release it on every way out of it.
 *
 *   shape      macros, for weft_mutex and weft_rmutex, in C and in C++
 *
 *       WEFT_WITH(&m) {
 *           if (list == NULL)
 *               return false;            // unlocks
 *           take(list);
 *       }                                // unlocks
 *
 *       static void
 *       add(int n)
 *       {
 *           WEFT_GUARD(&m);              // until the block it stands in ends
 *           total += n;
 *       }
 *
 * return, goto, break and continue release, and so does a C++ exception.  In C
 * a thread that is cancelled or calls pthread_exit inside releases only where
 * the file was compiled with -fexceptions; longjmp never releases.
 *
 * Both stop the process if the lock cannot be had, which is so where
 * weft_mutex_lock would return WEFT_DEADLOCK: the block counts on the lock and
 * must not run without it, and a statement has no result to look at.
 */
#ifndef WEFT_GUARD_H
#define WEFT_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

struct weft_mutex;
struct weft_rmutex;
WEFT_API enum weft_status weft_mutex_lock(struct weft_mutex *m);
WEFT_API enum weft_status weft_mutex_unlock(struct weft_mutex *m);
WEFT_API enum weft_status weft_rmutex_lock(struct weft_rmutex *m);
WEFT_API enum weft_status weft_rmutex_unlock(struct weft_rmutex *m);
WEFT_API __attribute__((noreturn, cold)) void
weft_guard_failed_(const void *lock, enum weft_status why);

/* Private: what it holds, one of the two; and whether its block has run. */
struct weft_guard_ {
    struct weft_mutex *mutex;
    struct weft_rmutex *rmutex;
    bool ran;
#ifdef __cplusplus
    explicit inline weft_guard_(struct weft_mutex *m);
    explicit inline weft_guard_(struct weft_rmutex *m);
    inline ~weft_guard_();

  private:
    weft_guard_(const weft_guard_ &);
    weft_guard_ &operator=(const weft_guard_ &);
#endif
};

static inline void
weft_guard_lock_(struct weft_guard_ *g)
{
    const enum weft_status s = g->mutex != NULL ? weft_mutex_lock(g->mutex)
                                                : weft_rmutex_lock(g->rmutex);

    if (__builtin_expect(s != WEFT_OK, 0))
        weft_guard_failed_(g->mutex != NULL ? (const void *)g->mutex
                                            : (const void *)g->rmutex,
                           s);
}

static inline void
weft_guard_unlock_(struct weft_guard_ *g)
{
    if (g->mutex != NULL)
        weft_mutex_unlock(g->mutex);
    else
        weft_rmutex_unlock(g->rmutex);
}

#ifndef __cplusplus
static inline struct weft_guard_
weft_guard_mutex_(struct weft_mutex *m)
{
    struct weft_guard_ g = {m, NULL, false};

    weft_guard_lock_(&g);
    return g;
}

static inline struct weft_guard_
weft_guard_rmutex_(struct weft_rmutex *m)
{
    struct weft_guard_ g = {NULL, m, false};

    weft_guard_lock_(&g);
    return g;
}
#endif

WEFT_END_DECLS

#ifdef __cplusplus
weft_guard_::weft_guard_(struct weft_mutex *m) : mutex(m), rmutex(), ran(false)
{
    weft_guard_lock_(this);
}

weft_guard_::weft_guard_(struct weft_rmutex *m) : mutex(), rmutex(m), ran(false)
{
    weft_guard_lock_(this);
}

weft_guard_::~weft_guard_()
{
    weft_guard_unlock_(this);
}

#define WEFT_GUARD_(lock, name) weft_guard_ name(lock)
#else
#define WEFT_GUARD_(lock, name)                            \
    __attribute__((cleanup(weft_guard_unlock_),            \
                   unused)) struct weft_guard_ name =      \
        _Generic((lock), struct weft_mutex *               \
                 : weft_guard_mutex_, struct weft_rmutex * \
                 : weft_guard_rmutex_)(lock)
#endif

#define WEFT_WITH_(lock, name) \
    for (WEFT_GUARD_(lock, name); !name.ran; name.ran = true)

/* A name of its own for each, so that they nest. */
#define WEFT_GUARD_PASTE_(a, b) a##b
#define WEFT_GUARD_NAME_(n)     WEFT_GUARD_PASTE_(weft_guard_, n)

/*
 * Hold `lock` until the block ends in which this stands.
 *
 *   lock       a weft_mutex * or a weft_rmutex *, evaluated once
 *   cost       that of lock and unlock
 */
#define WEFT_GUARD(lock) WEFT_GUARD_(lock, WEFT_GUARD_NAME_(__COUNTER__))

/*
 * Hold `lock` for the statement or block that follows.
 *
 *   others     as WEFT_GUARD
 *   caveat     it is a loop to the compiler: break and continue leave its
 *              block, not a loop around it
 */
#define WEFT_WITH(lock) WEFT_WITH_(lock, WEFT_GUARD_NAME_(__COUNTER__))

#endif /* WEFT_GUARD_H */
