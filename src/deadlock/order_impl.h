/* SPDX-License-Identifier: MIT */
/*
 * deadlock/order_impl.h - the graph of order.h, and what its files share.
 *
 * All of it is read and written under the lock of the graph, but for what is
 * said to be otherwise.
 */
#ifndef WEFT_DEADLOCK_ORDER_IMPL_H
#define WEFT_DEADLOCK_ORDER_IMPL_H

#include "deadlock/order.h"

#define WEFT_ORDER_LONGEST 32 /* threads in a cycle */
#define WEFT_ORDER_MOMENTS 16 /* kept of a combination */

/* How far a thread has come in the lives of others.  Changed only by its one
 * holder; who keeps it besides counts as another. */
struct weft_order_clock {
    uint32_t holders;
    uint32_t count;
    uint32_t room;
    struct weft_order_time {
        uint32_t slot;
        uint64_t time;
    } at[]; /* by slot */
};

/* A moment of a thread; in a combination, or where others go on behind it. */
struct weft_order_moment {
    struct weft_order_node *node;
    struct weft_order_clock *clock;
    uint64_t time;
    uint64_t turn; /* which of those that its thread has noted */
};

/* A thread.  Its slot is used again when it has ended: see order_clock.c. */
struct weft_order_node {
    struct weft_order_node *next; /* of the same hash */
    uint64_t id;
    uint64_t time;
    uint64_t turn;                  /* of its next moment */
    struct weft_order_clock *clock; /* of others; NULL: none came before */
    uint32_t slot;
    struct weft_order_slot *in;      /* what is known of that */
    uint64_t first;                  /* its time when it got that */
    bool begun;                      /* it has, or had, a record */
    bool over;                       /* and will tell nothing more */
    uint32_t holders;                /* its own record, the table, moments */
    bool listed;                     /* in the table */
    struct weft_order_node *younger; /* of those that ended and are listed */
    struct weft_order_node *elder;
    bool noted;                       /* a moment, since the time changed */
    uint32_t strangers;               /* that it knows of: see the graph */
    struct weft_order_round *round;   /* of a barrier at which it has arrived */
    struct weft_order_passed *passed; /* the guard it passed last, or NULL */
    /* What it waits for while it holds locks; NULL: nothing. */
    struct weft_order_combination *awaits;
    struct weft_order_moment awaits_at;
    uint32_t repeats; /* what it told was known */
    uint64_t *more;   /* what it knows it has told, besides; its own */
    char name[64];
};

/* A slot, and all threads that have had it.  Never given back. */
struct weft_order_slot {
    struct weft_order_slot *next; /* of a list of free ones */
    struct weft_order_slot **at;  /* what leads to it there; NULL: in use */
    struct weft_order_time last;  /* that was begun, or has ended with it */
    uint64_t kept;                /* the latest time of a moment */
    size_t moments;               /* that are kept */
};

struct weft_order_lock {
    struct weft_order_lock *next; /* of the same hash */
    const void *object;
    enum weft_kind kind; /* READ for a lock to read and write */
    bool dead;           /* its memory was forgotten */
    uint32_t far;        /* if seen: how many edges to what is searched */
    uint64_t seen;
    struct weft_order_edge *out; /* to what was wanted while it was held */
    uint32_t outs;
    uint32_t stacks; /* that it is on top of */
    struct weft_order_edge *in;
    struct weft_order_combination *wanted;
    struct weft_order_lock *queue;
};

struct weft_order_place {
    struct weft_order_place *next;
    struct weft_dl_place place;
};

/* What a thread holds: a lock, and all that it had before. */
struct weft_order_stack {
    struct weft_order_stack *next;
    struct weft_order_stack *outer; /* NULL: this is the empty one */
    struct weft_order_lock *lock;
    struct weft_order_place *place;
    enum weft_kind kind;
    uint32_t depth;
    bool dead;
};

/* A lock that is wanted while others are held, whoever does it. */
struct weft_order_combination {
    struct weft_order_combination *next;
    struct weft_order_combination *next_wanted; /* of the same lock */
    struct weft_order_stack *held;
    struct weft_order_lock *lock;
    struct weft_order_place *place;
    enum weft_kind kind;
    uint32_t count;
    uint32_t room;
    uint32_t turn; /* the next to be replaced */
    bool dead;
    struct weft_order_moment *moments;
};

