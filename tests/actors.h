/* SPDX-License-Identifier: MIT */
/*
 * actors.h - threads that a test plays by itself, one call after another: what
 * deadlock/order.h is told of them.
 */
#ifndef TESTS_ACTORS_H
#define TESTS_ACTORS_H

#include "deadlock/order.h"

#define ACTORS     40
#define ACTOR_HELD 72

struct actor {
    struct weft_order_thread order;
    uint64_t id;
    uint32_t count;
    struct weft_dl_held held[ACTOR_HELD];
};

extern struct weft_order *graph;
extern struct actor actors[ACTORS];

#define T(a) (&actors[a].order)

/* Objects, by their addresses only. */
#define OBJECTS 120000
extern char objects[8 * OBJECTS];
#define OBJECT(i) (&objects[8 * (i)])

/* Where the actors are; 0: they say another place for each lock. */
#define NOWHERE UINTPTR_MAX
extern uintptr_t here;

/* The cap of the next graph; 0: its own. */
extern size_t graph_bytes;

/* Memory for a graph; the `map_fails`-th mapping fails, and all that follow. */
extern int map_fails;
extern int map_calls;
void *map_for_test(size_t bytes);

/* Make the graph anew, with actor 0 alone. */
void begin_play(bool plain);
void end_play(void);

/* Make it anew with n actors: the first, and n - 1 that it has started. */
void begin_with(int n);

/* Actor `a` starts, or joins, actor `b`; it ends before it is joined. */
void start(int a, int b);
void join(int a, int b);

/* Actor `a`, of which nobody knows who started it. */
void appear(int a);

void take(int a, int lock, enum weft_kind kind);   /* would wait */
void catch (int a, int lock, enum weft_kind kind); /* a try */
void give(int a, int lock, enum weft_kind kind);

static inline void
lock(int a, int lock)
{
    take(a, lock, WEFT_KIND_MUTEX);
}

static inline void
unlock(int a, int lock)
{
    give(a, lock, WEFT_KIND_MUTEX);
}

/* Actor `a` takes these one in another, and gives them up. */
void nest(int a, int first, int second);
void nest_3(int a, int first, int second, int third);

/* The first n arrive at a barrier for n and leave it. */
void meet_at(const void *barrier, int n);

/* A mutex that guards what conditions are about, and places that lock it: one
 * where somebody waits for a condition, and another. */
#define GUARD 20
extern const struct weft_dl_place at_guard;
extern const struct weft_dl_place elsewhere;
void lock_guard(int a, const struct weft_dl_place *place);
void unlock_guard(int a);

/* `a` tells a condition under its guard. */
void tell(int a, const void *cond);

/* `a` waits for a condition that `teller` tells.  Inline: libc has a function of
 * that name. */
static inline void
listen(int a, const void *cond, int teller)
{
    lock_guard(a, &at_guard);
    weft_order_listens_(T(a), cond, OBJECT(GUARD), &at_guard);
    unlock_guard(a);
    tell(teller, cond);
    lock_guard(a, &at_guard);
    weft_order_told_(T(a), cond);
    unlock_guard(a);
}

/* How many were found; the i-th. */
int found_count(void);
const struct weft_order_found *found_at(int i);

#endif /* TESTS_ACTORS_H */
