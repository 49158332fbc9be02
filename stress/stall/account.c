/* SPDX-License-Identifier: MIT */
/*
 * account.c - items are numbers: the owner above, the place in its sequence
 * below.
 */
#include "stall/account.h"

#include "random.h"

#define SHIFT  40
#define NUMBER ((UINT64_C(1) << SHIFT) - 1)

static uint64_t
mixed(uint64_t item)
{
    return prng_mix(&item);
}

void
accounts_init(struct account accounts[ACCOUNTS])
{
    for (unsigned i = 0; i < ACCOUNTS; i++)
        accounts[i] = (struct account){.owner = i};
}

void *
account_item(const struct account *a, uint64_t ahead)
{
    return (void *)(uintptr_t)((uint64_t)a->owner << SHIFT | (a->in + ahead));
}

void
account_pushed(struct account *a, size_t n)
{
    for (; n > 0; n--) {
        a->in_sum += mixed((uintptr_t)account_item(a, 0));
        a->in++;
    }
}

void
account_popped(struct account *a, void *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t item = (uintptr_t)items[i];
        const uint64_t owner = item >> SHIFT;

        a->out++;
        a->out_sum += mixed(item);
        if (owner >= ACCOUNTS) {
            a->garbled = true;
            continue;
        }
        if ((item & NUMBER) < a->after[owner])
            a->disordered = true;
        a->after[owner] = (item & NUMBER) + 1;
    }
}

const char *
accounts_check(const struct account accounts[ACCOUNTS])
{
    struct account all = {0};

    for (unsigned i = 0; i < ACCOUNTS; i++) {
        all.in += accounts[i].in;
        all.in_sum += accounts[i].in_sum;
        all.out += accounts[i].out;
        all.out_sum += accounts[i].out_sum;
        all.disordered = all.disordered || accounts[i].disordered;
        all.garbled = all.garbled || accounts[i].garbled;
    }
    if (all.garbled)
        return "an item came out that nobody put in";
    if (all.out < all.in)
        return "items were lost";
    if (all.out > all.in)
        return "items came out twice";
    if (all.out_sum != all.in_sum)
        return "other items came out than were put in";
    if (all.disordered)
        return "items of one thread came out of order";
    return NULL;
}
