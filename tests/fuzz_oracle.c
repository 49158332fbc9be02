/* SPDX-License-Identifier: MIT */
/*
 * fuzz_oracle.c - all states of a program.
 *
 * A thread is at a step, and may be within it: it has come to the barrier, it
 * waits for the condition, or it has been told.  That and which tries got their
 * lock is all there is to a state; the rest follows, and is kept to be quick.
 */
#include "fuzz_oracle.h"

#include <string.h>

#define BITS  18 /* of a number of a slot */
#define SLOTS (1u << BITS)
#define MOST  (SLOTS / 2)

enum within { BEFORE, INSIDE, TOLD };

struct state {
    unsigned char at[THREADS];
    unsigned char within[THREADS];
    unsigned char got[THREADS]; /* by tries: bits */
    unsigned char started;      /* bits */
    unsigned char owner[LOCKS]; /* its number and 1; 0: nobody */
    unsigned char depth[LOCKS];
    unsigned char readers[LOCKS]; /* bits */
    unsigned char value[SEMAPHORES];
    unsigned char came[THREADS]; /* to the barrier, how often */
    bool flag;
};

struct visit {
    const struct program *p;
    struct verdict *v;
    uint32_t *seed; /* of a run, or NULL */
    bool to_the_end;
    struct run *r;
};

static uint64_t seen[SLOTS];
static uint32_t seen_count;

/* --- what can be done ----------------------------------------------------- */

static bool
has_ended(const struct program *p, const struct state *s, int t)
{
    return s->at[t] == p->length[t];
}

static bool
is_free(const struct program *p, const struct state *s, int l, int t)
{
    return s->readers[l] == 0 &&
           (s->owner[l] == 0 ||
            (p->kind[l] == RECURSIVE && s->owner[l] == t + 1));
}

/* Whether somebody was told who has yet to take the guard. */
static bool
is_reserved(const struct visit *x, const struct state *s, int l, int t)
{
    for (int o = 0; o < x->p->threads && x->r != NULL; o++)
        if (l == x->p->guard && o != t && s->within[o] == TOLD)
            return true;
    return false;
}

static bool
is_complete(const struct program *p, const struct state *s, int t)
{
    int others = 0;

    for (int o = 0; o < p->threads; o++)
        others += s->came[o] >= s->came[t];
    return others >= p->parties;
}

static bool
waits_already(const struct visit *x, const struct state *s)
{
    for (int o = 0; o < x->p->threads && x->r != NULL; o++)
        if (x->p->step[o][s->at[o]].what == WAIT && s->within[o] != BEFORE)
            return true;
    return false;
}

/* Whether a thread can do its next step; as if it got what it tries to get. */
static bool
can_go(const struct visit *x, const struct state *s, int t)
{
    const struct program *p = x->p;
    if ((s->started >> t & 1) == 0 || has_ended(p, s, t))
        return false;
    const struct step n = p->step[t][s->at[t]];

    switch (n.what) {
    case LOCK:
    case TRY:
    case TIMED:
        return is_free(p, s, n.which, t) && !is_reserved(x, s, n.which, t);
    case READ:
        return s->owner[n.which] == 0;
    case JOIN:
        return has_ended(p, s, n.which);
    case ARRIVE:
        return s->within[t] == BEFORE || is_complete(p, s, t);
    case TAKE:
    case TRYTAKE:
        return s->value[n.which] > 0;
    case WAIT:
        return s->within[t] == TOLD     ? is_free(p, s, p->guard, t)
               : s->within[t] == INSIDE ? false
                                        : s->flag || !waits_already(x, s);
    default:
        return true;
    }
}

/* Whether it can go on without. */
static bool
can_fail(const struct visit *x, const struct state *s, int t)
{
    if ((s->started >> t & 1) == 0 || has_ended(x->p, s, t))
        return false;
    const struct step n = x->p->step[t][s->at[t]];

    if (n.what == TRYTAKE)
        return s->value[n.which] == 0;
    return (n.what == TRY || n.what == TIMED) && !is_free(x->p, s, n.which, t);
}

static void
tell(const struct program *p, struct state *s, bool all, int first)
{
    for (int i = 0; i < p->threads; i++) {
        const int t = (first + i) % p->threads;
        if (s->within[t] == INSIDE && p->step[t][s->at[t]].what == WAIT) {
            s->within[t] = TOLD;
            if (!all)
                return;
        }
    }
}

static void
unlock(struct state *s, int l)
{
    if (s->depth[l] > 0 && --s->depth[l] == 0)
        s->owner[l] = 0;
}

