/* SPDX-License-Identifier: MIT */
/*
 * find.c - the largest set of stuck threads, and its parts.
 *
 * Stuck.  At first all who wait for good; then, until nothing changes, each who
 * could be woken by one that is not stuck leaves the set.  What remains is
 * closed: no order of events that are yet to come wakes one of them.
 *
 * Parts.  Shortest cycles first, each thread in one of them at most; along
 * needs that are certain, then also along guesses.  Who is in no cycle and
 * waits for one that is, is behind it.  Who still remains waits for anybody.
 */
#include "deadlock/find.h"

#define GUESS  "another thread could do it, though none has done it before"
#define ASLEEP "a signal's handler or another process could still wake them"

static bool
holds(const struct weft_dl_thread *t, const void *object, enum weft_kind kind)
{
    for (uint32_t i = 0; i < t->held_count; i++)
        if (t->held[i].object == object && t->held[i].kind == kind)
            return true;
    return false;
}

/* --- who is stuck --------------------------------------------------------- */

/* Whether thread `n` will do nothing for one who waits for that `kind`. */
static bool
is_no_help(const struct weft_dl_picture *p, uint32_t n, enum weft_kind kind)
{
    const struct weft_dl_thread *t = &p->threads[n];

    if (t->state == WEFT_DL_ENDED)
        return kind != WEFT_KIND_THREAD;
    return t->stuck;
}

/* How many of its needs are no help. */
static uint32_t
count_no_help(const struct weft_dl_picture *p, const struct weft_dl_wait *w)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->needs_count; i++)
        n += is_no_help(p, w->needs[i], w->kind);
    return n;
}

static bool
is_everyone_stuck(const struct weft_dl_picture *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (!p->threads[i].stuck && p->threads[i].state != WEFT_DL_ENDED)
            return false;
    return true;
}

static bool
is_stuck(const struct weft_dl_picture *p, const struct weft_dl_thread *t)
{
    switch (t->wait.rule) {
    case WEFT_DL_ALL:
        return count_no_help(p, &t->wait) > 0;
    case WEFT_DL_ONE_OF:
        return t->wait.needs_count > 0 &&
               count_no_help(p, &t->wait) == t->wait.needs_count;
    case WEFT_DL_ANYBODY:
        break;
    }
    return is_everyone_stuck(p);
}

/* Who waits for anybody is looked at when the others are settled: once one
 * thread is free they all are. */
static bool
settle(struct weft_dl_picture *p, bool anybody)
{
    bool changed = false;

    for (uint32_t i = 0; i < p->count; i++) {
        struct weft_dl_thread *t = &p->threads[i];
        if (!t->stuck || (t->wait.rule == WEFT_DL_ANYBODY) != anybody ||
            is_stuck(p, t))
            continue;
        t->stuck = false;
        changed = true;
    }
    return changed;
}

static bool
mark_stuck(struct weft_dl_picture *p)
{
    bool any = false;

    for (uint32_t i = 0; i < p->count; i++) {
        struct weft_dl_thread *t = &p->threads[i];
        t->stuck = t->state == WEFT_DL_BLOCKED && !t->wait.outside;
        t->part = WEFT_DL_NONE;
        t->next = WEFT_DL_NONE;
        t->seen = WEFT_DL_NONE;
    }
    do
        while (settle(p, false))
            ;
    while (settle(p, true));
    for (uint32_t i = 0; i < p->count; i++)
        any = any || p->threads[i].stuck;
    return any;
}

/* --- cycles --------------------------------------------------------------- */

/* Whether a cycle may go through `t`. */
static bool
is_open(const struct weft_dl_thread *t, bool guess)
{
    return t->stuck && t->part == WEFT_DL_NONE &&
           (t->wait.rule == WEFT_DL_ALL ||
            (guess && t->wait.rule == WEFT_DL_ONE_OF));
}