/* A lock that was held, and one that was wanted meanwhile. */
struct weft_order_edge {
    struct weft_order_edge *next;
    struct weft_order_edge *next_out;
    struct weft_order_edge *next_in;
    struct weft_order_lock *from;
    struct weft_order_lock *to;
    struct weft_order_link {
        struct weft_order_link *next;
        struct weft_order_combination *combination;
        enum weft_kind kind; /* how it holds `from` */
    } * links;
};

/* Threads that meet at a barrier. */
struct weft_order_round {
    uint32_t holders; /* who has arrived and not left, and the barrier */
    uint32_t count;
    uint32_t parties;
    struct weft_order_clock *clock;
    struct weft_order_arrival {
        struct weft_order_arrival *next;
        struct weft_order_moment moment;
    } * arrivals;
};

#define WEFT_ORDER_POSTS 16 /* of a thread that are kept: the first, the last */

/* What a thread has posted, and taken, of a semaphore. */
struct weft_order_poster {
    struct weft_order_poster *next;
    struct weft_order_node *node;
    uint64_t count;
    uint32_t kept;
    uint32_t turn;
    struct weft_order_post {
        uint64_t from; /* its posts, counted from 1 */
        uint64_t to;
        struct weft_order_moment moment;
    } posts[WEFT_ORDER_POSTS];
};

struct weft_order_taker {
    struct weft_order_taker *next;
    uint64_t count;
    struct weft_order_moment last;
};

#define WEFT_ORDER_LISTENERS 8

/* An object that orders threads. */
struct weft_order_sync {
    struct weft_order_sync *next;
    const void *object;
    enum weft_kind kind; /* ONCE, BARRIER, SEMAPHORE; COND for all that is told;
                            MUTEX for a guard */
    struct weft_order_clock *clock; /* of ONCE, COND: what came before; of
                                       MUTEX: who has passed it */

    struct weft_order_round *round;     /* BARRIER: that is not complete */
    struct weft_order_arrival *members; /* who was ever there */
    bool open; /* more than its parties; told by more than one; posted by who
                  tells nothing */

    bool orders; /* SEMAPHORE: it began at 0, and all posts are known */
    uint32_t threads;
    uint64_t posted;
    struct weft_order_poster *posters;
    struct weft_order_taker *takers;

    struct weft_order_sync *guard;         /* COND */
    struct weft_order_sync *next_of_guard; /* of MUTEX, COND: what is told */
    struct weft_order_moment last;         /* when it was told */
    const struct weft_order_node *teller;  /* he has its guard still, or NULL */
    uint32_t listeners;
    uintptr_t places[WEFT_ORDER_LISTENERS]; /* where those lock the guard */
};

/* How a thread has passed a guard. */
struct weft_order_passed {
    const void *guard;
    uintptr_t place;
    bool first; /* of this thread */
    struct weft_order_clock *before;
    struct weft_order_clock *after;
};

/* A set of places that was told. */
struct weft_order_told {
    struct weft_order_told *next;
    uint64_t mark;
};

#define WEFT_ORDER_CLASSES 80
#define WEFT_ORDER_FILTER  (1 << 15)
#define WEFT_ORDER_PAGES   65536

struct weft_order {
    struct weft_order_options options;
    _Atomic uint32_t taken; /* the lock: 0 free, 1 taken, 2 and waited for */
    _Atomic bool full;      /* nothing more is noted */
    _Atomic bool held_up;   /* for its lock was not to be had */
    _Atomic size_t bytes;

    struct weft_order_found *_Atomic first;
    struct weft_order_found *last;
    bool news;

    char *bump;
    size_t left;
    void *spare[WEFT_ORDER_CLASSES];

    uint32_t slots;
    struct weft_order_slot *free_slots;  /* with moments */
    struct weft_order_slot *clean_slots; /* free ones without */
    uint32_t ended;                      /* threads that nobody has joined */
    struct weft_order_node *eldest;
    struct weft_order_node *youngest;
    uint32_t strangers;            /* how often one has begun or ended */
    struct weft_order_clock *all;  /* of all moments in combinations */
    struct weft_order_clock *gone; /* of strangers that have ended */
    uint64_t seen;
    uint64_t steps; /* of all searches */
    struct weft_order_stack empty;
    size_t live;                  /* locks */
    size_t dead;                  /* locks that are still in edges */
    struct weft_order_lock *ends; /* those */

