/* SPDX-License-Identifier: MIT */
/*
 * stall.c - goes through the instructions of each operation.
 *
 * A trial stops the victim before instruction k of its call, lets the others do
 * their whole work, lets the victim go on, and counts everything.  k is 1, 2,
 * 3 ... until the call returns before it: then each instruction on this path
 * has been tried.  That is done from each state.
 *
 * The paths on which a call retries are reached by trials with two stops: at a
 * first instruction j the others change the object, and after that the victim
 * runs into k, which finds it changed.  Pairs j, k are drawn by the seed.
 *
 * A restartable sequence starts over as long as it is stepped, and k would grow
 * for ever; after STALE tries that show no new address the path is taken as
 * known.
 *
 * Where there are no single steps the victim makes its call over and over, and
 * is stopped at random moments.
 */
#include "stall/stall.h"

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "progress.h"
#include "stall/others.h"
#include "stall/places.h"
#include "stall/row.h"
#include "stall/step.h"
#include "stall/victim.h"

#define OTHERS           3   /* unless the command line says otherwise */
#define WHOLE            12  /* quarters of a lap: the whole work */
#define PASSES           16  /* pairs from each state */
#define SURPRISES        24  /* random stops from each state */
#define STALE            200 /* tries without a new address */
#define PATIENCE_MS      2
#define PATIENCE_MS_LONG 100 /* where a verdict is a failure */

const struct extra stall_extras[] = {
    {"form", "LIST", "stop at every instruction, at random moments, or both",
     "every,random", NULL},
    {"every", "N", "stop only before each N-th instruction", NULL,
     options_are_counts},
    {NULL, NULL, NULL, NULL, NULL},
};

struct stall {
    const struct options *options;
    struct report *report;
    const struct subject *subject;
    struct victim *victim;
    struct others *others;
    unsigned other_count;
    unsigned every;
    struct prng random;
    enum victim_event event; /* its last one */
    bool stuck;              /* a thread did not end: the run cannot go on */

    /* The operation at hand. */
    const struct variant *variant;
    unsigned operation;
    struct row *row;
};

static bool
is_over(const struct stall *x)
{
    return x->stuck || interrupt_came();
}

static enum fate
let_others_work(struct stall *x, void *object, unsigned share)
{
    x->subject->aim(object, share);
    others_begin(x->others, object);
    return others_watch(x->others, x->variant->promise == GOES_ON
                                       ? PATIENCE_MS_LONG
                                       : PATIENCE_MS);
}

/* The victim is stopped: what can the others do? */
static void
observe(struct stall *x, void *object, unsigned state)
{
    struct row *row = x->row;
    const int64_t begin = clock_ns();
    const enum fate f = let_others_work(x, object, WHOLE);
    const int64_t took = clock_ns() - begin;

    row->stops++;
    row->fates[f]++;
    if (f == WENT_ON && took > row->longest_ns)
        row->longest_ns = took;
    places_add(&row->places, victim_place(x->victim), x->subject->states[state],
               f);
}

/*
 * The victim is at the first of two stops: change what it has seen.
 *
 *   returns    whether it then came to the second one
 */
static bool
disturb(struct stall *x, void *object)
{
    const unsigned share = 1 + prng_below(&x->random, WHOLE);

    if (let_others_work(x, object, share) != WENT_ON)
        return false; /* that stop has its own trial */
    others_finish(x->others);
    victim_go_on(x->victim);
    x->event = victim_wait(x->victim);
    return x->event == VICTIM_STOPPED;
}

/* Nobody is to be stopped any more. */
static void
release(struct stall *x)
{
    while (x->event == VICTIM_STOPPED) {
        victim_go_on(x->victim);
        x->event = victim_wait(x->victim);
    }
    if (x->event == VICTIM_STUCK || !others_finish(x->others))
        x->stuck = true;
}

/*
 * One trial: stop before `first`; or before that and then `second`, if it is
 * not 0; or at a random moment, if `first` is 0.
 *
 *   returns    whether the call came that far
 */
