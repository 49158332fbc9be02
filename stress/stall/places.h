/* SPDX-License-Identifier: MIT */
/*
 * places.h - the addresses at which a thread was stopped, and what came of it.
 */
#ifndef STRESS_STALL_PLACES_H
#define STRESS_STALL_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "stall/others.h"

struct place {
    uintptr_t address;
    unsigned fates[FATES];
    const char *state; /* in which others were held up first, or NULL */
};

/* Zero bytes are an empty list. */
struct places {
    struct place *list;
    size_t count;
};

/* One more stop at `address`, on a path that began in `state`. */
void places_add(struct places *p, uintptr_t address, const char *state,
                enum fate f);
void places_merge(struct places *to, const struct places *from);
void places_free(struct places *p);

/* Order them by address. */
void places_sort(struct places *p);

/* How often the others were held up there. */
unsigned place_held(const struct place *p);

/*
 * Write where `address` is as a reader of the source can look it up:
 * "weft_ring_push+0x5c", then the file and the offset that addr2line takes.
 */
#define PLACE_BYTES 256
char *place_symbol(char text[PLACE_BYTES], uintptr_t address);
char *place_file(char text[PLACE_BYTES], uintptr_t address);

#endif /* STRESS_STALL_PLACES_H */