    size_t mask; /* of the tables */
    struct weft_order_node **nodes;
    struct weft_order_lock **locks;
    struct weft_order_place **places;
    struct weft_order_stack **stacks;
    struct weft_order_combination **combinations;
    struct weft_order_edge **edges;
    struct weft_order_told **told;
    struct weft_order_sync **syncs;
    _Atomic bool blind; /* a handler of a signal has posted unseen */
    /* How many locks and what orders threads are in 64 bytes of memory, or in
     * others. */
    _Atomic uint8_t filter[WEFT_ORDER_FILTER];
    _Atomic uint64_t *pages; /* the same for pages of 4 KiB, 8 in a word */
};

/* --- order.c -------------------------------------------------------------- */

/* Whether a call may note; then it has the lock of the graph until the
 * other. */
bool weft_order_enter_(struct weft_order_thread *t);
void weft_order_leave_(struct weft_order_thread *t);

/* Take the lock; false: it is not to be had, and the graph is full. */
bool weft_order_lock_(struct weft_order *o);
void weft_order_unlock_(struct weft_order *o);

/* The same for a call that no thread is said to make: signals are blocked,
 * since a handler would wait for what it interrupts. */
bool weft_order_lock_alone_(struct weft_order *o, uint64_t *signals);
void weft_order_unlock_alone_(struct weft_order *o, uint64_t signals);

/* Zeroed memory; NULL: the graph is full from then on. */
void *weft_order_take_(struct weft_order *o, size_t bytes);
void weft_order_give_(struct weft_order *o, void *p, size_t bytes);

/* A thread has ended that remembered more than its record has room for. */
void weft_order_drop_more_(struct weft_order *o, struct weft_order_node *n);