static void
lock(struct state *s, int l, int t)
{
    s->owner[l] = (unsigned char)(t + 1);
    s->depth[l]++;
}

/* What the thread is within after it; BEFORE: the step is done. */
static enum within
wait_step(const struct program *p, struct state *s, int t)
{
    if (s->within[t] == TOLD)
        lock(s, p->guard, t);
    if (s->flag)
        return BEFORE;
    unlock(s, p->guard);
    return INSIDE;
}

/* Do the thread's step, which it can do; a signal goes to `first` or one behind. */
static void
do_step(const struct program *p, struct state *s, int t, bool failed, int first)
{
    const struct step n = p->step[t][s->at[t]];
    enum within within = BEFORE;

    switch ((enum what)n.what) {
    case TRY:
    case TIMED:
        if (!failed)
            s->got[t] |= (unsigned char)(1u << n.which);
        if (failed)
            break; /* fall through */
    case LOCK:
        lock(s, n.which, t);
        break;
    case UNTRY:
        if ((s->got[t] >> n.which & 1) == 0)
            break;
        s->got[t] &= (unsigned char)~(1u << n.which); /* fall through */
    case UNLOCK:
        unlock(s, n.which);
        break;
    case READ:
        s->readers[n.which] |= (unsigned char)(1u << t);
        break;
    case UNREAD:
        s->readers[n.which] &= (unsigned char)~(1u << t);
        break;
    case START:
        s->started |= (unsigned char)(1u << n.which);
        break;
    case ARRIVE:
        if (s->within[t] == BEFORE) {
            s->came[t]++;
            within = INSIDE;
        }
        break;
    case POST:
        s->value[n.which]++;
        break;
    case TAKE:
    case TRYTAKE:
        s->value[n.which] -= !failed;
        break;
    case WAIT:
        within = wait_step(p, s, t);
        break;
    case SET:
        s->flag = true;
        break;
    case BROADCAST:
    case SIGNAL:
        tell(p, s, n.what == BROADCAST, first);
        break;
    default:
        break;
    }
    s->within[t] = (unsigned char)within;
    if (within == BEFORE)
        s->at[t]++;
}

/* --- who waits for whom --------------------------------------------------- */

/* How many steps of that kind a thread has before it. */
static int
count_left(const struct program *p, const struct state *s, int t, int what,
           int which)
{
    int n = 0;

    for (int i = s->at[t]; i < p->length[t]; i++)
        n += p->step[t][i].what == what && p->step[t][i].which == which;
    return n;
}

static bool
needs_lock(const struct state *s, int l, int o, bool reads)
{
    return s->owner[l] == o + 1 || (!reads && (s->readers[l] >> o & 1) != 0);
}

static bool
waits_for_lock(const struct program *p, const struct state *s, int t)
{
    const int what = p->step[t][s->at[t]].what;

    return (s->started >> t & 1) != 0 && !has_ended(p, s, t) &&
           (what == LOCK || what == READ ||
            (what == WAIT && s->within[t] == TOLD));
}

/* Whether thread `t`, which cannot go on, waits for `o` to do something. */
static bool
needs(const struct program *p, const struct state *s, int t, int o)
{
    const struct step n = p->step[t][s->at[t]];

    if (t == o || has_ended(p, s, t) || (s->started >> t & 1) == 0)
        return false;
    if (waits_for_lock(p, s, t))
        return needs_lock(s, n.what == WAIT ? p->guard : n.which, o,
                          n.what == READ);
    if (n.what == JOIN)
        return o == n.which;
    if (n.what == ARRIVE)
        return s->came[o] < s->came[t] && count_left(p, s, o, ARRIVE, 0) > 0;
    if (n.what == TAKE)
        return count_left(p, s, o, POST, n.which) > 0;
    return n.what == WAIT && (count_left(p, s, o, BROADCAST, 0) > 0 ||
                              count_left(p, s, o, SIGNAL, 0) > 0);
}

/* Mark the cycles of locks from `t` back to `first`. */
static void
mark_cycles(const struct visit *x, const struct state *s, int t, int first,
            unsigned in)
{
    if (!waits_for_lock(x->p, s, t))
        return;
    for (int o = 0; o < x->p->threads; o++) {
        if (!needs(x->p, s, t, o))
            continue;
        if (o == first)
            x->v->cycle[in] = true;
        else if ((in >> o & 1) == 0)
            mark_cycles(x, s, o, first, in | 1u << o);
    }
}

