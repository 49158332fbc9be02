/* SPDX-License-Identifier: MIT */
/*
 * measure_watch_off.c - what the detector costs while it is off, for
 * doc/design/deadlock.md: a mutex in a mutex by the inline parts of the header,
 * against a copy of them without the look whether the word of the thread is 0.
 *
 * One thread, slices of some 0.2 ms: a slice of each makes a pair, which is
 * first is drawn, and a pair gives one ratio, so whatever the machine does for
 * longer than a slice is in both.  Code of either is there COPIES times, 8
 * bytes further into a line of the cache each time, and the copies of a pair
 * are drawn, too: where a loop begins may matter more than one branch.  Copies
 * of the same code against each other show what the method makes of nothing.
 *
 *   of the noise       the median of all pairs, and the ranks within which it
 *                      is (sign test, 95 %)
 *   of the alignment   the mean of the medians by copies, with copies drawn
 *                      again and again (bootstrap, 95 %)
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("align-loops=1", "align-jumps=1", "align-labels=1")
#endif

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weft/inline.h>
#include <weft/mutex.h>

#define COPIES 8
#define CELLS  (COPIES * COPIES)
#define ROUNDS 300 /* of all copies against all copies */
#define TURNS  16000
#define WARM   200 /* before the clock is looked at */
#define DRAWS  4000
#define ALL    ((size_t)CELLS * ROUNDS)

#ifdef __x86_64__
#define NOP_BYTES "1"
#else
#define NOP_BYTES "4"
#endif

struct two {
    _Alignas(128) weft_mutex outer;
    weft_mutex inner;
};

static struct two two;

/* As the header's, without the look. */
static inline __attribute__((always_inline)) void
bare_lock(weft_mutex *m)
{
    const uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);
    uint32_t free_word = 0;

    if (!WEFT_CAS_(&m->word, &free_word, me, acquire))
        weft_mutex_lock_slow_(m);
}

static inline __attribute__((always_inline)) void
bare_unlock(weft_mutex *m)
{
    uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);

    if (!WEFT_CAS_(&m->word, &me, 0, release))
        weft_mutex_unlock_slow_(m);
}

