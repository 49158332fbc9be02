/* SPDX-License-Identifier: MIT */
/*
 * containers_items.c - items that tell where they come from, and what may be
 * said of one that comes out.
 *
 *     NULL            said of it: how many
 *     value * 2 + 1   the value says who pushed it, as the how many-th
 *     a parcel        the same in plain memory, which its producer wrote and
 *                     its consumer reads and frees
 *
 * A parcel is freed some items later, so that one that comes out twice is told
 * apart from what else lies there.  A broken container gets none.
 *
 * Ordering.  None of our own: a producer announces its number before it pushes,
 * and the container is what makes that seen.
 */
#include <stdlib.h>

#include "memory.h"
#include "soak/containers.h"

#define NUMBER_BITS   40
#define NUMBER_MASK   ((UINT64_C(1) << NUMBER_BITS) - 1)
#define NULL_ONE_IN   64
#define PARCEL_ONE_IN 16

struct parcel {
    uint64_t value;
    uint64_t check; /* ~value */
    _Atomic bool taken;
};

_Thread_local bool soak_no_parcels;

static bool
is_parcel(const void *item)
{
    return ((uintptr_t)item & 1) == 0;
}

static uint64_t
value_of(const void *item)
{
    return is_parcel(item) ? ((const struct parcel *)item)->value
                           : (uint64_t)(uintptr_t)item >> 1;
}

static uint64_t
hash_of(uint64_t value)
{
    return prng_mix(&value);
}

void *
soak_item(struct soak_hand *h, uint64_t number)
{
    const uint64_t value = (uint64_t)(h->index + 1) << NUMBER_BITS | number;

    if (soak_one_in(h, NULL_ONE_IN))
        return NULL;
    if (h->run->subject->broken || soak_no_parcels ||
        !soak_one_in(h, PARCEL_ONE_IN))
        return (void *)(uintptr_t)(value << 1 | 1);
    struct parcel *p = must_have(1, sizeof(*p));
    *p = (struct parcel){.value = value, .check = ~value};
    return p;
}

void
soak_item_back(void *item)
{
    if (is_parcel(item))
        free(item);
}

unsigned
soak_item_key(const void *item)
{
    return item == NULL ? 0 : (unsigned)(hash_of(value_of(item)) % SOAK_KEYS);
}

void
soak_went_in(struct soak_hand *h, void *const *items, size_t n)
{
    struct soak_case *s = h->state;
    struct soak_book *b = &s->books[h->index];

    for (size_t i = 0; i < n; i++) {
        const uint64_t number = ++b->pushed;
        b->in.count++;
        if (items[i] == NULL)
            b->in.nulls++;
        else
            b->in.hash +=
                hash_of((uint64_t)(h->index + 1) << NUMBER_BITS | number);
    }
    h->tally[SOAK_PUSHED] += n;
}

void
soak_free_kept(struct soak_book *b)
{
    for (unsigned i = 0; i < SOAK_KEPT; i++) {
        free(b->kept[i]);
        b->kept[i] = NULL;
    }
}

/* Read a parcel, and keep it for a while; 0 if it is none any more. */
static uint64_t
open_parcel(struct soak_hand *h, struct parcel *p)
{
    struct soak_case *s = h->state;
    struct soak_book *b = &s->books[h->index];

    if (atomic_exchange_explicit(&p->taken, true, memory_order_relaxed)) {
        soak_fault(h->run, "a parcel came out twice");
        return 0;
    }
    if (p->check != ~p->value) {
        soak_fault(h->run, "a parcel is not what its producer wrote");
        return 0;
    }
    const uint64_t value = p->value;
    free(b->kept[b->next_kept]);
    b->kept[b->next_kept] = p;
    b->next_kept = (b->next_kept + 1) % SOAK_KEPT;
    return value;
}

/* Whether it may follow what was seen, and see it. */
static void
follow(struct soak_hand *h, struct soak_trail *t, enum soak_order order,
       unsigned producer, uint64_t number, unsigned key)
{
    const uint64_t last = t->last[producer];
    bool wrong = false;

    switch (order) {
    case SOAK_FIFO:
        wrong = number <= last;
        break;
    case SOAK_LIFO:
        wrong = last != 0 && number >= last;
        break;
    case SOAK_SORTED:
        if (key < t->key)
            soak_fault(h->run, "key %u came out after key %u", key, t->key);
        wrong = key == t->key && number <= last;
        break;
    case SOAK_LOOSE:
        return;
    }
    if (wrong)
        soak_fault(h->run, "item %llu of thread %u came out after item %llu",
                   (unsigned long long)number, producer,
                   (unsigned long long)last);
    if (order == SOAK_SORTED && key != t->key)
        *t = (struct soak_trail){.key = key};
    t->last[producer] = number;
}

void
soak_came_out(struct soak_hand *h, void *item, struct soak_trail *trail,
              enum soak_order order)
{
    struct soak_case *s = h->state;
    struct soak_book *b = &s->books[h->index];

    h->tally[SOAK_POPPED]++;
    b->out.count++;
    if (item == NULL) {
        b->out.nulls++;
        if (order == SOAK_SORTED && trail->key != 0)
            soak_fault(h->run, "key 0 came out after key %u", trail->key);
        return;
    }
    const uint64_t value =
        is_parcel(item) ? open_parcel(h, item) : value_of(item);
    const uint64_t from = value >> NUMBER_BITS;
    const uint64_t number = value & NUMBER_MASK;
    if (soak_has_failed(h))
        return;
    if (from == 0 || from > h->count ||
        number > atomic_load_explicit(&s->books[from - 1].announced,
                                      memory_order_relaxed)) {
        soak_fault(h->run, "%p came out, which has not gone in", item);
        return;
    }
    b->out.hash += hash_of(value);
    follow(h, trail, order, (unsigned)(from - 1), number,
           (unsigned)(hash_of(value) % SOAK_KEYS));
}
