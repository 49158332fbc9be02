/* SPDX-License-Identifier: MIT */
/*
 * 16_timer.c - call a function later, or think better of it.
 *
 * All timers share one thread, which calls them in the order of their time, not
 * of their start: the egg is first.  So a timer's function is short; a long one
 * delays the others, and should set an event or fill a queue instead.  A timer
 * keeps no program alive: without the joins, main would end before the soup.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static void
ready(void *dish)
{
    printf("the %s is ready\n", (char *)dish);
}

int
main(void)
{
    const weft_deadline due = weft_in_ms(600);
    weft_timer *soup;
    weft_timer *egg;
    weft_timer *turkey;

    if (weft_timer_start(&soup, due, ready, "soup") != WEFT_OK ||
        weft_timer_start(&egg, weft_in_ms(300), ready, "egg") != WEFT_OK ||
        weft_timer_start(&turkey, weft_in_s(3600), ready, "turkey") != WEFT_OK)
        return EXIT_FAILURE;
    printf("no turkey today: %s\n",
           weft_timer_cancel(turkey) ? "cancelled" : "too late");
    if (weft_timer_join(egg, WEFT_FOREVER) != WEFT_OK ||
        weft_timer_join(soup, WEFT_FOREVER) != WEFT_OK)
        return EXIT_FAILURE;
    printf("the soup came %s its time\n",
           weft_in_ns(1) > due ? "not before" : "before");
    printf("no soup: %s\n", weft_timer_cancel(soup) ? "cancelled" : "too late");
    printf("the turkey: %s\n",
           weft_status_name(weft_timer_join(turkey, WEFT_FOREVER)));
    weft_timer_release(soup);
    weft_timer_release(egg);
    weft_timer_release(turkey);
}
