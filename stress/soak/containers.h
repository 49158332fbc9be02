/* SPDX-License-Identifier: MIT */
/*
 * containers.h - one container under many threads for a while: nothing is
 * lost, nothing comes out twice or made up, and the order is what is promised.
 *
 * A container is a subject of the soak (sync.h) whose operations are a struct
 * soak_container_ops; the rest of it is SOAK_CONTAINER.  The time passes in
 * rounds.  In a round every thread pushes, pops and looks at the size, single
 * items and batches; is stopped by signals, anywhere; and starts producers that
 * are cancelled between two pushes.  Then all meet, and while the others wait
 * one of them checks what only holds at rest: the size, how much fits, the
 * order in which everything leaves, and that what came out is what went in.
 *
 * An item is NULL, or a number, or the address of a parcel in plain memory that
 * only the container's ordering makes safe to read.
 */
#ifndef STRESS_SOAK_CONTAINERS_H
#define STRESS_SOAK_CONTAINERS_H

#include <weft/base.h>
#include <weft/status.h>

#include "soak/sync.h"

#define SOAK_BATCH 20

/* The order in which items leave. */
enum soak_order {
    SOAK_FIFO,   /* those of a producer as they came, seen by each consumer */
    SOAK_LIFO,   /* at rest the youngest first */
    SOAK_SORTED, /* at rest by soak_item_key, equal ones as they came */
    SOAK_LOOSE   /* none */
};

/* Who may call what at the same time. */
enum soak_sides {
    SOAK_ANYBODY,
    SOAK_ONE_EACH, /* one thread pushes, one pops */
    SOAK_ONE_OWNER /* one thread pushes and pops; anybody steals */
};

struct soak_container_ops {
    enum weft_status (*create)(void **out, size_t capacity, int kind);
    void (*destroy)(void *c, void (*drop)(void *item, void *ctx), void *ctx);
    enum weft_status (*push)(void *c, void *item);
    enum weft_status (*pop)(void *c, void **item);
    /* The rest may be NULL. */
    size_t (*push_n)(void *c, void *const *items, size_t n);
    size_t (*pop_n)(void *c, void **items, size_t n);
    size_t (*size)(const void *c);
    enum weft_status (*steal)(void *c, void **item); /* oldest first */
    /* What is wrong at rest with `left` items in it; a capacity of 0: none. */
    const char *(*complaint)(const void *c, size_t left, size_t capacity);
    void (*opened)(struct soak_hand *h); /* a round is, and all others wait */
    void (*round)(struct soak_hand *h);  /* in the place of the usual turns */
    int kind;                            /* for create */
    bool bounded;
    enum soak_order order;
    enum soak_sides sides;
};

/* What went in or came out. */
struct soak_sum {
    uint64_t count;
    uint64_t nulls;
    uint64_t hash;
};

/* The items seen so far that leave in an order, to tell what may come next. */
struct soak_trail {
    uint64_t last[SOAK_THREADS_MAX]; /* number, by producer; 0: none yet */
    unsigned key;
};

#define SOAK_KEPT 64 /* parcels that are not yet freed, to see them again */

/* What one thread did. */
struct soak_book {
    alignas(128) _Atomic uint64_t announced; /* the highest number it may use */
    uint64_t pushed;                         /* the last number that it used */
    struct soak_sum in;
    struct soak_sum out;
    struct soak_trail trail;
    void *kept[SOAK_KEPT];
    unsigned next_kept;
};

struct soak_case {
    struct soak_book books[SOAK_THREADS_MAX];
    struct soak_meeting meeting;
    pthread_mutex_t sides[2]; /* of those who push and pop alone */

    /* Written while all wait. */
    void *container;
    size_t capacity;
    unsigned tide;  /* of 8 turns that push or pop, how many push */
    unsigned turns; /* of each thread in this round */
    bool over;
    unsigned round; /* the rest is for ops->opened to say */
    bool closing;   /* WEFT_CLOSED may come, and this is the last round */
    _Atomic unsigned producing;
};

enum { SOAK_PUSHED, SOAK_POPPED, SOAK_CANCELLED };

/* --- items --------------------------------------------------------------- */

/* The item that is this thread's number `number`, or NULL by chance. */
void *soak_item(struct soak_hand *h, uint64_t number);
/* This thread can be cancelled with one that did not go in: no parcels. */
extern _Thread_local bool soak_no_parcels;
/* It did not go in. */
void soak_item_back(void *item);
/* `n` items went in, numbered from the one after the last. */
void soak_went_in(struct soak_hand *h, void *const *items, size_t n);
/* It came out, after what is on the trail; a fault if that cannot be. */
void soak_came_out(struct soak_hand *h, void *item, struct soak_trail *trail,
                   enum soak_order order);
/* What a sorted container goes by, 0 to SOAK_KEYS - 1; the least leave first.
 */
unsigned soak_item_key(const void *item);
#define SOAK_KEYS 8
/* Free what is kept of them. */
void soak_free_kept(struct soak_book *b);

/* --- calls --------------------------------------------------------------- */

/* Push up to `n` items, as one call if n > 1; whether all went in. */
bool soak_push(struct soak_hand *h, size_t n);
/* Pop up to `n`, seen on `trail`; whether something came. */
bool soak_pop(struct soak_hand *h, size_t n, struct soak_trail *trail,
              enum soak_order order);
bool soak_steal(struct soak_hand *h, struct soak_trail *trail);

/* A turn of any kind. */
void soak_turn_of_any(struct soak_hand *h);

/* While all others wait: check what holds at rest, and open the next round. */
void soak_settle(struct soak_hand *h);

/* --- subjects ------------------------------------------------------------ */

bool soak_case_open(struct soak_run *run, void *state);
void soak_case_close(struct soak_run *run, void *state);
void soak_case_body(struct soak_hand *h);

#define SOAK_CONTAINER                                                \
    .tallies = {"pushed", "popped", "cancelled"}, .least_threads = 2, \
    .bytes = sizeof(struct soak_case), .body = soak_case_body,        \
    .open = soak_case_open, .close = soak_case_close

extern const struct soak_subject *const soak_containers[];
extern const size_t soak_container_count;

#endif /* STRESS_SOAK_CONTAINERS_H */
