/* SPDX-License-Identifier: MIT */
/*
 * graphs.h - the lock of the graph of orders, for tests that include all of
 * Weft: enum weft_order and struct weft_order do not go together.
 */
#ifndef TESTS_GRAPHS_H
#define TESTS_GRAPHS_H

#include <stdbool.h>

/* Take it, or give it back, for any thread. */
void take_graph(void *graph);
void give_graph_back(void *graph);

/* Whether somebody has waited for it for too long. */
bool is_held_up(const void *graph);

#endif /* TESTS_GRAPHS_H */
