/* SPDX-License-Identifier: MIT */
/*
 * scenarios.c - the one list of what weft-stress can run.
 */
#include "scenario.h"

const struct command commands[] = {
    {"tour", "what a race is, how it is cured, and what the cures cost"},
    {"race", "updates that get lost, and the ways to keep them"},
    {"deadlock", "threads that wait for each other, and who finds them"},
    {"bench", "how fast, beside the other ways to do the same"},
    {"soak", "the same for long: does what must hold still hold"},
    {"stall", "a thread stopped inside a call: who else is held up"},
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

extern const struct scenario bench_barrier;
extern const struct scenario bench_cond;
extern const struct scenario bench_counter;
extern const struct scenario bench_deadlock;
extern const struct scenario bench_deque;
extern const struct scenario bench_event;
extern const struct scenario bench_fifo;
extern const struct scenario bench_heap;
extern const struct scenario bench_mutex;
extern const struct scenario bench_pool;
extern const struct scenario bench_queue;
extern const struct scenario bench_ring;
extern const struct scenario bench_rmutex;
extern const struct scenario bench_once;
extern const struct scenario bench_rwlock;
extern const struct scenario bench_semaphore;
extern const struct scenario bench_spsc;
extern const struct scenario bench_stack;
extern const struct scenario bench_thread;
extern const struct scenario deadlock_could_join;
extern const struct scenario deadlock_could_philosophers;
extern const struct scenario deadlock_could_read_write;
extern const struct scenario deadlock_could_two_locks;
extern const struct scenario deadlock_fork_join;
extern const struct scenario deadlock_futures;
extern const struct scenario deadlock_gate_lock;
extern const struct scenario deadlock_join_cycle;
extern const struct scenario deadlock_lost_signal;
extern const struct scenario deadlock_memory;
extern const struct scenario deadlock_missing_party;
extern const struct scenario deadlock_ordered;
extern const struct scenario deadlock_orphaned;
extern const struct scenario deadlock_own_pool;
extern const struct scenario deadlock_patience;
extern const struct scenario deadlock_philosophers;
extern const struct scenario deadlock_self_lock;
extern const struct scenario deadlock_semaphores;
extern const struct scenario deadlock_two_locks;
extern const struct scenario deadlock_upgrade;
extern const struct scenario race_lost_update;
extern const struct scenario race_read_modify_write;
extern const struct scenario soak_container_scenario;
extern const struct scenario soak_counter;
extern const struct scenario soak_fifo;
extern const struct scenario soak_pool_scenario;
extern const struct scenario soak_sync;
extern const struct scenario stall_counter;
extern const struct scenario stall_deque;
extern const struct scenario stall_fifo;
extern const struct scenario stall_heap;
extern const struct scenario stall_queue;
extern const struct scenario stall_ring;
extern const struct scenario stall_spsc;
extern const struct scenario stall_stack;
extern const struct scenario tour;

/* A line for each, so that two branches can both add one. */
/* clang-format off */
const struct scenario *const scenarios[] = {
    &tour,
    &race_lost_update,
    &race_read_modify_write,
    &deadlock_two_locks,
    &deadlock_philosophers,
    &deadlock_self_lock,
    &deadlock_upgrade,
    &deadlock_orphaned,
    &deadlock_join_cycle,
    &deadlock_lost_signal,
    &deadlock_missing_party,
    &deadlock_semaphores,
    &deadlock_own_pool,
    &deadlock_futures,
    &deadlock_could_two_locks,
    &deadlock_could_philosophers,
    &deadlock_could_read_write,
    &deadlock_could_join,
    &deadlock_gate_lock,
    &deadlock_ordered,
    &deadlock_fork_join,
    &deadlock_patience,
    &deadlock_memory,
    &bench_barrier,
    &bench_counter,
    &bench_deadlock,
    &bench_deque,
    &bench_fifo,
    &bench_heap,
    &bench_once,
    &bench_pool,
    &bench_queue,
    &bench_ring,
    &bench_rwlock,
    &bench_spsc,
    &bench_semaphore,
    &bench_event,
    &bench_cond,
    &bench_mutex,
    &bench_rmutex,
    &bench_stack,
    &bench_thread,
    &soak_container_scenario,
    &soak_counter,
    &soak_fifo,
    &soak_pool_scenario,
    &soak_sync,
    &stall_ring,
    &stall_fifo,
    &stall_spsc,
    &stall_stack,
    &stall_deque,
    &stall_heap,
    &stall_queue,
    &stall_counter,
};
/* clang-format on */
const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);
