/* SPDX-License-Identifier: MIT */
/*
 * fuzz_program.c - draws programs, shows them, and makes them smaller.
 */
#include "fuzz_program.h"

#include <stdio.h>
#include <string.h>

uint32_t
draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % below;
}

/* --- a thread ------------------------------------------------------------- */

struct body {
    struct program *p;
    uint32_t *seed;
    int thread;
    int room;  /* steps that may come */
    int pairs; /* numbers that were used */
    bool clean;
    uint32_t locks; /* that are drawn from */
    bool gated;     /* nothing is locked but behind lock 0 */
    int wishes;
    struct step wish[STEPS];
    int held;
    struct step by[LOCKS * 2]; /* how what is held was taken, in order */
};

static bool
holds(const struct body *b, int l)
{
    for (int i = 0; i < b->held; i++)
        if (b->by[i].which == l)
            return true;
    return false;
}

static void
add(struct body *b, enum what what, int which, int pair)
{
    struct program *p = b->p;

    p->step[b->thread][p->length[b->thread]++] = (struct step){
        (unsigned char)what, (unsigned char)which, (unsigned char)pair};
}

static void
add_unlock(struct body *b, int i)
{
    const struct step s = b->by[i];

    add(b,
        s.what == LOCK   ? UNLOCK
        : s.what == READ ? UNREAD
                         : UNTRY,
        s.which, s.pair);
    b->held--;
    memmove(&b->by[i], &b->by[i + 1], (size_t)(b->held - i) * sizeof(s));
}

static void
add_lock(struct body *b, enum what what, int l)
{
    add(b, what, l, ++b->pairs);
    b->by[b->held++] = b->p->step[b->thread][b->p->length[b->thread] - 1];
}

static void
unlock_all(struct body *b)
{
    while (b->held > 0)
        add_unlock(b, b->held - 1);
}

static enum what
draw_way(struct body *b, int l)
{
    const uint32_t d = draw(b->seed, 100);

    if (b->p->kind[l] == RWLOCK && d < 45)
        return READ;
    if (d < 90)
        return LOCK;
    return d < 96 || b->p->kind[l] == SPIN ? TRY : TIMED;
}

/* Lock something, or unlock it if it is held. */
static void
add_some(struct body *b)
{
    const int l = b->gated && b->held == 0 ? 0 : (int)draw(b->seed, b->locks);

    if (holds(b, l) && (b->p->kind[l] != RECURSIVE || b->held == LOCKS * 2 ||
                        draw(b->seed, 2) == 0))
        add_unlock(b, draw(b->seed, 3) != 0
                          ? b->held - 1
                          : (int)draw(b->seed, (uint32_t)b->held));
    else
        add_lock(b, holds(b, l) ? LOCK : draw_way(b, l), l);
}

/* --- what orders threads -------------------------------------------------- */

static bool
lets_go_on(enum what what)
{
    return what == START || what == ARRIVE || what == POST || what == SET;
}

/* Wait for the condition, or tell it, under its mutex. */
static void
add_condition(struct body *b, enum what what)
{
    const int m = b->p->guard;
    const bool held = holds(b, m);
    const bool late = what == SET && draw(b->seed, 3) == 0;
    const enum what tell = draw(b->seed, 3) == 0 ? SIGNAL : BROADCAST;
    int pair = b->pairs + 1;

    if (!held)
        add_lock(b, LOCK, m);
    else
        b->pairs++;
    add(b, what, 0, pair);
    if (what == SET && !late)
        add(b, tell, 0, pair);
    if (!held || late)
        for (int i = 0; i < b->held; i++)
            if (b->by[i].which == m)
                add_unlock(b, i);
    if (late)
        add(b, tell, 0, pair);
}

static void
add_wish(struct body *b, struct step s)
{
    if (b->clean && lets_go_on(s.what))
        unlock_all(b);
    /* The mutex of a condition must be one that is really held. */
    for (int i = 0; s.what >= WAIT && i < b->held; i++)
        if (b->by[i].which == b->p->guard && b->by[i].what != LOCK)
            add_unlock(b, i--);
    if (s.what >= WAIT)
        add_condition(b, s.what);
    else
        add(b, s.what, s.which, ++b->pairs);
}

static void
write_body(struct body *b, int locks)
{
    int done = 0;

    while (locks > 0 || done < b->wishes) {
        const int left = b->wishes - done;
        if (b->p->length[b->thread] + b->held + 5 * left + 3 >= b->room)
            locks = 0;
        if (left > 0 && (int)draw(b->seed, (uint32_t)(locks + left)) < left) {
            add_wish(b, b->wish[done++]);
        } else if (locks > 0) {
            add_some(b);
            locks--;
        }
    }
    unlock_all(b);
}

/* Put a wish at a place drawn by lot, behind the first `from`. */
static int
wish(struct body *b, int from, enum what what, int which)
{
    const int at = from + (int)draw(b->seed, (uint32_t)(b->wishes - from + 1));

    memmove(&b->wish[at + 1], &b->wish[at],
            (size_t)(b->wishes - at) * sizeof(b->wish[0]));
    b->wish[at] = (struct step){(unsigned char)what, (unsigned char)which, 0};
    b->wishes++;
    return at;
}

/* --- a program ------------------------------------------------------------ */

static void
wish_starts(struct program *p, struct body *b)
{
    for (int t = 1; t < p->threads; t++) {
        struct body *by = &b[draw(b->seed, (uint32_t)t)];
        const int at = wish(by, 0, START, t);
        if (draw(b->seed, 2) == 0)
            wish(by, at + 1, JOIN, t);
    }
}

