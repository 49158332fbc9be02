/* SPDX-License-Identifier: MIT */
/*
 * deadlock/report.h - what is said about threads that wait for each other.
 *
 *   shape      text for people, JSON for programs, a graph for Graphviz; each
 *              into a writer, with no malloc
 *   names      functions, files and lines come from base/symbol.h: gather with
 *              weft_dl_add_places_, look them up, then write.  Without, places
 *              are numbers
 *
 *       struct weft_dl_report r = {.picture = &p, .found = &f};
 *       r.symbols = weft_symbols_create_(weft_dl_count_places_(&r));
 *       weft_dl_add_places_(&r, r.symbols);
 *       weft_symbols_find_(r.symbols, weft_in_ms(500));
 *       weft_dl_write_headline_(&writer, &f);
 *       weft_dl_write_text_(&writer, &r);
 *       weft_writer_flush_(&writer);
 */
#ifndef WEFT_DEADLOCK_REPORT_H
#define WEFT_DEADLOCK_REPORT_H

#include "base/symbol.h"
#include "base/writer.h"
#include "deadlock/find.h"

struct weft_dl_report {
    const struct weft_dl_picture *picture;
    const struct weft_dl_found *found;
    struct weft_symbols *symbols; /* NULL: not looked up */
    /* What the user calls an object; NULL, or it returns NULL: nothing. */
    const char *(*name_of)(const void *object);
};

/* The places of one report: how many there are at most; add them to a set. */
size_t weft_dl_count_places_(const struct weft_dl_report *r);
void weft_dl_add_places_(const struct weft_dl_report *r,
                         struct weft_symbols *s);

/* Write the first line of a text, which needs no names of functions: before
 * they are looked up, which may take a while. */
void weft_dl_write_headline_(struct weft_writer *w,
                             const struct weft_dl_found *f);

/*
 * Write the rest of a text: two or three lines for each thread of the cycle,
 * how many wait behind it, and what to change.
 */
void weft_dl_write_text_(struct weft_writer *w, const struct weft_dl_report *r);

/* Write one object of JSON, with a line feed at its end: a file of them is read
 * line by line. */
void weft_dl_write_json_(struct weft_writer *w, const struct weft_dl_report *r);

/* Parts of it. */
void weft_dl_write_json_string_(struct weft_writer *w, const char *s);
void weft_dl_write_json_place_(struct weft_writer *w,
                               const struct weft_dl_report *r,
                               const struct weft_dl_place *p);
void weft_dl_write_json_object_(struct weft_writer *w,
                                const struct weft_dl_report *r,
                                const void *object, enum weft_kind kind,
                                const struct weft_dl_place *p);

/* Write one directed graph in the language of Graphviz: from each thread to
 * what it waits for, and from there to who has it. */
void weft_dl_write_graph_(struct weft_writer *w,
                          const struct weft_dl_report *r);

/* Return the name of a shape, as JSON has it: "upgrade". */
const char *weft_dl_shape_name_(enum weft_dl_shape shape);

/* Return the name of how sure it is, as JSON has it: "feasible". */
const char *weft_dl_level_name_(const struct weft_dl_found *f);

/* Parts of a text: what an object is called; the calls of a place, the first
 * behind `before`; a thread; a line for each lock it holds. */
void weft_dl_write_object_(struct weft_writer *w,
                           const struct weft_dl_report *r, const void *object,
                           enum weft_kind kind);
void weft_dl_write_place_(struct weft_writer *w, const struct weft_dl_report *r,
                          const char *before, const struct weft_dl_place *p);

void weft_dl_write_thread_(struct weft_writer *w,
                           const struct weft_dl_thread *t);
void weft_dl_write_holds_(struct weft_writer *w, const struct weft_dl_report *r,
                          const struct weft_dl_thread *t);

/* The same texts of what could happen, FEASIBLE or ORDER. */
void weft_dl_write_could_headline_(struct weft_writer *w,
                                   const struct weft_dl_found *f);
void weft_dl_write_could_text_(struct weft_writer *w,
                               const struct weft_dl_report *r);

/* Whether all threads of the cycle wait at the same place: what they take is up
 * to its callers. */
bool weft_dl_is_one_place_(const struct weft_dl_report *r);

/* Write one sentence for people: what to change. */
void weft_dl_write_advice_(struct weft_writer *w,
                           const struct weft_dl_report *r);

#endif /* WEFT_DEADLOCK_REPORT_H */