/*
 * Search, level by level, from `start` along the needs for a way back.  Return
 * how many threads it has, at most `limit`, or 0; `from` of each, and of the
 * start the last one, then lead back.
 */
static uint32_t
way_back(struct weft_dl_picture *p, uint32_t start, bool guess, uint32_t limit)
{
    struct weft_dl_thread *all = p->threads;
    uint32_t head = 0;
    uint32_t level_end = 1;
    uint32_t tail = 1;
    uint32_t length = 1;

    all[0].queue = start; /* place i of the queue lies in thread i */
    while (head < tail && length <= limit) {
        const uint32_t at = all[head++].queue;
        const struct weft_dl_wait *w = &all[at].wait;
        for (uint32_t i = 0; i + w->bystanders < w->needs_count; i++) {
            const uint32_t to = w->needs[i];
            if (to == start) {
                all[start].from = at;
                return length;
            }
            if (all[to].seen == start || !is_open(&all[to], guess))
                continue;
            all[to].seen = start;
            all[to].from = at;
            all[tail++].queue = to;
        }
        if (head == level_end) {
            level_end = tail;
            length++;
        }
    }
    return 0;
}

/* Which thread's way back is the shortest; `*length` 0: there is none. */
static uint32_t
shortest(struct weft_dl_picture *p, bool guess, uint32_t *length)
{
    uint32_t best = 0;

    *length = 0;
    for (uint32_t i = 0; i < p->count; i++)
        p->threads[i].seen = WEFT_DL_NONE;
    for (uint32_t i = 0; i < p->count && *length != 1; i++) {
        if (!is_open(&p->threads[i], guess))
            continue;
        const uint32_t limit = *length > 0 ? *length - 1 : p->count;
        const uint32_t n = way_back(p, i, guess, limit);
        if (n > 0) {
            best = i;
            *length = n;
        }
    }
    if (*length == 0)
        return 0;
    for (uint32_t i = 0; i < p->count; i++)
        p->threads[i].seen = WEFT_DL_NONE;
    *length = way_back(p, best, guess, *length); /* writes `from` again */
    return best;
}

static struct weft_dl_found
found_at(uint32_t first, enum weft_dl_shape shape, const char *doubt)
{
    return (struct weft_dl_found){.shape = shape,
                                  .certain = doubt == NULL,
                                  .doubt = doubt,
                                  .first = first,
                                  .behind = WEFT_DL_NONE,
                                  .youngest = WEFT_DL_NONE,
                                  .ended = WEFT_DL_NONE};
}

/* Make `t` the first of the cycle. */
static void
put_first(struct weft_dl_picture *p, struct weft_dl_found *f, uint32_t t,
          uint32_t part)
{
    p->threads[t].next = f->count > 0 ? f->first : WEFT_DL_NONE;
    p->threads[t].part = part;
    f->first = t;
    f->count++;
}

static bool
is_upgrade(const struct weft_dl_thread *t, const void *object)
{
    return t->wait.object == object && t->wait.kind == WEFT_KIND_WRITE &&
           holds(t, object, WEFT_KIND_READ);
}

/* Others who stand in front of the same lock with the same wish. */
static void
add_upgrades(struct weft_dl_picture *p, struct weft_dl_found *f, uint32_t part)
{
    const void *object = p->threads[f->first].wait.object;

    f->shape = WEFT_DL_UPGRADE;
    for (uint32_t i = p->count; i-- > 0;)
        if (is_open(&p->threads[i], false) &&
            is_upgrade(&p->threads[i], object))
            put_first(p, f, i, part);
}

