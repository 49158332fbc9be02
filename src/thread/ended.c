/* SPDX-License-Identifier: MIT */
/*
 * ended.c - the last few of them, in a ring.
 *
 * A thread leaves the list in the last round of its destructors, and others'
 * destructors may still unlock after that.  So it counts as ended only once the
 * system knows of no such thread.
 */
#include "thread/ended.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/name.h"
#include "base/self.h"
#include "base/symbol.h"
#include "thread/waits.h"

#define ROOM 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weft_ended ring[ROOM];
static unsigned next;

/* In the thread that ends. */
static void
remember(const struct weft_self *s)
{
    const char *name = atomic_load_explicit(&s->name, memory_order_relaxed);

    pthread_mutex_lock(&lock);
    struct weft_ended *e = &ring[next++ % ROOM];
    e->id = s->id;
    e->native_id = atomic_load_explicit(&s->native_id, memory_order_relaxed);
    weft_symbol_copy_(e->name, sizeof(e->name), name != NULL ? name : "");
    e->held_count = weft_waits_copy_held_(e->held, WEFT_ENDED_HELD, s);
    pthread_mutex_unlock(&lock);
}

bool
weft_ended_get_(uint64_t id, struct weft_ended *out)
{
    bool found = false;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < ROOM && !found; i++) {
        found = ring[i].id == id;
        if (found)
            *out = ring[i];
    }
    pthread_mutex_unlock(&lock);
    return found && syscall(SYS_tgkill, getpid(), out->native_id, 0) != 0 &&
           errno == ESRCH;
}

static void
in_child(void)
{
    pthread_mutex_init(&lock, NULL);
    memset(ring, 0, sizeof(ring));
}

static void
begin(void)
{
    (void)pthread_atfork(NULL, NULL, in_child);
    atomic_store_explicit(&weft_self_left_holding_, remember,
                          memory_order_relaxed);
}

void
weft_ended_begin_(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, begin);
}
