/* SPDX-License-Identifier: MIT */
/*
 * deadlock_say.c - where reports go, and what objects are called in them.
 *
 * Names are few and looked for seldom: a table with open addressing, of which
 * nothing is ever taken out, only a name made empty.
 */
#include "thread/deadlock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <weft/deadlock.h>

#include "deadlock/report.h"

#define SLOTS      1024
#define NAME_BYTES 48
#define PATH_BYTES 512
#define SYMBOLS_MS 4000 /* for functions, files and lines */

struct name {
    const void *object; /* NULL: free */
    char text[NAME_BYTES];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct name names[SLOTS];
static size_t names_count;
static char json_path[PATH_BYTES];
static char graph_path[PATH_BYTES];
static struct weft_writer writer; /* of whoever reports */

/* --- names ---------------------------------------------------------------- */

/* Where an object is, or would be.  One slot stays free. */
static struct name *
slot_of(const void *object)
{
    size_t at =
        (size_t)((uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15) >> 40);

    while (names[at % SLOTS].object != NULL &&
           names[at % SLOTS].object != object)
        at++;
    return &names[at % SLOTS];
}

void
weft_deadlock_name(const void *object, const char *name)
{
    pthread_mutex_lock(&lock);
    struct name *n = slot_of(object);
    if (n->object == NULL && name != NULL && names_count < SLOTS - 24) {
        n->object = object;
        names_count++;
    }
    if (n->object == object)
        weft_symbol_copy_(n->text, NAME_BYTES, name != NULL ? name : "");
    pthread_mutex_unlock(&lock);
}

const char *
weft_deadlock_name_of_(const void *object)
{
    pthread_mutex_lock(&lock);
    const struct name *n = slot_of(object);
    pthread_mutex_unlock(&lock);
    return n->object == object && n->text[0] != '\0' ? n->text : NULL;
}

void
weft_deadlock_names_forked_(void)
{
    pthread_mutex_init(&lock, NULL);
}

/* --- files ---------------------------------------------------------------- */

/* Copy what follows `key` up to the next colon. */
static void
take(char path[PATH_BYTES], const char *text, const char *key)
{
    const char *at = strstr(text, key);

    if (at == NULL)
        return;
    at += strlen(key);
    const size_t n = strcspn(at, ":");
    if (n >= PATH_BYTES)
        return;
    memcpy(path, at, n);
    path[n] = '\0';
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0)
        close(fd);
}

void
weft_deadlock_files_(const char *text)
{
    take(json_path, text, ":json=");
    take(graph_path, text, ":graph=");
}

static void
write_file(const char *path, const struct weft_dl_report *r,
           void (*write_to)(struct weft_writer *,
                            const struct weft_dl_report *))
{
    if (path[0] == '\0')
        return;
    writer.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    writer.failed = writer.fd < 0;
    write_to(&writer, r);
    weft_writer_flush_(&writer);
    if (writer.fd >= 0)
        close(writer.fd);
}

void
weft_deadlock_say_(const struct weft_dl_picture *p,
                   const struct weft_dl_found *f)
{
    struct weft_dl_report r = {
        .picture = p, .found = f, .name_of = weft_deadlock_name_of_};

    writer.fd = STDERR_FILENO;
    writer.failed = false;
    weft_dl_write_headline_(&writer, f);
    weft_writer_flush_(&writer);
    r.symbols = weft_symbols_create_(weft_dl_count_places_(&r));
    if (r.symbols != NULL) {
        weft_dl_add_places_(&r, r.symbols);
        weft_symbols_find_(r.symbols, weft_in_ms(SYMBOLS_MS));
    }
    weft_dl_write_text_(&writer, &r);
    weft_writer_flush_(&writer);
    write_file(json_path, &r, weft_dl_write_json_);
    write_file(graph_path, &r, weft_dl_write_graph_);
    weft_symbols_destroy_(r.symbols);
}

void
weft_deadlock_say_rank_(const struct weft_broken_rank *b)
{
    struct weft_dl_report r = {.name_of = weft_deadlock_name_of_};

    r.symbols = weft_symbols_create_(2);
    if (r.symbols != NULL) {
        weft_symbols_add_(r.symbols, b->wanted.place.call[0]);
        weft_symbols_add_(r.symbols, b->held.place.call[0]);
        weft_symbols_find_(r.symbols, weft_in_ms(SYMBOLS_MS));
    }
    writer.fd = STDERR_FILENO;
    writer.failed = false;
    weft_writer_say_(&writer, "weft: rank: thread %" PRIu64 " \"%s\" wants ",
                     b->thread, b->name);
    weft_dl_write_object_(&writer, &r, b->wanted.object, b->wanted.kind);
    weft_writer_say_(&writer, " of rank %d", b->wanted_rank);
    weft_dl_write_place_(&writer, &r, " in ", &b->wanted.place);
    weft_writer_say_(&writer, "\n    holds ");
    weft_dl_write_object_(&writer, &r, b->held.object, b->held.kind);
    weft_writer_say_(&writer, " of rank %d", b->held_rank);
    weft_dl_write_place_(&writer, &r, ", taken in ", &b->held.place);
    weft_writer_say_(&writer,
                     "\n  To mend it: take the one of lower rank first.\n");
    weft_writer_flush_(&writer);
    weft_symbols_destroy_(r.symbols);
}