static struct weft_dl_found
take_cycle(struct weft_dl_picture *p, uint32_t start, uint32_t length,
           uint32_t part)
{
    struct weft_dl_found f = found_at(start, WEFT_DL_CYCLE, NULL);
    bool joins = true;
    uint32_t at = start;

    for (uint32_t i = 0; i < length; i++) { /* from the last to the first */
        at = p->threads[at].from;
        put_first(p, &f, at, part);
        joins = joins && p->threads[at].wait.kind == WEFT_KIND_THREAD;
        if (p->threads[at].wait.rule == WEFT_DL_ONE_OF) {
            f.certain = false;
            f.doubt = GUESS;
        }
    }
    if (joins)
        f.shape = WEFT_DL_JOINS;
    else if (length == 1)
        f.shape = WEFT_DL_SELF;
    if (length == 1 && is_upgrade(&p->threads[at], p->threads[at].wait.object))
        add_upgrades(p, &f, part);
    return f;
}

/* --- the rest ------------------------------------------------------------- */

/* Who of its needs has ended with what it waits for. */
static uint32_t
ended_of(const struct weft_dl_picture *p, const struct weft_dl_thread *t)
{
    for (uint32_t i = 0; i < t->wait.needs_count; i++)
        if (p->threads[t->wait.needs[i]].state == WEFT_DL_ENDED)
            return t->wait.needs[i];
    return WEFT_DL_NONE;
}

/* An open thread that waits for what one who has ended holds. */
static bool
find_orphaned(struct weft_dl_picture *p, struct weft_dl_found *f, uint32_t part)
{
    for (uint32_t i = 0; i < p->count; i++) {
        const struct weft_dl_thread *t = &p->threads[i];
        const uint32_t ended =
            is_open(t, false) ? ended_of(p, t) : WEFT_DL_NONE;
        if (ended == WEFT_DL_NONE)
            continue;
        *f = found_at(i, WEFT_DL_ORPHANED, NULL);
        put_first(p, f, i, part);
        f->ended = ended;
        return true;
    }
    return false;
}

static void
put_behind(struct weft_dl_picture *p, struct weft_dl_found *f, uint32_t t,
           uint32_t part)
{
    p->threads[t].next = f->behind;
    p->threads[t].part = part;
    f->behind = t;
    f->behind_count++;
}

/* Which part thread `t` waits for. */
static uint32_t
part_before(const struct weft_dl_picture *p, const struct weft_dl_found *found,
            size_t n, uint32_t t)
{
    const struct weft_dl_wait *w = &p->threads[t].wait;

    if (w->rule == WEFT_DL_ANYBODY)
        return 0;
    for (uint32_t i = 0; i < w->needs_count; i++) {
        const uint32_t to = w->needs[i];
        if (p->threads[to].part != WEFT_DL_NONE)
            return p->threads[to].part;
        for (size_t k = 0; k < n; k++)
            if (found[k].ended == to &&
                p->threads[found[k].first].wait.object == w->object)
                return (uint32_t)k;
    }
    return WEFT_DL_NONE;
}

/* All who wait for what was found, or for those who do. */
static void
add_behind(struct weft_dl_picture *p, struct weft_dl_found *found, size_t n)
{
    bool changed = n > 0;

    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < p->count; i++) {
            struct weft_dl_thread *t = &p->threads[i];
            if (!t->stuck || t->part != WEFT_DL_NONE || t->wait.idle)
                continue;
            const uint32_t part = part_before(p, found, n, i);
            if (part == WEFT_DL_NONE)
                continue;
            put_behind(p, &found[part], i, part);
            changed = true;
        }
    }
}

/* Those for whom no particular thread is to blame. */
static bool
find_asleep(struct weft_dl_picture *p, struct weft_dl_found *f, uint32_t part)
{
    *f = found_at(WEFT_DL_NONE, WEFT_DL_ASLEEP, ASLEEP);
    for (uint32_t i = p->count; i-- > 0;) {
        const struct weft_dl_thread *t = &p->threads[i];
        if (!t->stuck || t->part != WEFT_DL_NONE ||
            t->wait.rule == WEFT_DL_ALL || t->wait.idle)
            continue;
        put_first(p, f, i, part);
        if (t->wait.rule == WEFT_DL_ONE_OF)
            f->doubt = GUESS;
    }
    return f->count > 0;
}

