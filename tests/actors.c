/* SPDX-License-Identifier: MIT */
#include "actors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAPPINGS 4096

struct weft_order *graph;
struct actor actors[ACTORS];
char objects[8 * OBJECTS];
size_t graph_bytes;
uintptr_t here;
int map_fails;
int map_calls;
const struct weft_dl_place at_guard = {{0x9001}};
const struct weft_dl_place elsewhere = {{0x9002}};

static struct {
    void *at;
    size_t bytes;
} mapped[MAPPINGS];

/* Check takes a lock for each assertion, which a handler or a child cannot. */
static void
must(bool is_so)
{
    if (!is_so)
        abort();
}

void *
map_for_test(size_t bytes)
{
    if (++map_calls >= map_fails && map_fails > 0)
        return NULL;
    must(map_calls < MAPPINGS);
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(p != MAP_FAILED);
    mapped[map_calls - 1].at = p;
    mapped[map_calls - 1].bytes = bytes;
    return p;
}

static void
begin_actor(int a)
{
    weft_order_begins_(graph, &actors[a].order, actors[a].id);
}

void
begin_play(bool plain)
{
    const struct weft_order_options options = {
        .bytes = graph_bytes, .plain = plain, .map = map_for_test};

    memset(actors, 0, sizeof(actors));
    for (int a = 0; a < ACTORS; a++)
        actors[a].id = (uint64_t)a + 1;
    here = 0;
    graph = weft_order_create_(&options);
    if (graph != NULL)
        begin_actor(0);
}

void
end_play(void)
{
    for (int i = 0; i < map_calls; i++)
        if (mapped[i].at != NULL)
            munmap(mapped[i].at, mapped[i].bytes);
    memset(mapped, 0, sizeof(mapped));
    map_calls = 0;
    graph_bytes = 0;
    graph = NULL;
}

void
start(int a, int b)
{
    weft_order_creates_(&actors[a].order, actors[b].id);
    begin_actor(b);
}

void
begin_with(int n)
{
    begin_play(false);
    for (int a = 1; a < n; a++)
        start(0, a);
}

void
appear(int a)
{
    begin_actor(a);
}

void
join(int a, int b)
{
    weft_order_ends_(&actors[b].order);
    weft_order_joins_(&actors[a].order, actors[b].id);
}

static struct weft_dl_held
draw_held(int lock, enum weft_kind kind)
{
    uintptr_t place = here != 0 ? here : 0x1000 + (uintptr_t)lock;

    if (here == NOWHERE)
        place = 0;
    return (struct weft_dl_held){OBJECT(lock), kind, {{place}}};
}

void catch (int a, int lock, enum weft_kind kind)
{
    struct actor *t = &actors[a];

    must(t->count < ACTOR_HELD);
    weft_order_holds_(&t->order, OBJECT(lock), kind);
    t->held[t->count++] = draw_held(lock, kind);
}

void
take(int a, int lock, enum weft_kind kind)
{
    struct actor *t = &actors[a];
    const struct weft_dl_held wanted = draw_held(lock, kind);

    if (!weft_order_knows_(&t->order, wanted.object, kind))
        weft_order_wants_(&t->order, &wanted, t->held, t->count);
    catch (a, lock, kind);
}

void
give(int a, int lock, enum weft_kind kind)
{
    struct actor *t = &actors[a];
    uint32_t i = t->count;

    while (i-- > 0)
        if (t->held[i].object == OBJECT(lock) && t->held[i].kind == kind)
            break;
    must(i < t->count);
    weft_order_drops_(&t->order, OBJECT(lock), kind);
    t->count--;
    memmove(&t->held[i], &t->held[i + 1], (t->count - i) * sizeof(t->held[0]));
}

void
nest(int a, int first, int second)
{
    lock(a, first);
    lock(a, second);
    unlock(a, second);
    unlock(a, first);
}

void
nest_3(int a, int first, int second, int third)
{
    lock(a, first);
    nest(a, second, third);
    unlock(a, first);
}

void
meet_at(const void *barrier, int n)
{
    for (int a = 0; a < n; a++)
        weft_order_arrives_(T(a), barrier, (uint32_t)n);
    for (int a = 0; a < n; a++)
        weft_order_leaves_(T(a), barrier);
}

void
lock_guard(int a, const struct weft_dl_place *place)
{
    lock(a, GUARD);
    if (weft_order_is_guard_(OBJECT(GUARD)))
        weft_order_passes_(T(a), OBJECT(GUARD), place);
}

void
unlock_guard(int a)
{
    if (weft_order_is_guard_(OBJECT(GUARD)))
        weft_order_frees_(T(a), OBJECT(GUARD));
    unlock(a, GUARD);
}

void
tell(int a, const void *cond)
{
    lock_guard(a, &elsewhere);
    weft_order_tells_(T(a), cond, OBJECT(GUARD));
    unlock_guard(a);
}

int
found_count(void)
{
    int n = 0;

    for (const struct weft_order_found *f = weft_order_first_(graph); f != NULL;
         f = atomic_load_explicit(&f->next, memory_order_acquire))
        n++;
    return n;
}

const struct weft_order_found *
found_at(int i)
{
    const struct weft_order_found *f = weft_order_first_(graph);

    for (; i > 0; i--)
        f = atomic_load_explicit(&f->next, memory_order_acquire);
    return f;
}