static bool
attempt(struct stall *x, unsigned state, unsigned long first,
        unsigned long second)
{
    const struct subject *s = x->subject;
    void *object = s->create(s, x->variant->id, x->operation, state);
    const struct job job = {s->call, s->undo, object};

    if (first == 0)
        victim_surprise(x->victim, &job, &x->random);
    else
        victim_step(x->victim, &job, first, second);
    x->event = victim_wait(x->victim);

    bool there = x->event == VICTIM_STOPPED;
    if (there && second != 0)
        there = disturb(x, object);
    if (there)
        observe(x, object, state);
    release(x);
    if (x->stuck)
        return false;

    const char *wrong = s->finish(object);
    if (wrong != NULL)
        x->row->wrong = wrong;
    return there;
}

/* The first call on a path may bind a symbol, and a thread's first call enters
 * it into registries, with locks: that is none of its business. */
static void
warm_up(struct stall *x, unsigned state)
{
    const struct subject *s = x->subject;
    void *object = s->create(s, x->variant->id, x->operation, state);
    const struct job job = {s->call, s->undo, object};

    victim_step(x->victim, &job, 0, 0);
    x->event = victim_wait(x->victim);
    if (x->event != VICTIM_ENDED) {
        x->stuck = true;
        return;
    }
    const char *wrong = s->finish(object);
    if (wrong != NULL)
        x->row->wrong = wrong;
}

/* Every instruction from `state`; how many there are. */
static unsigned long
step_through(struct stall *x, unsigned state)
{
    unsigned long k = 1 + prng_below(&x->random, x->every);
    unsigned long last_new = k;
    size_t known = 0;

    for (; !is_over(x) && k - last_new <= (STALE + 4 * known) * x->every;
         k += x->every) {
        if (!attempt(x, state, k, 0))
            break;
        if (x->row->places.count != known)
            last_new = k;
        known = x->row->places.count;
        progress_step();
    }
    return k;
}

/* One pair from `state`, whose call has `length` instructions. */
static void
step_twice(struct stall *x, unsigned state, unsigned long length)
{
    const unsigned long first = 1 + prng_below(&x->random, (uint32_t)length);
    const unsigned long second =
        first + 1 + prng_below(&x->random, 2 * (uint32_t)length);

    attempt(x, state, first, second);
    progress_step();
}

static unsigned
list_length(const char *const *list)
{
    unsigned n = 0;

    while (list[n] != NULL)
        n++;
    return n;
}

static unsigned
count_variants(const struct subject *s)
{
    unsigned n = 0;

    while (s->variants[n].name != NULL)
        n++;
    return n;
}

/* What --duration leaves for each operation of each variant [s]; 0: it was not
 * given. */
static double
share_of_time(const struct stall *x)
{
    return x->options->duration_s /
           (count_variants(x->subject) * list_length(x->subject->operations));
}

/* Try the operation at hand from every state. */
static void
try_operation(struct stall *x, bool stepping)
{
    const unsigned states = list_length(x->subject->states);
    unsigned long *lengths = must_have(states, sizeof(lengths[0]));
    const unsigned passes = x->options->rounds != 0 ? x->options->rounds
                            : stepping              ? PASSES
                                                    : SURPRISES;
    const double seconds = share_of_time(x);
    const int64_t end = clock_ns() + (int64_t)(seconds * 1e9);

    for (unsigned i = 0; i < states && !is_over(x); i++)
        warm_up(x, i);
    for (unsigned i = 0; stepping && i < states && !is_over(x); i++)
        lengths[i] = step_through(x, i);
    for (unsigned n = 0; seconds > 0 ? clock_ns() < end : n < passes; n++) {
        for (unsigned i = 0; i < states && !is_over(x); i++) {
            if (stepping)
                step_twice(x, i, lengths[i]);
            else
                attempt(x, i, 0, 0);
        }
        if (is_over(x))
            break;
    }
    free(lengths);
}

/* The places that matter: of the first `count` variants, whose sums these
 * are. */
