/* SPDX-License-Identifier: MIT */
/*
 * containers_body.c - what the threads do to a container.
 *
 * A thread that is sent SIGUSR2 stops for a moment wherever it is, in the
 * middle of a call, too.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "soak/containers.h"

#define STOP_NS       100000
#define LONG_STOP_NS  1000000
#define STOP_ONE_IN   512
#define CANCEL_ONE_IN 4096
#define SIZE_ONE_IN   32
#define BATCH_ONE_IN  8
#define PAUSE_ONE_IN  8
#define BURST         32
#define VICTIM_PUSHES 1000

static const struct soak_container_ops *
ops_of(const struct soak_hand *h)
{
    return h->run->subject->ops;
}

static void
stop_here(int signal)
{
    static _Atomic unsigned stops;
    const unsigned nth =
        atomic_fetch_add_explicit(&stops, 1, memory_order_relaxed);
    const int error = errno;

    (void)signal;
    /* Not nanosleep: a cancelled thread would end there, amid any call. */
    syscall(
        SYS_nanosleep,
        &(struct timespec){.tv_nsec = nth % 8 == 0 ? LONG_STOP_NS : STOP_NS},
        NULL);
    errno = error;
}

/* Stop another thread where it is. */
static void
stop_one(struct soak_hand *h)
{
    const unsigned other = soak_below(h, h->count);
    const pid_t tid =
        atomic_load_explicit(&h->run->hands[other].tid, memory_order_relaxed);

    if (other != h->index && tid != 0)
        syscall(SYS_tgkill, getpid(), tid, SIGUSR2);
}

static size_t
draw_n(struct soak_hand *h, bool has_batches)
{
    return has_batches && soak_one_in(h, BATCH_ONE_IN)
               ? 2 + soak_below(h, SOAK_BATCH - 1)
               : 1;
}

/* --- a producer that is cancelled ---------------------------------------- */

/* It pushes under the name of the thread that waits for its end. */
static void *
push_until_cancelled(void *arg)
{
    struct soak_hand *h = arg;

    soak_no_parcels = ops_of(h)->round != NULL; /* its push may wait */
    for (unsigned i = 0; i < VICTIM_PUSHES && !soak_has_failed(h); i++) {
        pthread_testcancel();
        if (!soak_push(h, draw_n(h, ops_of(h)->push_n != NULL)))
            sched_yield();
    }
    return NULL;
}

static void
cancel_one(struct soak_hand *h)
{
    struct soak_hand victim = {
        .run = h->run, .state = h->state, .index = h->index, .count = h->count};

    prng_seed(&victim.random, prng_next(&h->random), 0);
    soak_at(h, "the end of a cancelled producer");
    h->tally[SOAK_CANCELLED] += soak_cancel(h, push_until_cancelled, &victim);
    h->tally[SOAK_PUSHED] += victim.tally[SOAK_PUSHED];
}

/* --- a turn -------------------------------------------------------------- */

static void
look_at_size(struct soak_hand *h)
{
    const struct soak_case *s = h->state;

    if (ops_of(h)->size == NULL)
        return;
    soak_at(h, "size");
    const size_t size = ops_of(h)->size(s->container);
    if (ops_of(h)->bounded && size > s->capacity)
        soak_fault(h->run, "its size is %zu, above its capacity of %zu", size,
                   s->capacity);
}

static void
push_some(struct soak_hand *h)
{
    if (soak_one_in(h, CANCEL_ONE_IN))
        cancel_one(h);
    else
        soak_push(h, draw_n(h, ops_of(h)->push_n != NULL));
}

static void
pop_some(struct soak_hand *h)
{
    struct soak_case *s = h->state;
    const struct soak_container_ops *ops = ops_of(h);

    /* Only a fifo keeps an order among those that pop. */
    soak_pop(h, draw_n(h, ops->pop_n != NULL), &s->books[h->index].trail,
             ops->order == SOAK_FIFO ? SOAK_FIFO : SOAK_LOOSE);
}

/* Of those that do this alone: for a while, if nobody does it. */
static void
be_alone(struct soak_hand *h, bool push)
{
    struct soak_case *s = h->state;
    const bool owner = ops_of(h)->sides == SOAK_ONE_OWNER;
    pthread_mutex_t *side = &s->sides[owner ? 0 : push];

    if (pthread_mutex_trylock(side) != 0) {
        if (owner)
            soak_steal(h, &s->books[h->index].trail);
        return;
    }
    for (unsigned left = 1 + soak_below(h, BURST);
         left > 0 && !soak_has_failed(h); left--)
        if (owner ? soak_below(h, 8) < s->tide : push)
            push_some(h);
        else
            pop_some(h);
    pthread_mutex_unlock(side);
}

void
soak_turn_of_any(struct soak_hand *h)
{
    const struct soak_case *s = h->state;
    const bool push = soak_below(h, 8) < s->tide;

    if (soak_one_in(h, PAUSE_ONE_IN))
        soak_pause(h);
    if (soak_one_in(h, STOP_ONE_IN))
        stop_one(h);
    if (soak_one_in(h, SIZE_ONE_IN))
        look_at_size(h);
    if (ops_of(h)->sides != SOAK_ANYBODY)
        be_alone(h, push);
    else if (push)
        push_some(h);
    else
        pop_some(h);
}

static void
take_turns(struct soak_hand *h)
{
    const struct soak_case *s = h->state;

    for (unsigned i = 0; i < s->turns && soak_goes_on(h); i++) {
        soak_turn_of_any(h);
        soak_turn(h);
    }
}

void
soak_case_body(struct soak_hand *h)
{
    struct soak_case *s = h->state;

    do {
        soak_at(h, "the meeting at the end of a round");
        if (!soak_meet(h, &s->meeting))
            return;
        if (h->index == 0)
            soak_settle(h);
        if (!soak_meet(h, &s->meeting))
            return;
        if (!s->over && ops_of(h)->round != NULL)
            ops_of(h)->round(h);
        else if (!s->over)
            take_turns(h);
        soak_turn(h);
    } while (!s->over);
}

bool
soak_case_open(struct soak_run *run, void *state)
{
    const struct sigaction stop = {.sa_handler = stop_here,
                                   .sa_flags = SA_RESTART};
    struct soak_case *s = state;

    (void)run;
    soak_meeting_init(&s->meeting);
    pthread_mutex_init(&s->sides[0], NULL);
    pthread_mutex_init(&s->sides[1], NULL);
    return sigaction(SIGUSR2, &stop, NULL) == 0;
}

void
soak_case_close(struct soak_run *run, void *state)
{
    struct soak_case *s = state;

    /* After a fault nothing is known of what is in it. */
    for (unsigned i = 0;
         i < run->threads &&
         !atomic_load_explicit(&run->failed, memory_order_relaxed);
         i++)
        soak_free_kept(&s->books[i]);
}