/* The one who came last, of those who can give up. */
static void
find_youngest(const struct weft_dl_picture *p, struct weft_dl_found *f)
{
    const struct weft_dl_thread *best = NULL;

    for (uint32_t i = f->first; i != WEFT_DL_NONE; i = p->threads[i].next) {
        const struct weft_dl_thread *t = &p->threads[i];
        if (best == NULL || t->can_fail > best->can_fail ||
            (t->can_fail == best->can_fail && t->since > best->since)) {
            best = t;
            f->youngest = i;
        }
    }
}

static size_t
find_cycles(struct weft_dl_picture *p, struct weft_dl_found *out, size_t n,
            size_t room, bool guess)
{
    uint32_t length;

    while (n < room) {
        const uint32_t start = shortest(p, guess, &length);
        if (length == 0)
            break;
        out[n] = take_cycle(p, start, length, (uint32_t)n);
        n++;
    }
    return n;
}

size_t
weft_dl_find_(struct weft_dl_picture *p, struct weft_dl_found *out, size_t room)
{
    size_t n;

    if (!mark_stuck(p))
        return 0;
    n = find_cycles(p, out, 0, room, false);
    while (n < room && find_orphaned(p, &out[n], (uint32_t)n)) {
        n++;
        add_behind(p, out, n); /* one part for each orphan */
    }
    add_behind(p, out, n);
    n = find_cycles(p, out, n, room, true);
    add_behind(p, out, n);
    if (n < room && find_asleep(p, &out[n], (uint32_t)n))
        n++;
    add_behind(p, out, n);
    for (size_t i = 0; i < n; i++)
        find_youngest(p, &out[i]);
    return n;
}

/* --- two pictures --------------------------------------------------------- */

/* Whether `t` is stuck in the same wait in `p`; it is looked for at `at`
 * first. */
static bool
is_still(const struct weft_dl_picture *p, const struct weft_dl_thread *t,
         uint32_t at)
{
    if (at >= p->count || p->threads[at].id != t->id)
        for (at = 0; at < p->count && p->threads[at].id != t->id; at++)
            ;
    return at < p->count && p->threads[at].stuck &&
           p->threads[at].wait.sequence == t->wait.sequence;
}

/* Whether whoever does not help now did not then. */
static bool
is_all_still(const struct weft_dl_picture *a, const struct weft_dl_picture *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (a->threads[i].stuck && !is_still(b, &a->threads[i], i))
            return false;
    return true;
}

bool
weft_dl_same_(const struct weft_dl_picture *a, const struct weft_dl_found *fa,
              const struct weft_dl_picture *b, const struct weft_dl_found *fb)
{
    if (fa->count != fb->count || fa->certain != fb->certain ||
        weft_dl_mark_(a, fa) != weft_dl_mark_(b, fb))
        return false;
    return fa->certain || (is_all_still(a, b) && is_all_still(b, a));
}

/* Stafford's mix of the bits of a number. */
static uint64_t
mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t
weft_dl_mark_(const struct weft_dl_picture *p, const struct weft_dl_found *f)
{
    uint64_t sum = f->shape;

    for (uint32_t i = f->first; i != WEFT_DL_NONE; i = p->threads[i].next)
        sum += mix(mix(p->threads[i].id) + p->threads[i].wait.sequence);
    return sum != 0 ? sum : 1;
}

const struct weft_dl_held *
weft_dl_held_of_(const struct weft_dl_picture *p, uint32_t t, uint32_t waiter)
{
    const struct weft_dl_thread *owner = &p->threads[t];
    const void *object = p->threads[waiter].wait.object;

    for (uint32_t i = owner->held_count; i-- > 0;)
        if (owner->held[i].object == object)
            return &owner->held[i];
    return NULL;
}
