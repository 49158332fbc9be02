/* SPDX-License-Identifier: MIT */
/*
 * report_files.c - a deadlock for programs: JSON, and Graphviz.
 */
#include "deadlock/report.h"

#include <inttypes.h>

static const struct weft_dl_thread *
thread_of(const struct weft_dl_report *r, uint32_t i)
{
    return &r->picture->threads[i];
}

static const char *
name_of(const struct weft_dl_report *r, const void *object)
{
    const char *name = r->name_of != NULL ? r->name_of(object) : NULL;

    return name != NULL ? name : "";
}

/* A string in quotes, by rules that JSON and Graphviz share. */
static void
say_string(struct weft_writer *w, const char *s)
{
    weft_writer_say_(w, "\"");
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            weft_writer_say_(w, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            weft_writer_say_(w, " ");
        else
            weft_writer_say_(w, "%c", c);
    }
    weft_writer_say_(w, "\"");
}

static void
say_place(struct weft_writer *w, const struct weft_dl_report *r,
          const struct weft_dl_place *p)
{
    weft_writer_say_(w, "[");
    for (int i = 0; i < WEFT_DL_PLACES && p->call[i] != 0; i++) {
        const struct weft_symbol *s =
            r->symbols != NULL ? weft_symbols_get_(r->symbols, p->call[i])
                               : NULL;
        weft_writer_say_(w, "%s{\"address\":\"0x%" PRIxPTR "\"",
                         i > 0 ? "," : "", p->call[i]);
        if (s != NULL) {
            weft_writer_say_(w, ",\"function\":");
            say_string(w, s->function);
            weft_writer_say_(w, ",\"file\":");
            say_string(w, s->file);
            weft_writer_say_(w, ",\"line\":%" PRIu32 ",\"module\":", s->line);
            say_string(w, s->module);
            weft_writer_say_(w, ",\"offset\":\"0x%" PRIxPTR "\"", s->place);
        }
        weft_writer_say_(w, "}");
    }
    weft_writer_say_(w, "]");
}

static void
say_object(struct weft_writer *w, const struct weft_dl_report *r,
           const void *object, enum weft_kind kind,
           const struct weft_dl_place *place)
{
    weft_writer_say_(w, "{\"kind\":");
    say_string(w, weft_kind_name_(kind));
    weft_writer_say_(w, ",\"object\":\"%p\",\"name\":", object);
    say_string(w, name_of(r, object));
    weft_writer_say_(w, ",\"place\":");
    say_place(w, r, place);
    weft_writer_say_(w, "}");
}

static void
say_thread(struct weft_writer *w, const struct weft_dl_report *r, uint32_t i)
{
    const struct weft_dl_thread *t = thread_of(r, i);

    weft_writer_say_(w, "{\"id\":%" PRIu64 ",\"name\":", t->id);
    say_string(w, t->name);
    if (t->state != WEFT_DL_ENDED) {
        weft_writer_say_(w, ",\"waits_for\":");
        say_object(w, r, t->wait.object, t->wait.kind, &t->wait.place);
    }
    weft_writer_say_(w, ",\"holds\":[");
    for (uint32_t k = 0; k < t->held_count; k++) {
        weft_writer_say_(w, "%s", k > 0 ? "," : "");
        say_object(w, r, t->held[k].object, t->held[k].kind, &t->held[k].place);
    }
    weft_writer_say_(w, "]}");
}

static void
say_threads(struct weft_writer *w, const struct weft_dl_report *r,
            uint32_t first)
{
    weft_writer_say_(w, "[");
    for (uint32_t i = first; i != WEFT_DL_NONE; i = thread_of(r, i)->next) {
        weft_writer_say_(w, "%s", i != first ? "," : "");
        say_thread(w, r, i);
    }
    weft_writer_say_(w, "]");
}

const char *
weft_dl_level_name_(const struct weft_dl_found *f)
{
    if (f->level == WEFT_DL_HAPPENS)
        return f->certain ? "certain" : "possible";
    return f->level == WEFT_DL_FEASIBLE ? "feasible" : "order";
}

