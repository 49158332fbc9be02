/* SPDX-License-Identifier: MIT */
/*
 * account.h - what went into a queue and what came out of it.
 *
 * Each thread has an account and pushes items of its own numbering.  Items are
 * not stored: counts and sums of well mixed items say whether the same ones
 * came out, once each, and each account remembers the last number it has seen
 * of every thread.  The first item of account 0 is NULL.
 */
#ifndef STRESS_STALL_ACCOUNT_H
#define STRESS_STALL_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stall/subject.h"

#define ACCOUNT_VICTIM SUBJECT_OTHERS_MOST
#define ACCOUNTS       (SUBJECT_OTHERS_MOST + 1)

struct account {
    unsigned owner; /* its index */
    uint64_t in;    /* items pushed; the next one's number */
    uint64_t in_sum;
    uint64_t out;
    uint64_t out_sum;
    uint64_t after[ACCOUNTS]; /* number after the last one seen, of each */
    bool disordered;
    bool garbled; /* it saw what nobody pushed */
};

void accounts_init(struct account accounts[ACCOUNTS]);

/* The item that is `ahead` of the next one to push. */
void *account_item(const struct account *a, uint64_t ahead);

/* The first `n` of them were accepted. */
void account_pushed(struct account *a, size_t n);

/* These came out. */
void account_popped(struct account *a, void *const *items, size_t n);

/* The queue is empty and nobody uses it: NULL or what is wrong, in words. */
const char *accounts_check(const struct account accounts[ACCOUNTS]);

#endif /* STRESS_STALL_ACCOUNT_H */