/* Stafford's mix of the bits of a number. */
static inline uint64_t
weft_order_hash_(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static inline uint64_t
weft_order_hash_2_(uint64_t x, const void *p)
{
    return weft_order_hash_(x * 31 + (uintptr_t)p);
}

/* --- order_clock.c -------------------------------------------------------- */

/* The present of a thread, for who goes on behind it; keep it, or let go of it
 * that was kept. */
struct weft_order_moment weft_order_now_(struct weft_order_node *n);
void weft_order_keep_(const struct weft_order_moment *m);
void weft_order_let_go_(struct weft_order *o, struct weft_order_moment *m);

/* What `t` does next is not before what others saw of it. */
void weft_order_tick_(struct weft_order_thread *t);

/* `t` goes on behind that moment; behind all of a clock. */
void weft_order_behind_(struct weft_order_thread *t,
                        const struct weft_order_moment *m);
void weft_order_behind_all_(struct weft_order_thread *t,
                            const struct weft_order_clock *c);

void weft_order_drop_clock_(struct weft_order *o, struct weft_order_clock *c);
void weft_order_drop_node_(struct weft_order *o, struct weft_order_node *n);

/* What was told at another time is told again. */
void weft_order_begin_time_(struct weft_order_thread *t);

/* Add a moment to a clock; false: full. */
bool weft_order_merge_(struct weft_order *o, struct weft_order_clock **c,
                       const struct weft_order_moment *m);

/* Whether `a` must come before `b`. */
bool weft_order_is_before_(const struct weft_order_moment *a,
                           const struct weft_order_moment *b);

/* --- order_stranger.c ----------------------------------------------------- */

/* A moment is noted in a combination. */
void weft_order_see_(struct weft_order *o, const struct weft_order_moment *m);

/* A stranger has begun or ended since `t` looked last. */
void weft_order_catch_up_(struct weft_order_thread *t);

/* How far `m` is behind that thread, in its times; 0: not at all. */
uint64_t weft_order_reached_(const struct weft_order_moment *m,
                             const struct weft_order_node *n);

/* --- order_graph.c -------------------------------------------------------- */

/* Whether two who hold one lock so exclude each other. */
static inline bool
weft_order_conflict_(enum weft_kind a, enum weft_kind b)
{
    return a != WEFT_KIND_READ || b != WEFT_KIND_READ;
}

/* Locks side by side are in one bucket: memory is forgotten as a whole. */
static inline struct weft_order_lock **
weft_order_lock_bucket_(struct weft_order *o, uintptr_t address)
{
    return &o->locks[weft_order_hash_(address / 64) & o->mask];
}

static inline struct weft_order_combination **
weft_order_combination_bucket_(struct weft_order *o,
                               const struct weft_order_stack *held,
                               const struct weft_order_lock *lock,
                               const struct weft_order_place *place)
{
    const uint64_t hash =
        weft_order_hash_2_(weft_order_hash_2_((uintptr_t)held, lock), place);

    return &o->combinations[hash & o->mask];
}

/* Note that.  NULL: full, or it holds what it wants.  Set `*is_new` if it was
 * not known. */
struct weft_order_combination *
weft_order_note_(struct weft_order_thread *t, const struct weft_dl_held *wanted,
                 const struct weft_dl_held *held, uint32_t held_count,
                 bool *is_new);

struct weft_order_edge *weft_order_find_edge_(struct weft_order *o,
                                              const struct weft_order_lock *a,
                                              const struct weft_order_lock *b);

/* --- order_forget.c ------------------------------------------------------- */

/* Note that there is something at `object`; no more. */
void weft_order_mark_(struct weft_order *o, const void *object);
void weft_order_unmark_(struct weft_order *o, const void *object);

/* --- order_cycle.c -------------------------------------------------------- */

/* Look for cycles through what was just noted. */
void weft_order_search_(struct weft_order *o, struct weft_order_combination *c,
                        const struct weft_order_moment *m);

/* The same, for a wait for what the thread of `doer` did then. */
void weft_order_search_wait_(struct weft_order *o,
                             struct weft_order_combination *c,
                             const struct weft_order_moment *m,
                             const struct weft_order_moment *doer);

/* --- order_pass.c --------------------------------------------------------- */

/* Whether `n` threads can be at these moments, with what they hold, at once: none
 * has a lock that another had to pass on its way.  How many combinations were
 * looked at is added. */
bool weft_order_go_together_(struct weft_order_combination *const *c,
                             const struct weft_order_moment *at, uint32_t n,
                             uint32_t *looked);

/* --- order_found.c -------------------------------------------------------- */

/* Whether the set of places with that number was told; it is from now on. */
bool weft_order_is_told_(struct weft_order *o, uint64_t mark);
void weft_order_set_told_(struct weft_order *o, uint64_t mark);

/* Add a cycle to what was found; `doubt`: something keeps it apart. */
void weft_order_tell_(struct weft_order *o,
                      struct weft_order_combination *const *path,
                      const struct weft_order_moment *at, uint32_t length,
                      const char *doubt);

/* --- order_sync.c, order_told.c, order_semaphore.c ------------------------ */

struct weft_order_sync *weft_order_find_sync_(struct weft_order *o,
                                              const void *object,
                                              enum weft_kind kind);
struct weft_order_sync *weft_order_get_sync_(struct weft_order *o,
                                             const void *object,
                                             enum weft_kind kind);

/* Those in these bytes are no more, if they are in the table where `address`
 * would be. */
void weft_order_forget_syncs_(struct weft_order *o, uintptr_t address,
                              uintptr_t begin, size_t bytes);

/* What those of a kind have beside their clock is given back. */
void weft_order_drop_told_(struct weft_order *o, struct weft_order_sync *s);
void weft_order_drop_posts_(struct weft_order *o, struct weft_order_sync *s);

/* A thread that has passed a guard has ended. */
void weft_order_drop_passed_(struct weft_order *o, struct weft_order_node *n);

/* `doer` has done what `t` waited for, at that object (NULL: its end), and
 * nobody else could have; its wait is over. */
void weft_order_done_by_(struct weft_order_thread *t, const void *object,
                         const struct weft_order_moment *doer);
void weft_order_wait_over_(struct weft_order_thread *t);

#endif /* WEFT_DEADLOCK_ORDER_IMPL_H */
