/* SPDX-License-Identifier: MIT */
/*
 * rows.c - soaks the subjects of a list, and says what came of each.
 */
#include "soak/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "progress.h"

#define DURATION_S  60
#define PATIENCE_S  10
#define THREADS     8
#define WORDS_BYTES 128
#define NAME_BYTES  64

#define SYNC \
    "mutex,rmutex,rwlock,semaphore,event,cond,rcond,barrier,once,thread,timer"
#define CONTAINERS "deque,fifo,heap,queue,ring,spsc,stack"
#define POOLS      "lockfree,mutex"
/* clang-format off */
#define FORMS \
    "fifo/lockfree," \
    "fifo/lockless," \
    "fifo/mutex," \
    "heap/compare/lockfree," \
    "heap/compare/mutex," \
    "heap/keyed/lockfree," \
    "heap/keyed/mutex," \
    "lockfree/1," \
    "lockfree/2," \
    "lockfree/8," \
    "mutex/1," \
    "mutex/2," \
    "mutex/8," \
    "queue/fifo/lockfree/bounded," \
    "queue/fifo/lockfree/unbounded," \
    "queue/fifo/lockless/bounded," \
    "queue/fifo/lockless/unbounded," \
    "queue/fifo/mutex/bounded," \
    "queue/fifo/mutex/unbounded," \
    "queue/lifo/lockfree/bounded," \
    "queue/lifo/lockfree/unbounded," \
    "queue/lifo/lockless/bounded," \
    "queue/lifo/lockless/unbounded," \
    "queue/lifo/mutex/bounded," \
    "queue/lifo/mutex/unbounded," \
    "queue/priority/lockfree/bounded," \
    "queue/priority/lockfree/unbounded," \
    "queue/priority/lockless/bounded," \
    "queue/priority/lockless/unbounded," \
    "queue/priority/mutex/bounded," \
    "queue/priority/mutex/unbounded," \
    "ring/lockfree," \
    "ring/lockless," \
    "ring/mutex," \
    "spsc/lockfree," \
    "spsc/mutex," \
    "stack/lockfree," \
    "stack/mutex"
/* clang-format on */

const struct extra soak_extras[] = {
    {.name = "only",
     .argument = "LIST",
     .help = "sync: which of " SYNC "; "
             "containers: which of " CONTAINERS ", or forms as ring/mutex; "
             "pool: which of " POOLS ", or mutex/8, with 8 workers",
     .words = SYNC "," CONTAINERS "," POOLS "," FORMS},
    {.name = NULL},
};

/* "locked 123 456, gave up 78" */
static void
tallies_in_words(const struct soak_subject *s, const struct soak_result *got,
                 char words[WORDS_BYTES])
{
    char count[REPORT_COUNT_BYTES];
    size_t used = 0;

    words[0] = '\0';
    for (int k = 0; k < SOAK_TALLIES && s->tallies[k] != NULL; k++) {
        const int n = snprintf(words + used, WORDS_BYTES - used, "%s%s %s",
                               k > 0 ? ", " : "", s->tallies[k],
                               report_count(count, (int64_t)got->tally[k]));
        used += (size_t)n < WORDS_BYTES - used ? (size_t)n : 0;
    }
}

static void
add_row(struct table *t, const struct soak_subject *s,
        const struct soak_result *got)
{
    char words[WORDS_BYTES];

    tallies_in_words(s, got, words);
    table_row(t);
    table_text(t, "%s", s->name);
    table_count(t, got->threads);
    table_count(t, (int64_t)got->turns);
    table_real(t, got->elapsed_s, 1);
    table_text(t, "%s", words);
    if (got->fault[0] != '\0')
        table_verdict(t, VERDICT_FAILED, "%s", got->fault);
    else
        table_verdict(t, VERDICT_OK, NULL);
}

