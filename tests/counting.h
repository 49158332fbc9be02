/* SPDX-License-Identifier: MIT */
/*
 * counting.h - what the tests of counters are run over, and on which CPUs.
 */
#ifndef TESTS_COUNTING_H
#define TESTS_COUNTING_H

#include "container/counter.h"

/*
 * What a test is run over: the kinds, and PERCPU as it is where the system has
 * no restartable sequences, and where CPUs have numbers beyond the table.
 */
enum variant {
    VARIANT_PERCPU = WEFT_COUNTER_PERCPU,
    VARIANT_ATOMIC = WEFT_COUNTER_ATOMIC,
    VARIANT_MUTEX = WEFT_COUNTER_MUTEX,
    VARIANT_STRIPED,
    VARIANT_SHORT,
    VARIANTS
};

weft_counter *make_counter(int variant);

/* Learn the CPUs that this process may use; how many. */
int learn_cpus(void);
/* Move the calling thread to the next of them. */
void move_on(void);

/*
 * Run the whole program `name` again without restartable sequences, by glibc's
 * own switch.
 */
void must_hold_without_registration(const char *name);

#endif /* TESTS_COUNTING_H */
