/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_model.c - what is predicted, against all that can happen.
 *
 * A program is a few threads, each a straight list of steps, so what each holds
 * and has done is known by how far it is.  All states are visited: one in which
 * nobody can go on, and not all have ended, is a deadlock.  Then the program
 * runs once, in an order drawn by lot in which it comes to its end, and the
 * engine is told of that run.  Two things must hold:
 *
 *     missed      a deadlock of locks alone can be reached, or one of two
 *     threads
 *                 of which one waits for the other's end, arrival or post: then
 *                 something is predicted
 *     invented    something is predicted: then a deadlock can be reached.  This
 *                 holds if nobody lets another go on while it has a lock: such
 *                 a lock may be one that the other has to pass before, which
 *                 the orders do not say
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors.h"
#include "testing.h"

#define THREADS 4
#define LOCKS   4
#define STEPS   24
#define SEMS    2

enum what {
    BEGIN,
    LOCK,
    UNLOCK,
    READ,
    UNREAD,
    START,
    JOIN,
    ARRIVE,
    LEAVE,
    POST,
    TAKE
};

struct step {
    enum what what;
    int which;
};

static struct {
    int threads;
    int length[THREADS];
    struct step step[THREADS][STEPS];
} program;

static uint32_t seed;

static uint32_t
draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

/* --- a program ------------------------------------------------------------ */

struct body {
    int thread;
    int syncs;
    struct step sync[STEPS];
    bool dirty; /* may let others go on while it holds locks */
    uint32_t held;
    uint32_t reads;
};

static void
add(struct body *b, enum what what, int which)
{
    const int i = program.length[b->thread]++;

    ck_assert_int_lt(i, STEPS);
    program.step[b->thread][i] = (struct step){what, which};
}

static void
add_unlock(struct body *b)
{
    int l = (int)draw(LOCKS);

    while ((b->held >> l & 1) == 0)
        l = (l + 1) % LOCKS;
    add(b, (b->reads >> l & 1) != 0 ? UNREAD : UNLOCK, l);
    b->held &= ~(1u << l);
    b->reads &= ~(1u << l);
}

static void
add_lock(struct body *b)
{
    const int l = (int)draw(LOCKS);
    const bool read = draw(4) == 0;

    if ((b->held >> l & 1) != 0) {
        add_unlock(b);
        return;
    }
    add(b, read ? READ : LOCK, l);
    b->held |= 1u << l;
    b->reads |= (uint32_t)read << l;
}

/* Steps that only wait are for any thread; the others let somebody go on. */
static bool
is_wait(enum what what)
{
    return what == JOIN || what == TAKE;
}

static void
add_sync(struct body *b, struct step s)
{
    while (b->held != 0 && !b->dirty && !is_wait(s.what))
        add_unlock(b);
    add(b, s.what, s.which);
    if (s.what == ARRIVE)
        add(b, LEAVE, s.which);
}

static void
write_body(struct body *b, int locks)
{
    int syncs = 0;

    if (b->thread > 0)
        add(b, BEGIN, 0);
    while (locks > 0 || syncs < b->syncs) {
        if (syncs < b->syncs && draw((uint32_t)(locks + b->syncs - syncs)) <
                                    (uint32_t)(b->syncs - syncs)) {
            add_sync(b, b->sync[syncs++]);
        } else if (locks > 0) {
            add_lock(b);
            locks--;
        }
    }
    while (b->held != 0)
        add_unlock(b);
}

static void
want(struct body *b, enum what what, int which)
{
    b->sync[b->syncs++] = (struct step){what, which};
}

/* Put `s` at a place drawn by lot, behind the first `from`. */
static void
want_at(struct body *b, int from, enum what what, int which)
{
    const int at = from + (int)draw((uint32_t)(b->syncs - from + 1));

    memmove(&b->sync[at + 1], &b->sync[at],
            (size_t)(b->syncs - at) * sizeof(b->sync[0]));
    b->sync[at] = (struct step){what, which};
    b->syncs++;
}

static void
draw_program(bool dirty)
{
    struct body b[THREADS];
    const int n = 2 + (int)draw(3);
    const int rounds = draw(3) == 0;

    memset(b, 0, sizeof(b));
    memset(&program, 0, sizeof(program));
    program.threads = n;
    for (int t = 0; t < n; t++) {
        b[t].thread = t;
        b[t].dirty = dirty;
        for (int r = 0; r < rounds; r++)
            want(&b[t], ARRIVE, 0);
    }
    for (int s = 0; s < SEMS; s++) {
        const uint32_t from = draw((uint32_t)n);
        const uint32_t to = draw((uint32_t)n);
        if (from == to || draw(2) == 0)
            continue;
        want_at(&b[from], 0, POST, s);
        want_at(&b[to], 0, TAKE, s);
    }
    for (int t = 1; t < n; t++) {
        want_at(&b[0], 0, START, t);
        for (int at = 0; at < b[0].syncs; at++)
            if (b[0].sync[at].what == START && b[0].sync[at].which == t &&
                draw(2) == 0) {
                want_at(&b[0], at + 1, JOIN, t);
                break;
            }
    }
    for (int t = 0; t < n; t++)
        write_body(&b[t], 2 + (int)draw(n < 4 ? 6 : 4));
}

