/* SPDX-License-Identifier: MIT */
/*
 * soak_containers.c - `weft-stress soak containers`: what the containers
 * promise, one form after another, each in many threads for a share of the
 * time.
 */
#include "soak/containers.h"
#include "soak/rows.h"

extern const struct soak_subject soak_deque;
extern const struct soak_subject soak_fifo_lockfree;
extern const struct soak_subject soak_fifo_lockless;
extern const struct soak_subject soak_fifo_mutex;
extern const struct soak_subject soak_heap_compare_lockfree;
extern const struct soak_subject soak_heap_compare_mutex;
extern const struct soak_subject soak_heap_keyed_lockfree;
extern const struct soak_subject soak_heap_keyed_mutex;
extern const struct soak_subject soak_queue_fifo_lockfree_bounded;
extern const struct soak_subject soak_queue_fifo_lockfree_unbounded;
extern const struct soak_subject soak_queue_fifo_lockless_bounded;
extern const struct soak_subject soak_queue_fifo_lockless_unbounded;
extern const struct soak_subject soak_queue_fifo_mutex_bounded;
extern const struct soak_subject soak_queue_fifo_mutex_unbounded;
extern const struct soak_subject soak_queue_lifo_lockfree_bounded;
extern const struct soak_subject soak_queue_lifo_lockfree_unbounded;
extern const struct soak_subject soak_queue_lifo_lockless_bounded;
extern const struct soak_subject soak_queue_lifo_lockless_unbounded;
extern const struct soak_subject soak_queue_lifo_mutex_bounded;
extern const struct soak_subject soak_queue_lifo_mutex_unbounded;
extern const struct soak_subject soak_queue_priority_lockfree_bounded;
extern const struct soak_subject soak_queue_priority_lockfree_unbounded;
extern const struct soak_subject soak_queue_priority_lockless_bounded;
extern const struct soak_subject soak_queue_priority_lockless_unbounded;
extern const struct soak_subject soak_queue_priority_mutex_bounded;
extern const struct soak_subject soak_queue_priority_mutex_unbounded;
extern const struct soak_subject soak_ring_lockfree;
extern const struct soak_subject soak_ring_lockless;
extern const struct soak_subject soak_ring_mutex;
extern const struct soak_subject soak_spsc_lockfree;
extern const struct soak_subject soak_spsc_mutex;
extern const struct soak_subject soak_stack_lockfree;
extern const struct soak_subject soak_stack_mutex;

/* clang-format off */
const struct soak_subject *const soak_containers[] = {
    &soak_deque,
    &soak_fifo_lockfree,
    &soak_fifo_lockless,
    &soak_fifo_mutex,
    &soak_heap_compare_lockfree,
    &soak_heap_compare_mutex,
    &soak_heap_keyed_lockfree,
    &soak_heap_keyed_mutex,
    &soak_queue_fifo_lockfree_bounded,
    &soak_queue_fifo_lockfree_unbounded,
    &soak_queue_fifo_lockless_bounded,
    &soak_queue_fifo_lockless_unbounded,
    &soak_queue_fifo_mutex_bounded,
    &soak_queue_fifo_mutex_unbounded,
    &soak_queue_lifo_lockfree_bounded,
    &soak_queue_lifo_lockfree_unbounded,
    &soak_queue_lifo_lockless_bounded,
    &soak_queue_lifo_lockless_unbounded,
    &soak_queue_lifo_mutex_bounded,
    &soak_queue_lifo_mutex_unbounded,
    &soak_queue_priority_lockfree_bounded,
    &soak_queue_priority_lockfree_unbounded,
    &soak_queue_priority_lockless_bounded,
    &soak_queue_priority_lockless_unbounded,
    &soak_queue_priority_mutex_bounded,
    &soak_queue_priority_mutex_unbounded,
    &soak_ring_lockfree,
    &soak_ring_lockless,
    &soak_ring_mutex,
    &soak_spsc_lockfree,
    &soak_spsc_mutex,
    &soak_stack_lockfree,
    &soak_stack_mutex,
};
/* clang-format on */
const size_t soak_container_count =
    sizeof(soak_containers) / sizeof(soak_containers[0]);

static enum outcome
run(const struct options *o, struct report *r)
{
    const struct soak_list list = {
        .name = "containers",
        .column = "container",
        .stuck = "is stuck",
        .subjects = soak_containers,
        .count = soak_container_count,
    };

    return soak_rows(&list, o, r);
}

const struct scenario soak_container_scenario = {
    .command = "soak",
    .name = "containers",
    .summary = "containers by many threads: is an item lost, doubled, out of "
               "order?",
    .run = run,
    .extras = soak_extras,
};