static void
wish_semaphores(struct program *p, struct body *b)
{
    for (int s = 0; s < SEMAPHORES; s++) {
        if (draw(b->seed, 2) != 0)
            continue;
        for (uint32_t n = 1 + draw(b->seed, 4) / 3; n > 0; n--) {
            const uint32_t from = draw(b->seed, (uint32_t)p->threads);
            const uint32_t to = draw(b->seed, (uint32_t)p->threads);
            wish(&b[from], 0, POST, s);
            wish(&b[to], 0, draw(b->seed, 8) == 0 ? TRYTAKE : TAKE, s);
        }
    }
}

static void
wish_others(struct program *p, struct body *b)
{
    const uint32_t n = (uint32_t)p->threads;

    if (draw(b->seed, 3) == 0) {
        const uint32_t first = draw(b->seed, n);
        const uint32_t rounds = 1 + draw(b->seed, 3) / 2;
        p->parties = (unsigned char)(2 + draw(b->seed, n - 1));
        for (uint32_t i = 0; i < p->parties; i++)
            for (uint32_t r = 0; r < rounds; r++)
                wish(&b[(first + i) % n], 0, ARRIVE, 0);
    }
    if (draw(b->seed, 3) == 0) {
        const uint32_t setter = draw(b->seed, n);
        p->kind[p->guard] = MUTEX;
        wish(&b[setter], 0, SET, 0);
        for (uint32_t i = 1; i < n && i <= 1 + draw(b->seed, 2); i++)
            wish(&b[(setter + i) % n], 0, WAIT, 0);
    }
}

static unsigned char
draw_kind(uint32_t *seed)
{
    static const unsigned char from[20] = {RECURSIVE, RECURSIVE, RWLOCK,
                                           RWLOCK,    RWLOCK,    SPIN,
                                           SPIN,      SEMAPHORE, SEMAPHORE};

    return from[draw(seed, 20)];
}

struct program
draw_program(uint32_t *seed, bool clean)
{
    struct program p = {.threads = 2 + (int)draw(seed, 3)};
    struct body b[THREADS] = {0};

    const uint32_t locks = 2 + draw(seed, LOCKS - 1);
    const bool gated = locks > 2 && draw(seed, 3) == 0;

    for (int l = 0; l < LOCKS; l++)
        p.kind[l] = draw_kind(seed);
    p.guard = (unsigned char)draw(seed, LOCKS);
    for (int t = 0; t < p.threads; t++) {
        b[t].p = &p;
        b[t].seed = seed;
        b[t].thread = t;
        b[t].clean = clean;
        b[t].locks = locks;
        b[t].gated = gated;
        b[t].room = p.threads < 3 ? STEPS : ALL_STEPS / p.threads;
    }
    wish_others(&p, b);
    wish_semaphores(&p, b);
    wish_starts(&p, b);
    for (int t = 0; t < p.threads; t++)
        write_body(&b[t], 2 + (int)draw(seed, p.threads < 4 ? 7 : 5));
    return p;
}

bool
drop_pair(struct program *p, int thread, int pair)
{
    int kept = 0;

    for (int i = 0; i < p->length[thread]; i++)
        if (p->step[thread][i].pair != pair)
            p->step[thread][kept++] = p->step[thread][i];
    const bool any = kept < p->length[thread];
    p->length[thread] = kept;
    return any;
}

/* --- for people ----------------------------------------------------------- */

void
show_program(const struct program *p)
{
    static const char *const names[WHATS] = {
        "lock",    "unlock", "read", "unread",    "try",   "timed",
        "untry",   "start",  "join", "arrive",    "post",  "take",
        "trytake", "wait",   "set",  "broadcast", "signal"};
    static const char *const kinds[KINDS] = {"mutex", "recursive", "rwlock",
                                             "spin", "semaphore"};

    printf("#  locks:");
    for (int l = 0; l < LOCKS; l++)
        printf(" %d %s", l, kinds[p->kind[l]]);
    printf("; parties %d, guard %d\n", p->parties, p->guard);
    for (int t = 0; t < p->threads; t++) {
        printf("#  %d:", t);
        for (int i = 0; i < p->length[t]; i++)
            printf(" %s %d;", names[p->step[t][i].what], p->step[t][i].which);
        printf("\n");
    }
    fflush(stdout);
}

const char *const feature_names[FEATURES] = {
    "all",        "recursive", "rwlock",  "spin",      "semaphore as lock",
    "try, timed", "join",      "barrier", "semaphore", "condition"};

static bool
has_kind(const struct program *p, struct step s, enum kind kind)
{
    return (s.what <= UNREAD || s.what == TRY || s.what == TIMED) &&
           p->kind[s.which] == kind;
}

static bool
step_has(const struct program *p, struct step s, enum feature f)
{
    switch (f) {
    case F_RECURSIVE:
        return has_kind(p, s, RECURSIVE);
    case F_RWLOCK:
        return has_kind(p, s, RWLOCK);
    case F_SPIN:
        return has_kind(p, s, SPIN);
    case F_SEM_LOCK:
        return has_kind(p, s, SEMAPHORE);
    case F_TRY:
        return s.what == TRY || s.what == TIMED || s.what == TRYTAKE;
    case F_JOIN:
        return s.what == JOIN;
    case F_BARRIER:
        return s.what == ARRIVE;
    case F_SEMAPHORE:
        return s.what == TAKE || s.what == TRYTAKE;
    case F_CONDITION:
        return s.what == WAIT;
    default:
        return true;
    }
}

bool
has_feature(const struct program *p, enum feature f)
{
    for (int t = 0; t < p->threads; t++)
        for (int i = 0; i < p->length[t]; i++)
            if (step_has(p, p->step[t][i], f))
                return true;
    return false;
}