static void
show_held(const struct stall *x, struct row *sums, unsigned count)
{
    const struct variant *variants = x->subject->variants;
    struct table *t = NULL;

    for (unsigned i = 0; i < count; i++) {
        if (variants[i].promise == MUST_BE_HELD || row_held(&sums[i]) == 0)
            continue;
        if (t == NULL)
            t = row_table_held(x->report);
        row_show_held(t, variants[i].name, &sums[i]);
    }
    if (t != NULL)
        table_end(t);
}

/* All operations of the variant at hand; `sum` is what they come to. */
static void
try_variant(struct stall *x, bool stepping, struct table *t, struct row *sum)
{
    const char *const *operations = x->subject->operations;
    const struct variant *v = x->variant;

    for (unsigned i = 0; operations[i] != NULL && !is_over(x); i++) {
        struct row row = {0};

        x->operation = i;
        x->row = &row;
        try_operation(x, stepping);
        row_show(t, v->name, operations[i], &row);
        row_add(sum, &row);
        places_free(&row.places);
    }
    row_show(t, v->name, "all", sum);
    row_judge(t, v, sum);
}

/* All variants, in one form. */
static void
run_form(struct stall *x, bool stepping)
{
    const struct variant *variants = x->subject->variants;
    const unsigned count = count_variants(x->subject);
    struct row *sums = must_have(count, sizeof(*sums));
    unsigned tried = 0;

    struct table *t = row_table(x->report);
    for (; tried < count && !is_over(x); tried++) {
        x->variant = &variants[tried];
        try_variant(x, stepping, t, &sums[tried]);
    }
    table_end(t);
    show_held(x, sums, tried);
    for (unsigned i = 0; i < tried; i++)
        places_free(&sums[i].places);
    free(sums);
}

static void
run_every(struct stall *x)
{
    char nth[32] = "";

    if (x->every > 1)
        snprintf(nth, sizeof(nth), "%u-th ", x->every);
    report_say(x->report,
               "Stopped before every %sinstruction of each call.  Others "
               "meanwhile: %u, %s.",
               nth, x->other_count, x->subject->others);
    run_form(x, true);
}

static void
run_random(struct stall *x)
{
    report_say(x->report,
               "Stopped at random moments in a call.  Others meanwhile: %u, "
               "%s.",
               x->other_count, x->subject->others);
    run_form(x, false);
}

static enum outcome
run_forms(struct stall *x)
{
    const char *number = options_extra(x->options, "every");
    bool every = options_include(x->options, "form", "every");
    bool random = !every || options_extra(x->options, "form") != NULL;

    random = random && options_include(x->options, "form", "random");
    if (number != NULL && options_counts(number, UINT16_MAX, &x->every, 1) != 1)
        return report_abandon(x->report, "--every takes one number");
    if (every && !step_works()) {
        report_say(x->report, "A program cannot step itself here.");
        every = false;
        random = true;
    }
    if (every)
        run_every(x);
    if (random && !is_over(x))
        run_random(x);
    if (x->stuck)
        return report_abandon(x->report, "a thread did not end, though nobody "
                                         "is stopped any more");
    return OUTCOME_OK;
}

enum outcome
stall_run(const struct subject *s, const struct options *o, struct report *r)
{
    struct stall x = {.options = o, .report = r, .subject = s, .every = 1};

    x.other_count = o->thread_counts > 0 ? o->threads[0] : OTHERS;
    if (s->others_most != 0 && x.other_count > s->others_most)
        x.other_count = s->others_most;
    if (x.other_count > SUBJECT_OTHERS_MOST)
        x.other_count = SUBJECT_OTHERS_MOST;
    prng_seed(&x.random, o->seed, 0);
    x.victim = victim_start();
    x.others = x.victim == NULL ? NULL : others_start(x.other_count, s);
    if (x.others == NULL) {
        if (x.victim != NULL)
            victim_join(x.victim);
        return report_abandon(r, "cannot start %u threads", x.other_count + 1);
    }
    progress_begin("stall", 0);
    const enum outcome outcome = run_forms(&x);
    progress_end();
    if (!x.stuck) { /* else they stay as they are until the program ends */
        others_join(x.others);
        victim_join(x.victim);
    }
    return outcome;
}