/* Whether `o` is the only one who could let `t` go on. */
static bool
needs_only(const struct visit *x, const struct state *s, int t, int o)
{
    for (int i = 0; i < x->p->threads; i++)
        if (i != t && needs(x->p, s, t, i) != (i == o))
            return false;
    return true;
}

static void
mark_stuck(const struct visit *x, const struct state *s)
{
    unsigned stuck = 0;

    for (int t = 0; t < x->p->threads; t++) {
        if ((s->started >> t & 1) == 0 || has_ended(x->p, s, t))
            continue;
        stuck |= 1u << t;
        mark_cycles(x, s, t, t, 1u << t);
        for (int o = 0; o < x->p->threads; o++)
            if (waits_for_lock(x->p, s, o) && needs(x->p, s, o, t) &&
                needs_only(x, s, t, o))
                x->v->pair[1u << t | 1u << o] = true;
    }
    x->v->stuck[stuck] = true;
}

/* --- all states ----------------------------------------------------------- */

static bool
is_new(const struct state *s)
{
    uint64_t key = 1;

    for (int t = 0; t < THREADS; t++)
        key = key << 11 | (uint64_t)s->at[t] << 6 |
              (uint64_t)s->within[t] << 4 | s->got[t];
    uint32_t i =
        (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - BITS));
    while (seen[i] != 0 && seen[i] != key)
        i = (i + 1) % SLOTS;
    if (seen[i] == key)
        return false;
    seen[i] = key;
    seen_count++;
    return true;
}

static bool visit(const struct visit *x, const struct state *s);

static bool
visit_after(const struct visit *x, const struct state *s, int t, bool failed,
            int first)
{
    struct state next = *s;

    if (x->r != NULL)
        x->r->event[x->r->events++] = (struct event){(unsigned char)t, failed};
    do_step(x->p, &next, t, failed, first);
    if (visit(x, &next))
        return true;
    if (x->r != NULL)
        x->r->events--;
    return false;
}

static bool
visit_thread(const struct visit *x, const struct state *s, int t)
{
    const bool chooses = (s->started >> t & 1) != 0 && !has_ended(x->p, s, t) &&
                         x->p->step[t][s->at[t]].what == SIGNAL;

    if (can_fail(x, s, t) && visit_after(x, s, t, true, 0))
        return true;
    if (!can_go(x, s, t))
        return false;
    for (int first = 0; first < (chooses ? x->p->threads : 1); first++)
        if (visit_after(x, s, t, false, first))
            return true;
    return false;
}

/* Whether nobody can go on, whatever restrains the runs. */
static bool
is_over(const struct visit *x, const struct state *s, bool *ended)
{
    const struct visit free = {.p = x->p};
    bool over = true;

    *ended = true;
    for (int t = 0; t < x->p->threads; t++) {
        over = over && !can_go(&free, s, t) && !can_fail(&free, s, t);
        *ended = *ended && has_ended(x->p, s, t);
    }
    return over;
}

/* Whether this is, or leads to, the end of the run that is looked for. */
static bool
visit(const struct visit *x, const struct state *s)
{
    bool ended;

    if (seen_count >= MOST || (x->r != NULL && x->r->events == LONGEST)) {
        x->v->too_large = true;
        return false;
    }
    if (!is_new(s))
        return false;
    if (is_over(x, s, &ended)) {
        if (!ended && (x->r == NULL || !x->to_the_end))
            mark_stuck(x, s);
        return x->r != NULL && ended == x->to_the_end;
    }
    const int from = x->r != NULL ? (int)draw(x->seed, THREADS) : 0;
    for (int i = 0; i < THREADS; i++)
        if ((from + i) % THREADS < x->p->threads &&
            visit_thread(x, s, (from + i) % THREADS))
            return true;
    return false;
}

static bool
visit_all(const struct visit *x)
{
    const struct state s = {.started = 1};

    memset(seen, 0, sizeof(seen));
    seen_count = 0;
    return visit(x, &s);
}

struct verdict
judge_program(const struct program *p)
{
    struct verdict v = {0};
    const struct visit x = {.p = p, .v = &v};

    visit_all(&x);
    return v;
}

bool
can_be_stuck(const struct verdict *v, unsigned threads)
{
    for (unsigned i = 0; i < 1u << THREADS; i++)
        if (v->stuck[i] && (i & threads) == threads)
            return true;
    return false;
}

bool
draw_run(const struct program *p, uint32_t *seed, bool to_the_end,
         struct run *r, struct verdict *v)
{
    const struct visit x = {p, v, seed, to_the_end, r};

    memset(v, 0, sizeof(*v));
    r->events = 0;
    return visit_all(&x);
}