/* What is to be run, and what came of it. */
struct soak {
    const struct soak_list *list;
    const struct options *o;
    struct report *report;
    struct table *table;
    struct soak_plan plan;
    unsigned held;
    unsigned failed;
    uint64_t turns;
    double elapsed_s;
    char *where; /* of all that did not get on; NULL: none */
};

/* Soak one primitive; false: the user wants no more. */
static bool
soak_one(struct soak *k, const struct soak_subject *s, unsigned threads)
{
    struct soak_result got;

    k->plan.threads = threads;
    progress_begin(s->name, k->plan.seconds);
    soak_run(s, &k->plan, &got);
    progress_end();
    add_row(k->table, s, &got);
    if (got.fault[0] == '\0')
        k->held++;
    else
        k->failed++;
    k->turns += got.turns;
    k->elapsed_s += got.elapsed_s;
    if (got.where != NULL && k->where == NULL)
        k->where = got.where;
    else
        free(got.where);
    return !got.stopped;
}

/* Whether the user wants this one; "ring" is all of "ring/mutex" and so on. */
static bool
is_wanted(const struct options *o, const struct soak_subject *s)
{
    char family[NAME_BYTES];

    snprintf(family, sizeof(family), "%.*s", (int)strcspn(s->name, "/"),
             s->name);
    return options_include(o, "only", s->name) ||
           options_include(o, "only", family);
}

/* How many rows there will be. */
static unsigned
count_rows(const struct soak_list *list, const struct options *o, size_t counts)
{
    unsigned rows = 0;

    for (size_t i = 0; i < list->count; i++)
        rows += is_wanted(o, list->subjects[i]);
    return rows * (unsigned)counts;
}

static struct table *
begin_table(const struct soak_list *list, struct report *r)
{
    struct table *t = report_table(r, list->name, NULL);

    table_column(t, list->column, NULL);
    table_column(t, "threads", NULL);
    table_column(t, "turns", NULL);
    table_column(t, "time", "s");
    table_column(t, "what", NULL);
    return t;
}

static void
say_verdict(const struct soak *k)
{
    char turns[REPORT_COUNT_BYTES];

    if (k->where != NULL)
        report_say(k->report, "%s", k->where);
    report_say(k->report,
               "soak %s: %s: %u held, %u failed, %s turns in "
               "%.0f s, seed 0x%llx",
               k->list->name, k->failed > 0 ? "FAILED" : "ok", k->held,
               k->failed, report_count(turns, (int64_t)k->turns), k->elapsed_s,
               (unsigned long long)k->o->seed);
}

enum outcome
soak_rows(const struct soak_list *list, const struct options *o,
          struct report *r)
{
    const unsigned one = THREADS;
    const unsigned *threads = o->thread_counts > 0 ? o->threads : &one;
    const size_t counts = o->thread_counts > 0 ? o->thread_counts : 1;
    const double all_s = o->duration_s > 0 ? o->duration_s : DURATION_S;
    const unsigned rows = count_rows(list, o, counts);
    struct soak k = {
        .list = list,
        .o = o,
        .report = r,
        .plan = {.seconds = all_s / (rows > 0 ? rows : 1),
                 .patience_s = PATIENCE_S,
                 .seed = o->seed},
    };
    char seed[32];
    bool more = true;

    if (rows == 0) {
        report_abandon(r, "--only: soak %s has none of these", list->name);
        return OUTCOME_FAILED;
    }
    snprintf(seed, sizeof(seed), "0x%llx", (unsigned long long)o->seed);
    setenv("WEFT_SCHED_SEED", seed, 0);
    report_say(r, "%.1f s for each; a thread that makes no turn for %d s %s.",
               k.plan.seconds, PATIENCE_S, list->stuck);
    k.table = begin_table(list, r);
    for (size_t i = 0; i < counts; i++)
        for (size_t n = 0; n < list->count && more; n++)
            if (is_wanted(o, list->subjects[n]))
                more = soak_one(&k, list->subjects[n], threads[i]);
    table_end(k.table);
    say_verdict(&k);
    free(k.where);
    return report_outcome(r);
}