#define LOOP(name, lock, unlock, shift)                                     \
    static __attribute__((noinline, aligned(64))) void name##shift(long n)  \
    {                                                                       \
        __asm__ volatile(".rept " #shift " / " NOP_BYTES "\n nop\n .endr"); \
        for (; n > 0; n--) {                                                \
            lock(&two.outer);                                               \
            lock(&two.inner);                                               \
            unlock(&two.inner);                                             \
            unlock(&two.outer);                                             \
        }                                                                   \
    }

#define LOOPS(name, lock, unlock)                                            \
    LOOP(name, lock, unlock, 0)                                              \
    LOOP(name, lock, unlock, 8)                                              \
    LOOP(name, lock, unlock, 16)                                             \
    LOOP(name, lock, unlock, 24)                                             \
    LOOP(name, lock, unlock, 32)                                             \
    LOOP(name, lock, unlock, 40)                                             \
    LOOP(name, lock, unlock, 48)                                             \
    LOOP(name, lock, unlock, 56)                                             \
    static void (*const name[COPIES])(long) = {name##0,  name##8,  name##16, \
                                               name##24, name##32, name##40, \
                                               name##48, name##56};

LOOPS(off_, weft_mutex_lock, weft_mutex_unlock)
LOOPS(bare_, bare_lock, bare_unlock)

typedef void (*const *loops)(long);

/* Two sets of copies, the first measured against the second. */
struct match {
    const char *name;
    loops what;
    loops against;
    double ratio[CELLS][ROUNDS];
    double ns[COPIES]; /* the least of the first ones */
    double of_ns[COPIES];
};

static struct match matches[] = {{.name = "off / no hooks", off_, bare_},
                                 {.name = "off / off", off_, off_},
                                 {.name = "no hooks / no hooks", bare_, bare_}};

static uint64_t
draw(void)
{
    static uint64_t x = 88172645463325252;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x >> 11;
}

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double
slice(void (*loop)(long))
{
    loop(WARM);
    const double begin = now_ns();
    loop(TURNS);
    return (now_ns() - begin) / TURNS;
}

static void
measure_pair(struct match *m, int cell, int round)
{
    const int i = cell / COPIES;
    const int k = cell % COPIES;
    const bool second = draw() % 2 != 0;
    double b = second ? slice(m->against[k]) : 0;
    const double a = slice(m->what[i]);

    if (!second)
        b = slice(m->against[k]);
    m->ratio[cell][round] = a / b;
    if (round == 0 || a < m->ns[i])
        m->ns[i] = a;
    if (round == 0 || b < m->of_ns[k])
        m->of_ns[k] = b;
}

/* --- what comes out ------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
percent(double ratio)
{
    return (ratio - 1) * 100;
}

/* The median of all, which is in [low, high] in 95 of 100 times. */
static void
say_median(const struct match *m)
{
    static double all[ALL];
    const double half = 1.96 * sqrt((double)ALL) / 2;

    memcpy(all, m->ratio, sizeof(all));
    qsort(all, ALL, sizeof(all[0]), compare);
    printf("%-20s %+7.2f [%+.2f %+.2f]", m->name, percent(all[ALL / 2]),
           percent(all[(size_t)(ALL / 2.0 - half)]),
           percent(all[(size_t)(ALL / 2.0 + half)]));
}

static double
mean_of_draw(double cells[COPIES][COPIES], bool again)
{
    int columns[COPIES];
    double sum = 0;

    for (int k = 0; k < COPIES; k++)
        columns[k] = again ? (int)(draw() % COPIES) : k;
    for (int i = 0; i < COPIES; i++) {
        const int row = again ? (int)(draw() % COPIES) : i;
        for (int k = 0; k < COPIES; k++)
            sum += cells[row][columns[k]];
    }
    return sum / CELLS;
}

/* The same over the copies; and the least and the largest of their medians. */
static void
say_copies(struct match *m)
{
    static double means[DRAWS];
    double cells[COPIES][COPIES];
    double least = 1e9;
    double most = 0;

    for (int c = 0; c < CELLS; c++) {
        qsort(m->ratio[c], ROUNDS, sizeof(m->ratio[c][0]), compare);
        const double median = m->ratio[c][ROUNDS / 2];
        cells[c / COPIES][c % COPIES] = median;
        least = median < least ? median : least;
        most = median > most ? median : most;
    }
    const double mean = mean_of_draw(cells, false);
    for (int d = 0; d < DRAWS; d++)
        means[d] = mean_of_draw(cells, true);
    qsort(means, DRAWS, sizeof(means[0]), compare);
    printf(" %+7.2f [%+.2f %+.2f] %+7.2f to %+.2f\n", percent(mean),
           percent(means[DRAWS / 40]), percent(means[DRAWS - DRAWS / 40]),
           percent(least), percent(most));
}

static void
say_copies_of(const char *name, const double ns[COPIES])
{
    printf("%-20s", name);
    for (int i = 0; i < COPIES; i++)
        printf(" %6.2f", ns[i]);
    printf("\n");
}

int
main(void)
{
    const int count = sizeof(matches) / sizeof(matches[0]);

    for (int round = 0; round < ROUNDS; round++)
        for (int cell = 0; cell < CELLS; cell++)
            for (int m = 0; m < count; m++)
                measure_pair(&matches[m], cell, round);
    printf("%-20s %-24s %-24s %s\n", "in percent", "of the noise",
           "of the alignment", "by copies");
    for (int m = 0; m < count; m++) {
        say_median(&matches[m]);
        say_copies(&matches[m]);
    }
    printf("\nthe least of each copy [ns]\n");
    say_copies_of("off", matches[0].ns);
    say_copies_of("no hooks", matches[0].of_ns);
    return 0;
}