/* --- states --------------------------------------------------------------- */

typedef int state[THREADS];

static int
count_done(const state at, int t, enum what what, int which)
{
    int n = 0;

    for (int i = 0; i < at[t]; i++)
        n += program.step[t][i].what == what &&
             program.step[t][i].which == which;
    return n;
}

static int
count_all_done(const state at, enum what what, int which)
{
    int n = 0;

    for (int t = 0; t < program.threads; t++)
        n += count_done(at, t, what, which);
    return n;
}

static bool
holds(const state at, int t, int lock, bool and_reads)
{
    return count_done(at, t, LOCK, lock) > count_done(at, t, UNLOCK, lock) ||
           (and_reads &&
            count_done(at, t, READ, lock) > count_done(at, t, UNREAD, lock));
}

/* Whether thread `t` waits for thread `o` to do something. */
static bool
needs(const state at, int t, int o)
{
    const struct step s = program.step[t][at[t]];

    if (t == o || at[t] == program.length[t])
        return false;
    switch (s.what) {
    case LOCK:
        return holds(at, o, s.which, true);
    case READ:
        return holds(at, o, s.which, false);
    case BEGIN:
        return o == 0 && count_done(at, 0, START, t) == 0;
    case JOIN:
        return o == s.which && at[o] < program.length[o];
    case LEAVE:
        return count_done(at, o, ARRIVE, 0) < count_done(at, t, ARRIVE, 0);
    case TAKE:
        for (int i = at[o]; i < program.length[o]; i++)
            if (program.step[o][i].what == POST &&
                program.step[o][i].which == s.which)
                return count_all_done(at, POST, s.which) ==
                       count_all_done(at, TAKE, s.which);
        return false;
    default:
        return false;
    }
}

static bool
can_go(const state at, int t)
{
    if (at[t] == program.length[t])
        return false;
    for (int o = 0; o < program.threads; o++)
        if (needs(at, t, o))
            return false;
    return true;
}

static bool
waits_for_lock(const state at, int t)
{
    return at[t] < program.length[t] && (program.step[t][at[t]].what == LOCK ||
                                         program.step[t][at[t]].what == READ);
}

/* Whether a cycle of locks alone leads from `t` to `first`, through threads
 * that are not in `seen`. */
static bool
leads_to(const state at, int t, int first, unsigned seen)
{
    if (!waits_for_lock(at, t))
        return false;
    for (int o = 0; o < program.threads; o++)
        if (needs(at, t, o) &&
            (o == first ||
             ((seen >> o & 1) == 0 && leads_to(at, o, first, seen | 1u << o))))
            return true;
    return false;
}

/* Whether it is one that has to be predicted. */
static bool
is_plain_deadlock(const state at)
{
    for (int t = 0; t < program.threads; t++) {
        if (leads_to(at, t, t, 1u << t))
            return true;
        for (int o = 0; o < program.threads; o++)
            if (at[t] < program.length[t] &&
                program.step[t][at[t]].what != BEGIN && needs(at, t, o) &&
                waits_for_lock(at, o) && needs(at, o, t))
                return true;
    }
    return false;
}

static struct {
    bool any;
    bool plain; /* has to be predicted */
    unsigned char
        seen[(STEPS + 1) * (STEPS + 1) * (STEPS + 1) * (STEPS + 1) / 8 + 1];
} reach;

static void
visit(state at)
{
    size_t number = 0;
    bool stuck = true;
    bool over = true;

    for (int t = 0; t < program.threads; t++) {
        number = number * (STEPS + 1) + (size_t)at[t];
        over = over && at[t] == program.length[t];
    }
    if ((reach.seen[number / 8] >> number % 8 & 1) != 0)
        return;
    reach.seen[number / 8] |= (unsigned char)(1u << number % 8);
    for (int t = 0; t < program.threads; t++) {
        if (!can_go(at, t))
            continue;
        stuck = false;
        at[t]++;
        visit(at);
        at[t]--;
    }
    if (!stuck || over)
        return;
    reach.any = true;
    reach.plain = reach.plain || is_plain_deadlock(at);
}

/* --- a run ---------------------------------------------------------------- */

/* Draw an order in which the program comes to its end. */
static int
draw_run(int order[THREADS * STEPS])
{
    state at = {0};
    int n = 0;

    for (;;) {
        int t = (int)draw((uint32_t)program.threads);
        int tries = 0;
        while (!can_go(at, t) && tries++ < program.threads)
            t = (t + 1) % program.threads;
        if (!can_go(at, t))
            break;
        order[n++] = t;
        at[t]++;
    }
    for (int t = 0; t < program.threads; t++)
        if (at[t] < program.length[t])
            return 0;
    return n;
}

