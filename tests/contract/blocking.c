/* SPDX-License-Identifier: MIT */
/*
 * blocking.c - every kind of blocking queue there is.
 */
#include "blocking.h"

#include "sleepers.h"

enum kind
kind_of(int form)
{
    return (enum kind)(form / 6);
}

enum weft_impl
impl_of(int form)
{
    return (enum weft_impl)(form / 2 % 3);
}

bool
is_bounded(int form)
{
    return form % 2 != 0;
}

bool
gives_back(int form)
{
    if (impl_of(form) == WEFT_MUTEX || kind_of(form) == LAST_OUT)
        return false;
    return kind_of(form) != FIRST_OUT || !is_bounded(form);
}

void *
item(size_t n)
{
    return (void *)(uintptr_t)n;
}

size_t
number(const void *i)
{
    return (uintptr_t)i;
}

static int
compare(const void *a, const void *b, void *ctx)
{
    const size_t x = number(a) / 1000;
    const size_t y = number(b) / 1000;

    must(ctx == drops);
    return (x > y) - (x < y);
}

static int64_t
key(const void *i, void *ctx)
{
    must(ctx == drops);
    return (int64_t)(number(i) / 1000);
}

weft_queue_options
options_of(int form, size_t capacity)
{
    const enum kind kind = kind_of(form);
    weft_queue_options o = {.impl = impl_of(form), .ctx = drops};

    o.capacity = is_bounded(form) ? capacity : 0;
    o.order = kind == FIRST_OUT  ? WEFT_FIFO
              : kind == LAST_OUT ? WEFT_LIFO
                                 : WEFT_PRIORITY;
    o.compare = kind == LOWEST_COMPARED ? compare : NULL;
    o.key = kind == LOWEST_KEY ? key : NULL;
    return o;
}

weft_queue *
open_options(const weft_queue_options *options)
{
    weft_queue *q = NULL;
    const enum weft_status s = weft_queue_create(&q, options);

    must(s == WEFT_OK || (s == WEFT_INVALID && options->impl != WEFT_MUTEX));
    return q;
}

weft_queue *
open_queue(int form, size_t capacity)
{
    const weft_queue_options o = options_of(form, capacity);

    return open_options(&o);
}

size_t
next_of(enum kind kind, const size_t *model, size_t n)
{
    size_t next = 0;

    if (kind == FIRST_OUT)
        return 0;
    if (kind == LAST_OUT)
        return n - 1;
    for (size_t i = 1; i < n; i++)
        if (model[i] / 1000 < model[next] / 1000)
            next = i;
    return next;
}

void
remove_at(size_t *model, size_t n, size_t i)
{
    for (; i + 1 < n; i++)
        model[i] = model[i + 1];
}

void
put_number(weft_queue *q, size_t n)
{
    must(weft_queue_put(q, item(n), WEFT_NOW) == WEFT_OK);
}

size_t
get_number(weft_queue *q)
{
    void *got = NULL;

    must(weft_queue_get(q, &got, WEFT_NOW) == WEFT_OK);
    return number(got);
}

static void *
run_put(void *arg)
{
    struct call *c = arg;

    c->status = weft_queue_put(c->q, c->item, c->deadline);
    return NULL;
}

static void *
run_get(void *arg)
{
    struct call *c = arg;

    c->status = weft_queue_get(c->q, &c->item, c->deadline);
    return NULL;
}

static void *
run_join(void *arg)
{
    struct call *c = arg;

    c->status = weft_queue_join(c->q, c->deadline);
    return NULL;
}

static void
start(struct call *c, void *(*run)(void *arg))
{
    c->status = WEFT_BUSY;
    must(pthread_create(&c->thread, NULL, run, c) == 0);
}

void
start_put(struct call *c, weft_queue *q, size_t n, weft_deadline deadline)
{
    *c = (struct call){.q = q, .deadline = deadline, .item = item(n)};
    start(c, run_put);
}

void
start_get(struct call *c, weft_queue *q, weft_deadline deadline)
{
    *c = (struct call){.q = q, .deadline = deadline};
    start(c, run_get);
}

void
start_join(struct call *c, weft_queue *q, weft_deadline deadline)
{
    *c = (struct call){.q = q, .deadline = deadline};
    start(c, run_join);
}

enum weft_status
end_of(struct call *c)
{
    must(pthread_join(c->thread, NULL) == 0);
    return c->status;
}

size_t drops[DROPS_MOST];
size_t drop_count;

void
drop_noted(void *i, void *ctx)
{
    must(ctx == drops && drop_count < DROPS_MOST);
    drops[drop_count++] = number(i);
}
