/* SPDX-License-Identifier: MIT */
#include "graphs.h"

#include <stdlib.h>

#include "deadlock/order_impl.h"

void
take_graph(void *graph)
{
    if (!weft_order_lock_(graph))
        abort();
}

void
give_graph_back(void *graph)
{
    weft_order_unlock_(graph);
}

bool
is_held_up(const void *graph)
{
    return weft_order_is_held_up_(graph);
}
