/* SPDX-License-Identifier: MIT */
/*
 * shim_dump.c - what all threads do, in words and in JSON.
 *
 * Each thread as the kernel has it, with what its record says if it has one.
 * Only the checker dumps: all is in memory of its own.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <weft/deadline.h>

#include "deadlock/shim_dump.h"
#include "deadlock/shim_suppress.h"

#define NAMES_MS 4000

static struct weft_shim_picture picture;
static struct weft_shim_tasks tasks;
static struct weft_writer writer;

/* What is known of a task by its record; NULL: it has none. */
static const struct weft_dl_thread *
record_of(const struct weft_shim_task *t)
{
    for (uint32_t i = 0; i < picture.p.count; i++)
        if (picture.tid[i] == t->tid &&
            picture.p.threads[i].state != WEFT_DL_ENDED)
            return &picture.p.threads[i];
    return NULL;
}

static bool
waits(const struct weft_dl_thread *d)
{
    return d != NULL &&
           (d->state == WEFT_DL_BLOCKED || d->state == WEFT_DL_TIMED);
}

/* --- places --------------------------------------------------------------- */

static void
add_place(struct weft_symbols *s, const struct weft_dl_place *p)
{
    for (int i = 0; i < WEFT_DL_PLACES && p->call[i] != 0; i++)
        weft_symbols_add_(s, p->call[i]);
}

/* Of what a stack has, keep the first that is the program's. */
static void
choose_call(struct weft_dl_place *p, const struct weft_symbols *symbols)
{
    for (int i = 0; i < WEFT_DL_PLACES && p->call[i] != 0; i++) {
        const struct weft_symbol *s = weft_symbols_get_(symbols, p->call[i]);
        if (s == NULL || s->mapping == 0 ||
            strncmp(s->module, "libc.so", 7) == 0 ||
            strncmp(s->module, "libweft-deadlock", 16) == 0)
            continue;
        *p = (struct weft_dl_place){{p->call[i]}};
        return;
    }
    p->call[0] = 0;
}

static struct weft_symbols *
find_names(void)
{
    struct weft_symbols *s = weft_symbols_create_(
        (tasks.used + picture.p.count + picture.held_used + 1) *
        WEFT_DL_PLACES);

    if (s == NULL)
        return NULL;
    for (uint32_t i = 0; i < tasks.used; i++)
        add_place(s, &tasks.list[i].place);
    for (uint32_t i = 0; i < picture.p.count; i++)
        if (waits(&picture.p.threads[i]))
            add_place(s, &picture.p.threads[i].wait.place);
    for (size_t i = 0; i < picture.held_used; i++)
        add_place(s, &picture.held[i].place);
    weft_symbols_find_(s, weft_in_ms(NAMES_MS));
    for (uint32_t i = 0; i < tasks.used; i++)
        choose_call(&tasks.list[i].place, s);
    for (uint32_t i = 0; i < picture.p.count; i++)
        if (waits(&picture.p.threads[i]))
            weft_shim_shorten_(&picture.p.threads[i].wait.place, s, false);
    for (size_t i = 0; i < picture.held_used; i++)
        weft_shim_shorten_(&picture.held[i].place, s, true);
    return s;
}

/* --- words ---------------------------------------------------------------- */

/* What a thread does by the kernel alone. */
static void
say_call(const struct weft_dl_report *r, const struct weft_shim_task *t)
{
    const char state = t->sleep.state;

    if (!t->sleep.exists) {
        weft_writer_say_(&writer, " has ended\n");
    } else if (state == 'T' || state == 't') {
        weft_writer_say_(&writer, " is stopped\n");
    } else if (state == 'R') {
        weft_writer_say_(&writer, " runs\n");
    } else if (!t->call.known || t->call.number < 0) {
        weft_writer_say_(&writer, " sleeps\n");
    } else {
        weft_writer_say_(&writer, " is in ");
        weft_shim_write_call_(&writer, &t->call);
        weft_dl_write_place_(&writer, r, ", called in ", &t->place);
        weft_writer_say_(&writer, "\n");
    }
}

static void
say_wait(const struct weft_dl_report *r, const struct weft_dl_thread *d)
{
    const struct weft_dl_wait *w = &d->wait;

    weft_writer_say_(&writer, " waits for ");
    weft_dl_write_object_(&writer, r, w->object, w->kind);
    weft_dl_write_place_(&writer, r, " in ", &w->place);
    weft_writer_say_(&writer, "%s\n",
                     d->state == WEFT_DL_TIMED ? ", with a deadline" : "");
    for (uint32_t i = 0; w->rule == WEFT_DL_ALL && i < w->needs_count; i++)
        weft_writer_say_(&writer, "    needs thread %" PRIu64 "%s\n",
                         picture.p.threads[w->needs[i]].id,
                         picture.p.threads[w->needs[i]].state == WEFT_DL_ENDED
                             ? ", which has ended"
                             : "");
}

static void
say_task(const struct weft_dl_report *r, const struct weft_shim_task *t)
{
    const struct weft_dl_thread *d = record_of(t);

    weft_writer_say_(&writer, "  thread ");
    if (d != NULL)
        weft_writer_say_(&writer, "%" PRIu64 " ", d->id);
    weft_writer_say_(&writer, "\"%s\" (%d)", t->name, (int)t->tid);
    if (waits(d))
        say_wait(r, d);
    else
        say_call(r, t);
    for (uint32_t i = 0; d != NULL && i < d->held_count; i++) {
        weft_writer_say_(&writer, "    holds ");
        weft_dl_write_object_(&writer, r, d->held[i].object, d->held[i].kind);
        weft_dl_write_place_(&writer, r, ", taken in ", &d->held[i].place);
        weft_writer_say_(&writer, "\n");
    }
}