static void
await(int t, const void *object, enum weft_kind kind)
{
    const struct weft_dl_held wanted = {object, kind, {{0x5000}}};

    if (actors[t].count > 0)
        weft_order_awaits_(T(t), &wanted, actors[t].held, actors[t].count);
}

/* Tell what a thread does when it comes to a step: it may wait there. */
static void
come_to(int t, struct step s)
{
    if (s.what == JOIN)
        await(t, NULL, WEFT_KIND_THREAD);
    if (s.what == TAKE)
        await(t, OBJECT(100 + s.which), WEFT_KIND_SEMAPHORE);
}

static void
tell_step(int t, struct step s)
{
    switch (s.what) {
    case BEGIN:
        weft_order_begins_(graph, T(t), actors[t].id);
        break;
    case LOCK:
        take(t, s.which, WEFT_KIND_WRITE);
        break;
    case UNLOCK:
        give(t, s.which, WEFT_KIND_WRITE);
        break;
    case READ:
        take(t, s.which, WEFT_KIND_READ);
        break;
    case UNREAD:
        give(t, s.which, WEFT_KIND_READ);
        break;
    case START:
        weft_order_creates_(T(t), actors[s.which].id);
        break;
    case JOIN:
        join(t, s.which);
        break;
    case ARRIVE:
        await(t, OBJECT(99), WEFT_KIND_BARRIER);
        weft_order_arrives_(T(t), OBJECT(99), (uint32_t)program.threads);
        break;
    case LEAVE:
        weft_order_leaves_(T(t), OBJECT(99));
        break;
    case POST:
        weft_order_posts_(T(t), OBJECT(100 + s.which), 1);
        break;
    case TAKE:
        weft_order_takes_(T(t), OBJECT(100 + s.which));
        break;
    }
}

static int
count_predicted(const int *order, int n)
{
    state at = {0};

    begin_play(false);
    for (int s = 0; s < SEMS; s++)
        weft_order_sem_begins_(graph, OBJECT(100 + s), 0);
    for (int i = 0; i < n; i++) {
        const int t = order[i];
        come_to(t, program.step[t][at[t]]);
        tell_step(t, program.step[t][at[t]++]);
        if (at[t] == program.length[t])
            weft_order_ends_(T(t)); /* who joins it does that later */
    }
    ck_assert(!weft_order_is_full_(graph));
    n = found_count();
    end_play();
    return n;
}

static void
show_program(const char *what)
{
    static const char *const names[] = {"begin",  "lock",  "unlock", "read",
                                        "unread", "start", "join",   "arrive",
                                        "leave",  "post",  "take"};

    printf("%s:\n", what);
    for (int t = 0; t < program.threads; t++) {
        printf("  %d:", t);
        for (int i = 0; i < program.length[t]; i++)
            printf(" %s %d;", names[program.step[t][i].what],
                   program.step[t][i].which);
        printf("\n");
    }
    fflush(stdout);
}

static struct {
    int programs;
    int deadlocks;
    int predicted;
    int invented;
} total;

static void
check_program(bool dirty)
{
    int order[THREADS * STEPS];
    state at = {0};
    int n = 0;

    draw_program(dirty);
    for (int i = 0; i < 20 && n == 0; i++)
        n = draw_run(order);
    if (n == 0)
        return; /* it never comes to its end, or seldom */
    memset(&reach, 0, sizeof(reach));
    visit(at);
    const int predicted = count_predicted(order, n);
    total.programs++;
    total.deadlocks += reach.any;
    total.predicted += predicted > 0;
    if (reach.plain && predicted == 0)
        show_program("missed");
    if (!dirty && !reach.any && predicted > 0)
        show_program("invented");
    total.invented += !reach.any && predicted > 0;
    ck_assert(!reach.plain || predicted > 0);
    ck_assert(dirty || reach.any || predicted == 0);
}

START_TEST(test_what_is_predicted_is_what_can_happen)
{
    const char *given = getenv("WEFT_TEST_SEED");
    const int programs = given != NULL ? 20000 : 2000;

    seed = given != NULL ? (uint32_t)atoi(given) : 1;
    for (int i = 0; i < programs; i++)
        check_program(_i == 1);
    printf("# %d programs, %d can deadlock, %d predicted, %d invented\n",
           total.programs, total.deadlocks, total.predicted, total.invented);
    ck_assert_int_le(total.invented, total.programs / 200);
    ck_assert_int_gt(total.deadlocks, programs / 20);
    ck_assert_int_gt(total.programs, total.deadlocks + programs / 20);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_what_is_predicted_is_what_can_happen, 2},
    };

    return run_tests("deadlock_order_model", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}