void
weft_dl_write_json_string_(struct weft_writer *w, const char *s)
{
    say_string(w, s);
}

void
weft_dl_write_json_place_(struct weft_writer *w, const struct weft_dl_report *r,
                          const struct weft_dl_place *p)
{
    say_place(w, r, p);
}

void
weft_dl_write_json_object_(struct weft_writer *w,
                           const struct weft_dl_report *r, const void *object,
                           enum weft_kind kind, const struct weft_dl_place *p)
{
    say_object(w, r, object, kind, p);
}

void
weft_dl_write_json_(struct weft_writer *w, const struct weft_dl_report *r)
{
    const struct weft_dl_found *f = r->found;

    weft_writer_say_(w, "{\"shape\":");
    say_string(w, weft_dl_shape_name_(f->shape));
    weft_writer_say_(w, ",\"certain\":%s,\"level\":",
                     f->certain && f->level == WEFT_DL_HAPPENS ? "true"
                                                               : "false");
    say_string(w, weft_dl_level_name_(f));
    if (f->doubt != NULL) {
        weft_writer_say_(w, ",\"doubt\":");
        say_string(w, f->doubt);
    }
    weft_writer_say_(w, ",\"threads\":");
    say_threads(w, r, f->first);
    if (f->ended != WEFT_DL_NONE) {
        weft_writer_say_(w, ",\"ended\":");
        say_thread(w, r, f->ended);
    }
    weft_writer_say_(w, ",\"behind\":");
    say_threads(w, r, f->behind);
    weft_writer_say_(w, "}\n");
}

/* --- Graphviz ------------------------------------------------------------- */

static void
draw_object(struct weft_writer *w, const struct weft_dl_report *r,
            const void *object, enum weft_kind kind)
{
    if (name_of(r, object)[0] == '\0')
        return;
    weft_writer_say_(w, "  \"%p\" [label=", object);
    say_string(w, name_of(r, object));
    weft_writer_say_(w, ", tooltip=\"%s %p\"];\n", weft_kind_name_(kind),
                     object);
}

static void
draw_thread(struct weft_writer *w, const struct weft_dl_report *r, uint32_t i)
{
    const struct weft_dl_thread *t = thread_of(r, i);

    weft_writer_say_(w, "  t%" PRIu64 " [shape=box, label=", t->id);
    say_string(w, t->name);
    weft_writer_say_(w, "];\n");
    for (uint32_t k = 0; k < t->held_count; k++) {
        weft_writer_say_(w, "  \"%p\" -> t%" PRIu64 " [label=\"held by\"];\n",
                         t->held[k].object, t->id);
        draw_object(w, r, t->held[k].object, t->held[k].kind);
    }
    if (t->state == WEFT_DL_ENDED)
        return;
    if (t->wait.kind == WEFT_KIND_THREAD && t->wait.needs_count == 1)
        weft_writer_say_(w,
                         "  t%" PRIu64 " -> t%" PRIu64 " [label=\"joins\"];\n",
                         t->id, thread_of(r, t->wait.needs[0])->id);
    else
        weft_writer_say_(w,
                         "  t%" PRIu64 " -> \"%p\" [label=\"waits for %s\"]"
                         ";\n",
                         t->id, t->wait.object, weft_kind_name_(t->wait.kind));
}

void
weft_dl_write_graph_(struct weft_writer *w, const struct weft_dl_report *r)
{
    const struct weft_dl_found *f = r->found;

    weft_writer_say_(w, "digraph deadlock {\n");
    for (uint32_t i = f->first; i != WEFT_DL_NONE; i = thread_of(r, i)->next)
        draw_thread(w, r, i);
    if (f->ended != WEFT_DL_NONE)
        draw_thread(w, r, f->ended);
    for (uint32_t i = f->behind; i != WEFT_DL_NONE; i = thread_of(r, i)->next)
        draw_thread(w, r, i);
    weft_writer_say_(w, "}\n");
}