static void
say_all(const struct weft_dl_report *r, const char *headline, const char *doubt)
{
    weft_writer_say_(&writer, "weft: %s\n", headline);
    for (uint32_t i = 0; i < tasks.used; i++)
        say_task(r, &tasks.list[i]);
    if (tasks.count > tasks.used)
        weft_writer_say_(&writer, "  and %" PRIu32 " more\n",
                         tasks.count - tasks.used);
    if (doubt != NULL)
        weft_writer_say_(&writer, "  not certain: %s\n", doubt);
}

/* --- JSON ----------------------------------------------------------------- */

static void
put_task(const struct weft_dl_report *r, const struct weft_shim_task *t)
{
    const struct weft_dl_thread *d = record_of(t);
    const char state[2] = {t->sleep.exists ? t->sleep.state : 'Z', '\0'};

    weft_writer_say_(&writer, "{\"id\":%" PRIu64 ",\"tid\":%d,\"name\":",
                     d != NULL ? d->id : 0, (int)t->tid);
    weft_dl_write_json_string_(&writer, t->name);
    weft_writer_say_(&writer, ",\"state\":");
    weft_dl_write_json_string_(&writer, state);
    if (t->call.known)
        weft_writer_say_(&writer, ",\"system_call\":%ld", t->call.number);
    weft_writer_say_(&writer, ",\"place\":");
    weft_dl_write_json_place_(&writer, r, &t->place);
    if (waits(d)) {
        weft_writer_say_(&writer, ",\"timed\":%s,\"waits_for\":",
                         d->state == WEFT_DL_TIMED ? "true" : "false");
        weft_dl_write_json_object_(&writer, r, d->wait.object, d->wait.kind,
                                   &d->wait.place);
    }
    weft_writer_say_(&writer, ",\"holds\":[");
    for (uint32_t i = 0; d != NULL && i < d->held_count; i++) {
        weft_writer_say_(&writer, "%s", i > 0 ? "," : "");
        weft_dl_write_json_object_(&writer, r, d->held[i].object,
                                   d->held[i].kind, &d->held[i].place);
    }
    weft_writer_say_(&writer, "]}");
}

static void
put_all(const struct weft_dl_report *r, const char *shape, const char *doubt)
{
    weft_writer_say_(&writer, "{\"shape\":");
    weft_dl_write_json_string_(&writer, shape);
    weft_writer_say_(&writer, ",\"certain\":%s,\"level\":\"%s\"",
                     doubt == NULL ? "true" : "false",
                     doubt == NULL ? "certain" : "possible");
    if (doubt != NULL) {
        weft_writer_say_(&writer, ",\"doubt\":");
        weft_dl_write_json_string_(&writer, doubt);
    }
    weft_writer_say_(&writer, ",\"threads\":[");
    for (uint32_t i = 0; i < tasks.used; i++) {
        weft_writer_say_(&writer, "%s", i > 0 ? "," : "");
        put_task(r, &tasks.list[i]);
    }
    weft_writer_say_(&writer, "]}\n");
}

/* --- both ----------------------------------------------------------------- */

static bool
begin(const char *path, int otherwise)
{
    writer.fd =
        path != NULL
            ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)
            : otherwise;
    writer.failed = false;
    writer.used = 0;
    return writer.fd >= 0;
}

static void
end(const char *path)
{
    weft_writer_flush_(&writer);
    if (path != NULL)
        close(writer.fd);
}

/* Whether a place of one of the threads is named by the user. */
static bool
is_unwanted(const struct weft_symbols *s)
{
    for (uint32_t i = 0; i < tasks.used; i++) {
        const struct weft_dl_thread *d = record_of(&tasks.list[i]);
        if (waits(d) ? weft_shim_is_unwanted_(s, &d->wait.place)
                     : weft_shim_is_unwanted_(s, &tasks.list[i].place))
            return true;
        for (uint32_t k = 0; d != NULL && k < d->held_count; k++)
            if (weft_shim_is_unwanted_(s, &d->held[k].place))
                return true;
    }
    return false;
}

bool
weft_shim_dump_(const char *headline, const char *shape, const char *doubt)
{
    const struct weft_shim_options *o = &weft_shim_options_;
    struct weft_dl_report r = {.picture = &picture.p};

    weft_shim_list_tasks_(&tasks);
    weft_shim_describe_tasks_(&tasks);
    if (!weft_shim_picture_(&picture))
        picture.p.count = 0;
    r.symbols = find_names();
    if (doubt != NULL && is_unwanted(r.symbols)) {
        weft_shim_count_suppressed_();
        weft_symbols_destroy_(r.symbols);
        return false;
    }
    if (begin(o->output, STDERR_FILENO)) {
        say_all(&r, headline, doubt);
        end(o->output);
    }
    if (o->json != NULL && begin(o->json, -1)) {
        put_all(&r, shape, doubt);
        end(o->json);
    }
    weft_symbols_destroy_(r.symbols);
    return true;
}
