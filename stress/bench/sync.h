/* SPDX-License-Identifier: MIT */
/*
 * sync.h - locks and wake-ups under measurement: the frame for every
 * bench_<concept>.c of src/sync and src/thread.  A concept gives its variants
 * and its tables, no more; sync_loops.h has the measured loops.
 *
 *       static inline void
 *       enter(struct sync_hand *h, void *m) // leave the same
 *       {
 *           (void)h;
 *           pthread_mutex_lock(m);
 *       }
 *       SYNC_WORK(work, .enter = enter, .leave = leave)
 *
 *       static const struct sync_variant variants[] = {
 *           {.name = "pthread mutex", .rival = true, .baseline = true,
 *            .bytes = sizeof(pthread_mutex_t), .init = init, .work = work},
 *           {.name = NULL}};
 *       static const struct sync_table tables[] = {
 *           {"pair", "lock and unlock", variants, SYNC_PAIR, {1}},
 *           {"short", "50 ns in, 100 out", variants, SYNC_SECTIONS,
 *            {2, 16}, .inside_ns = 50, .outside_ns = 100},
 *           {.name = NULL}};
 *
 * and a scenario whose `run` returns sync_bench_run("bench mutex", tables, o,
 * r), with sync_extras as its extras.  It needs a line in scenarios.c, its
 * file in stress/Makefile.inc, a line under `bench:` there, and an entry
 * ".It Cm mutex" in doc/man/weft-stress.1, or tests/test_stress_cli.sh fails.
 */
#ifndef STRESS_BENCH_SYNC_H
#define STRESS_BENCH_SYNC_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/bench.h"
#include "workers.h"

/*
 * SYNC_PAIR      enter and leave, nothing between or around; ns a pair of one
 *                thread
 * SYNC_CALL      `call` alone, the same; ns a call
 * SYNC_SECTIONS  enter, work, leave, work: M turns/s of all threads, the most
 *                over the fewest turns of one, voluntary switches a second
 * SYNC_READERS   enter and leave as a reader, in `write_percent` of the turns
 *                as a writer; M/s of all threads
 * SYNC_PING      two threads hand over to each other; µs there and back
 * SYNC_ROUNDS    all threads meet; µs a round
 * SYNC_IDLE      one waits for 100 ms; µs of CPU time that it takes meanwhile
 */
enum sync_job {
    SYNC_PAIR,
    SYNC_CALL,
    SYNC_SECTIONS,
    SYNC_READERS,
    SYNC_PING,
    SYNC_ROUNDS,
    SYNC_IDLE
};

/* Where its threads run; SYNC_ANYWHERE: as --pin says. */
enum sync_place { SYNC_ANYWHERE, SYNC_ONE_CPU, SYNC_TWO_CPUS };

struct sync_hand;

/* What the loops call, all of it inlined; NULL: for a job that is not done. */
struct sync_ops {
    void (*begin)(struct sync_hand *h, void *object); /* first in a thread */
    void (*end)(struct sync_hand *h, void *object);   /* last */
    /* PAIR, SECTIONS, READERS; IDLE: a thread that enters while another is
     * in, if there is no `await`. */
    void (*enter)(struct sync_hand *h, void *object);
    void (*leave)(struct sync_hand *h, void *object);
    /* READERS; NULL: enter and leave do for writers too. */
    void (*write_enter)(struct sync_hand *h, void *object);
    void (*write_leave)(struct sync_hand *h, void *object);
    void (*call)(struct sync_hand *h, void *object);
    /* PING: let the thread of `side` go on; wait until somebody lets mine.
     * IDLE the same, where it is side 0 that waits. */
    void (*signal)(struct sync_hand *h, void *object, unsigned side);
    void (*await)(struct sync_hand *h, void *object, unsigned side);
    void (*meet)(struct sync_hand *h, void *object);
};

struct sync_load {
    unsigned threads;
    unsigned inside_loops; /* of sync_busy */
    unsigned outside_loops;
    unsigned jitter_loops; /* the width of what is added to, or taken from it */
    unsigned write_percent;
    enum sync_place place;
    enum sync_job job;
    bool in_us; /* the value, not in ns */
};

struct sync_variant {
    const char *name; /* NULL ends a list */
    const char *note; /* what the reader should know of it; NULL: nothing */
    bool rival;
    bool baseline;
    bool unseen; /* ThreadSanitizer cannot see its atomics */
    int kind;
    size_t bytes; /* zeroed, on lines of its own */
    bool (*init)(void *object, const struct sync_load *load, int kind);
    void (*destroy)(void *object); /* NULL: nothing to do */
    void (*work)(struct sync_hand *h);
    /* Write what is wrong with it once all is over; NULL: no such check. */
    void (*check)(void *object, const struct sync_load *load,
                  char fault[BENCH_FAULT_BYTES]);
};

#define SYNC_COUNTS 8

/* One table for each thread count. */
struct sync_table {
    const char *name; /* one word; the count is added if there are several;
                         NULL ends a list */
    const char *title;
    const struct sync_variant *variants;
    enum sync_job job;
    /* Up to the first 0.  --threads replaces them where a job takes any
     * number: SECTIONS, READERS, ROUNDS.  PING and IDLE are two threads. */
    unsigned threads[SYNC_COUNTS];
    unsigned inside_ns;
    unsigned outside_ns;
    unsigned jitter_percent; /* of outside_ns, from the seed */
    unsigned write_percent;
    enum sync_place place;
    const char *unit; /* "us/start": of PAIR and CALL; NULL: as above */
    double weight;    /* 0: 1 */
    const struct sync_variant *more; /* rivals that are not everywhere; NULL:
                                        none */
};

/* What the threads of a run share; each line is written by its own. */
struct sync_run {
    const struct sync_variant *variant;
    const struct sync_load *load;
    void *object;
    struct sync_hand *hands;
    double seconds;
    alignas(128) _Atomic uint64_t plain; /* counted by whoever is inside, */
    _Atomic uint64_t twin;               /* not by read-modify-write */
    alignas(128) _Atomic uint64_t last_round;
    _Atomic uint32_t step; /* of IDLE */
};

/* One thread. */
struct sync_hand {
    alignas(128) void *object;
    struct sync_run *run;
    const struct worker *worker;
    unsigned index;
    uint64_t random; /* what its busy work made of the seed */
    uint64_t done;   /* turns, pairs, rounds, waits */
    uint64_t writes; /* of `done` */
    uint64_t wrong;  /* things seen that must not be */
    int64_t begin_ns;
    int64_t end_ns;
    int64_t idle_ns; /* of CPU */
    int64_t switches;
    alignas(128) _Atomic uint64_t round; /* that it has come to */
    alignas(128) unsigned char own[128]; /* the variant's, zero at first */
};

/* The loops of a variant, with direct calls. */
#define SYNC_WORK(name, ...)                              \
    static void name(struct sync_hand *h)                 \
    {                                                     \
        static const struct sync_ops ops = {__VA_ARGS__}; \
        sync_work(h, &ops);                               \
    }

/* --only and --table. */
extern const struct extra sync_extras[];

/* Measure the tables and show them. */
enum outcome sync_bench_run(const char *what, const struct sync_table *tables,
                            const struct options *o, struct report *r);

/* How many rounds of sync_busy last so long. */
unsigned sync_loops_of(unsigned ns);

/* The `measure` of its tables, whose `load` is a struct sync_load. */
bool sync_measure(const struct bench_table *t, const struct bench_row *row,
                  const struct bench_cell *cell, struct bench_sample *out);

#endif /* STRESS_BENCH_SYNC_H */
