/* SPDX-License-Identifier: MIT */
/*
 * deadlock_begin.c - how the detector begins, and what it is over a fork.
 *
 * fork().  A handler of somebody else may run in the child before ours, and take
 * locks: then another thread may have had the locks of the detector, which nobody
 * will ever give back.  From our handler before the fork to ours behind it the
 * forking thread therefore knows in which process it was, and in another one it
 * tells nothing (watch_order.c).
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "deadlock/watch_order.h"
#include "thread/deadlock.h"

enum weft_status
weft_deadlock_enable(enum weft_deadlock_policy how)
{
    if ((unsigned)how > WEFT_DEADLOCK_ABORT)
        return WEFT_INVALID;
    weft_deadlock_set_(how);
    return WEFT_OK;
}

static void
before_fork(void)
{
    weft_watch_forks_(true);
}

static void
in_parent(void)
{
    weft_watch_forks_(false);
}

static void
in_child(void)
{
    weft_deadlock_forked_();
    weft_deadlock_names_forked_();
    weft_deadlock_suppress_forked_();
    weft_deadlock_order_forked_();
    weft_watch_forks_(false);
}

/* Whether the environment's text begins with that word. */
static bool
begins(const char *text, const char *word)
{
    const size_t n = strlen(word);

    return strncmp(text, word, n) == 0 && (text[n] == '\0' || text[n] == ':');
}

__attribute__((constructor)) static void
begin(void)
{
    static const char *const words[] = {"off", "report", "fail", "abort"};
    const char *text = getenv("WEFT_DEADLOCK");
    int how = 0;

    (void)pthread_atfork(before_fork, in_parent, in_child);
    if (text == NULL || text[0] == '\0')
        return;
    while (how <= WEFT_DEADLOCK_ABORT && !begins(text, words[how]))
        how++;
    if (how > WEFT_DEADLOCK_ABORT) {
        weft_deadlock_say_word_(text, strcspn(text, ":"));
        return;
    }
    weft_deadlock_words_(text + strlen(words[how]));
    weft_deadlock_set_((enum weft_deadlock_policy)how);
}
