/* SPDX-License-Identifier: MIT */
/*
 * deadlock/values.h - the values of options of weft-deadlock.
 */
#ifndef WEFT_DEADLOCK_VALUES_H
#define WEFT_DEADLOCK_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds from a text in seconds: "2", "0.5"; 0: it is none, not more than
 * nothing, or more than a year. */
int64_t weft_value_ms_(const char *text);

/* The number of a signal from its name or number: "QUIT", "SIGUSR1", "12"; 0: it
 * is none, or one that no handler can get or that is a fault's. */
int weft_value_signal_(const char *text);

#endif /* WEFT_DEADLOCK_VALUES_H */
