/* SPDX-License-Identifier: MIT */
/*
 * order_clock.c - threads, and which of their moments must come first.
 *
 * A thread counts its times: whenever others may go on behind what it has done,
 * the time ends and the next begins.  Its clock says how far it has come behind
 * others: (slot, time) for each of them.  So a moment `a` comes before `b` if
 * the clock of `b` has reached the time of `a` in the slot of `a`.
 *
 * Only threads that somebody has waited for are in a clock, so those that are
 * started and never waited for cost the others nothing.
 *
 * A thread that has ended leaves its slot to one that begins behind all moments
 * of it that are kept: whoever is behind the second is behind those, too.  If
 * none is kept, or no longer, it leaves it to any, for nobody will ever ask
 * about its times again.  Times of a slot go on counting, so a clock that has
 * one of the first thread says nothing of the second.  So there are about as
 * many slots as threads at once and threads that moments are kept of, however
 * many there have been.
 *
 * Accordion clocks (Mark Christiaens, Koen De Bosschere, Euro-Par 2001) take a
 * thread out of all clocks when no segment of it is left; here they keep the
 * place, and times that are over cost nothing.
 *
 * Who joins a thread whose slot is another's by then goes behind what is in its
 * clock besides: the time alone no longer says that it is.
 *
 * Clocks are shared by all moments between two waits of a thread, and copied
 * when it goes on behind another.
 */
#include <string.h>

#include "deadlock/order_impl.h"

#define STAMP UINT64_C(0x9e3779b97f4a7c15) /* odd: all stamps are different */
#define ENDED 16384 /* that are kept until somebody joins them */
#define TRIED 32    /* slots with moments, for a thread that begins */

/* --- clocks --------------------------------------------------------------- */

static size_t
clock_bytes(uint32_t room)
{
    return sizeof(struct weft_order_clock) +
           room * sizeof(struct weft_order_time);
}

void
weft_order_drop_clock_(struct weft_order *o, struct weft_order_clock *c)
{
    if (c != NULL && --c->holders == 0)
        weft_order_give_(o, c, clock_bytes(c->room));
}

