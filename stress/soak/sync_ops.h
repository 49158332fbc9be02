/* SPDX-License-Identifier: MIT */
/*
 * sync_ops.h - how the subjects of the soak call their primitives.  An object
 * has SOAK_OBJECT_BYTES bytes, zeroed.
 */
#ifndef STRESS_SOAK_SYNC_OPS_H
#define STRESS_SOAK_SYNC_OPS_H

#include <weft/deadline.h>
#include <weft/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct soak_mutex_ops {
    enum weft_status (*lock)(void *m);
    enum weft_status (*trylock)(void *m);
    enum weft_status (*lock_until)(void *m, weft_deadline deadline);
    enum weft_status (*unlock)(void *m);
    bool (*is_locked)(const void *m);
    uint64_t (*owner)(const void *m);
    uint32_t (*depth)(const void *m); /* NULL: its owner cannot lock it again */
};

struct soak_rwlock_ops {
    enum weft_status (*read_lock)(void *l, weft_deadline deadline);
    enum weft_status (*read_unlock)(void *l);
    enum weft_status (*write_lock)(void *l, weft_deadline deadline);
    enum weft_status (*write_unlock)(void *l);
};

struct soak_semaphore_ops {
    enum weft_status (*init)(void *s, uint32_t value, uint32_t max);
    enum weft_status (*acquire)(void *s, weft_deadline deadline);
    enum weft_status (*release)(void *s, uint32_t n);
    uint32_t (*value)(const void *s);
};

struct soak_event_ops {
    void (*set)(void *e);
    void (*clear)(void *e);
    bool (*is_set)(const void *e);
    enum weft_status (*wait)(void *e, weft_deadline deadline);
};

/* The object is the condition, with its lock. */
struct soak_cond_ops {
    void (*init)(void *c);
    enum weft_status (*lock)(void *c);
    enum weft_status (*unlock)(void *c);
    enum weft_status (*wait)(void *c, weft_deadline deadline);
    enum weft_status (*notify)(void *c, size_t n);
    enum weft_status (*notify_all)(void *c);
};

struct soak_barrier_ops {
    enum weft_status (*init)(void *b, uint32_t parties,
                             enum weft_status (*action)(void *ctx), void *ctx);
    enum weft_status (*wait)(void *b, weft_deadline deadline, size_t *index);
    void (*reset)(void *b);
    void (*abort)(void *b);
    bool (*is_broken)(const void *b);
    size_t (*waiting)(const void *b);
};

struct soak_once_ops {
    enum weft_status (*run)(void *o, enum weft_status (*fn)(void *ctx),
                            void *ctx);
};

struct soak_timer_ops {
    enum weft_status (*start)(void **out, weft_deadline when,
                              void (*fn)(void *arg), void *arg);
    bool (*cancel)(void *t);
    enum weft_status (*join)(void *t, weft_deadline deadline);
    void (*release)(void *t);
};

struct soak_thread_ops {
    enum weft_status (*start)(void **out, void *(*fn)(void *arg), void *arg);
    enum weft_status (*join)(void *t, weft_deadline deadline, void **result);
    void (*release)(void *t);
    uint64_t (*id)(const void *t);
};

#endif /* STRESS_SOAK_SYNC_OPS_H */