/* Where a slot is in a clock, or would be. */
static uint32_t
find_slot(const struct weft_order_clock *c, uint32_t slot)
{
    uint32_t low = 0;
    uint32_t high = c != NULL ? c->count : 0;

    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (c->at[middle].slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t
time_of(const struct weft_order_clock *c, uint32_t slot)
{
    const uint32_t i = find_slot(c, slot);

    return c != NULL && i < c->count && c->at[i].slot == slot ? c->at[i].time
                                                              : 0;
}

/* Make `*c` one that its holder may change, with room for `more`. */
static bool
own_clock(struct weft_order *o, struct weft_order_clock **c, uint32_t more)
{
    struct weft_order_clock *old = *c;
    const uint32_t count = old != NULL ? old->count : 0;
    uint32_t room = 3;

    if (old != NULL && old->holders == 1 && count + more <= old->room)
        return true;
    while (room < count + more)
        room = 2 * room + 1;
    struct weft_order_clock *fresh = weft_order_take_(o, clock_bytes(room));
    if (fresh == NULL)
        return false;
    if (old != NULL)
        memcpy(fresh, old, clock_bytes(count));
    fresh->holders = 1;
    fresh->room = room;
    weft_order_drop_clock_(o, old);
    *c = fresh;
    return true;
}

/* The later of both times, in a clock that has room. */
static void
put_time(struct weft_order_clock *c, uint32_t slot, uint64_t time)
{
    const uint32_t i = find_slot(c, slot);

    if (i < c->count && c->at[i].slot == slot) {
        if (c->at[i].time < time)
            c->at[i].time = time;
        return;
    }
    memmove(&c->at[i + 1], &c->at[i], (c->count - i) * sizeof(c->at[0]));
    c->at[i] = (struct weft_order_time){slot, time};
    c->count++;
}

bool
weft_order_merge_(struct weft_order *o, struct weft_order_clock **c,
                  const struct weft_order_moment *m)
{
    const uint32_t more = m->clock != NULL ? m->clock->count : 0;

    if (time_of(*c, m->node->slot) >= m->time)
        return true; /* and whatever that is behind */
    if (!own_clock(o, c, more + 1))
        return false;
    for (uint32_t i = 0; i < more; i++)
        put_time(*c, m->clock->at[i].slot, m->clock->at[i].time);
    put_time(*c, m->node->slot, m->time);
    return true;
}

/* --- moments -------------------------------------------------------------- */

struct weft_order_moment
weft_order_now_(struct weft_order_node *n)
{
    return (struct weft_order_moment){n, n->clock, n->time, n->turn};
}

/* A slot is in use; or free, and then in a list. */
static void
take_slot(struct weft_order_slot *s)
{
    *s->at = s->next;
    if (s->next != NULL)
        s->next->at = s->at;
    s->at = NULL;
}

static void
list_slot(struct weft_order *o, struct weft_order_slot *s)
{
    s->at = s->moments > 0 ? &o->free_slots : &o->clean_slots;
    s->next = *s->at;
    if (s->next != NULL)
        s->next->at = &s->next;
    *s->at = s;
}

void
weft_order_keep_(const struct weft_order_moment *m)
{
    struct weft_order_slot *s = m->node->in;

    s->moments++;
    if (s->kept < m->time)
        s->kept = m->time;
    m->node->holders++;
    if (m->clock != NULL)
        m->clock->holders++;
}

void
weft_order_drop_node_(struct weft_order *o, struct weft_order_node *n)
{
    if (--n->holders > 0)
        return;
    weft_order_drop_clock_(o, n->clock);
    weft_order_give_(o, n, sizeof(*n));
}

void
weft_order_let_go_(struct weft_order *o, struct weft_order_moment *m)
{
    struct weft_order_slot *s = m->node->in;

    if (--s->moments == 0 && s->at != NULL) {
        take_slot(s);
        list_slot(o, s);
    }
    weft_order_drop_clock_(o, m->clock);
    weft_order_drop_node_(o, m->node);
    *m = (struct weft_order_moment){0};
}

bool
weft_order_is_before_(const struct weft_order_moment *a,
                      const struct weft_order_moment *b)
{
    const uint32_t slot = a->node->slot;

    return (slot == b->node->slot ? b->time : time_of(b->clock, slot)) >=
           a->time;
}

uint64_t
weft_order_reached_(const struct weft_order_moment *m,
                    const struct weft_order_node *n)
{
    return time_of(m->clock, n->slot);
}

void
weft_order_begin_time_(struct weft_order_thread *t)
{
    if (!t->node->noted)
        return;
    t->node->noted = false;
    t->stamp += STAMP;
}

void
weft_order_tick_(struct weft_order_thread *t)
{
    t->node->time++;
    weft_order_begin_time_(t);
}

void
weft_order_behind_(struct weft_order_thread *t,
                   const struct weft_order_moment *m)
{
    if (m->node->slot == t->node->slot ||
        time_of(t->node->clock, m->node->slot) >= m->time)
        return;
    weft_order_merge_(t->graph, &t->node->clock, m);
    weft_order_begin_time_(t);
}

void
weft_order_behind_all_(struct weft_order_thread *t,
                       const struct weft_order_clock *c)
{
    bool changed = false;

    for (uint32_t i = 0; c != NULL && i < c->count; i++)
        changed =
            changed || (c->at[i].slot != t->node->slot &&
                        time_of(t->node->clock, c->at[i].slot) < c->at[i].time);
    if (!changed || !own_clock(t->graph, &t->node->clock, c->count))
        return;
    for (uint32_t i = 0; i < c->count; i++)
        put_time(t->node->clock, c->at[i].slot, c->at[i].time);
    weft_order_begin_time_(t);
}

/* --- threads -------------------------------------------------------------- */

static struct weft_order_node **
bucket_of(struct weft_order *o, uint64_t id)
{
    return &o->nodes[weft_order_hash_(id) & o->mask];
}

static struct weft_order_node *
find_node(struct weft_order *o, uint64_t id)
{
    struct weft_order_node *n = *bucket_of(o, id);

    while (n != NULL && n->id != id)
        n = n->next;
    return n;
}

/* Take a thread off the list of those that have ended. */
static void
take_off(struct weft_order *o, struct weft_order_node *n)
{
    if (n->elder == NULL && o->eldest != n)
        return;
    *(n->elder != NULL ? &n->elder->younger : &o->eldest) = n->younger;
    *(n->younger != NULL ? &n->younger->elder : &o->youngest) = n->elder;
    n->elder = NULL;
    n->younger = NULL;
    o->ended--;
}

static void
unlist(struct weft_order *o, struct weft_order_node *n)
{
    struct weft_order_node **at = bucket_of(o, n->id);

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    n->listed = false;
    take_off(o, n);
    weft_order_drop_node_(o, n);
}

/* A thread has ended.  Of those that are never joined only some are kept. */
static void
put_on(struct weft_order *o, struct weft_order_node *n)
{
    if (!n->listed)
        return;
    n->elder = o->youngest;
    *(n->elder != NULL ? &n->elder->younger : &o->eldest) = n;
    o->youngest = n;
    if (++o->ended > ENDED)
        unlist(o, o->eldest);
}

/* A slot of which nothing is kept, or only what `n` is behind. */
static struct weft_order_slot *
find_free_slot(const struct weft_order *o, const struct weft_order_node *n)
{
    struct weft_order_slot *s = o->clean_slots;

    if (s != NULL)
        return s;
    s = o->free_slots;
    for (int i = 0; i < TRIED && s != NULL; i++, s = s->next)
        if (time_of(n->clock, s->last.slot) >= s->kept)
            return s;
    return NULL;
}

/* False: full. */
static bool
choose_slot(struct weft_order *o, struct weft_order_node *n)
{
    struct weft_order_slot *s = find_free_slot(o, n);

    if (s != NULL) {
        take_slot(s);
    } else {
        s = weft_order_take_(o, sizeof(*s));
        if (s == NULL)
            return false;
        s->last.slot = o->slots++;
    }
    n->in = s;
    n->slot = s->last.slot;
    n->time = ++s->last.time;
    n->first = n->time;
    return true;
}

/* `n` will tell nothing more. */
static void
leave_slot(struct weft_order *o, struct weft_order_node *n)
{
    n->over = true;
    n->in->last.time = n->time;
    list_slot(o, n->in);
}

/* A thread that begins behind `parent`, or whenever it likes. */
static struct weft_order_node *
add_node(struct weft_order *o, uint64_t id,
         const struct weft_order_moment *parent)
{
    struct weft_order_node *old = find_node(o, id);
    struct weft_order_node *n = weft_order_take_(o, sizeof(*n));

    if (n == NULL)
        return NULL;
    n->id = id;
    n->holders = 1;
    if ((parent != NULL && !weft_order_merge_(o, &n->clock, parent)) ||
        !choose_slot(o, n)) {
        weft_order_drop_node_(o, n);
        return NULL;
    }
    if (old != NULL)
        unlist(o, old);
    n->listed = true;
    n->next = *bucket_of(o, id);
    *bucket_of(o, id) = n;
    return n;
}

void
weft_order_creates_(struct weft_order_thread *t, uint64_t id)
{
    if (!weft_order_enter_(t))
        return;
    const struct weft_order_moment now = weft_order_now_(t->node);
    add_node(t->graph, id, &now);
    weft_order_tick_(t);
    weft_order_leave_(t);
}

/* Who has ended, and tells something all the same, is another, behind it. */
static struct weft_order_node *
begin_node(struct weft_order *o, uint64_t id)
{
    struct weft_order_node *n = find_node(o, id);

    if (n == NULL)
        return add_node(o, id, NULL);
    if (!n->over)
        return n;
    const struct weft_order_moment last = weft_order_now_(n);
    return add_node(o, id, &last);
}

void
weft_order_begins_(struct weft_order *o, struct weft_order_thread *t,
                   uint64_t id)
{
    if (t->graph != NULL || t->inside || weft_order_is_full_(o))
        return;
    t->inside = true;
    if (!weft_order_lock_(o)) {
        t->inside = false;
        return;
    }
    struct weft_order_node *n = begin_node(o, id);
    if (n != NULL) {
        n->holders++;
        n->begun = true;
        t->node = n;
        t->stamp += STAMP;
    }
    weft_order_unlock_(o);
    if (n != NULL)
        t->graph = o;
    t->inside = false;
}

void
weft_order_name_(struct weft_order_thread *t, const char *name)
{
    if (!weft_order_enter_(t))
        return;
    strncpy(t->node->name, name, sizeof(t->node->name) - 1);
    weft_order_leave_(t);
}

/* Tell whether somebody may join it. */
static void
end_thread(struct weft_order_thread *t, bool is_joinable)
{
    if (!weft_order_enter_(t))
        return;
    weft_order_wait_over_(t);
    weft_order_drop_passed_(t->graph, t->node);
    weft_order_drop_more_(t->graph, t->node);
    leave_slot(t->graph, t->node);
    if (is_joinable)
        put_on(t->graph, t->node);
    else if (t->node->listed)
        unlist(t->graph, t->node);
    weft_order_drop_node_(t->graph, t->node);
    weft_order_leave_(t);
    t->graph = NULL;
    t->node = NULL;
}

void
weft_order_ends_(struct weft_order_thread *t)
{
    end_thread(t, true);
}

void
weft_order_ends_alone_(struct weft_order_thread *t)
{
    end_thread(t, false);
}

void
weft_order_joins_(struct weft_order_thread *t, uint64_t id)
{
    if (!weft_order_enter_(t))
        return;
    struct weft_order *o = t->graph;
    struct weft_order_node *n = find_node(o, id);
    if (n != NULL && n != t->node) {
        const struct weft_order_moment last = weft_order_now_(n);
        weft_order_done_by_(t, NULL, &last);
        weft_order_behind_(t, &last);
        if (n->in->last.time != n->time) /* it is another's */
            weft_order_behind_all_(t, n->clock);
        if (!n->begun)
            leave_slot(o, n);
        unlist(o, n);
    }
    weft_order_wait_over_(t);
    weft_order_leave_(t);
}
