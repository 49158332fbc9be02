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
#include "deadlock/watch_order.h"

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
    if (name == NULL)
        weft_watch_forgets_(object, 1);
    if (weft_watch_is_cut_off_())
        return;
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

/* Begin that file anew. */
static void
take_file(char path[PATH_BYTES], const char *text, size_t n)
{
    if (n >= PATH_BYTES)
        return;
    memcpy(path, text, n);
    path[n] = '\0';
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0)
        close(fd);
}

static void
take_suppressions(const char *path, size_t n)
{
    char copy[PATH_BYTES];

    if (n < PATH_BYTES) {
        memcpy(copy, path, n);
        copy[n] = '\0';
        weft_deadlock_suppressions_(copy);
    }
}

void
weft_deadlock_say_word_(const char *word, size_t length)
{
    writer.fd = STDERR_FILENO;
    writer.failed = false;
    weft_writer_say_(
        &writer,
        "weft: WEFT_DEADLOCK: \"%.*s\" is no word of it; it is off, "
        "report, fail or abort, and then any of :json=FILE "
        ":graph=FILE :suppress=FILE :order :memory=BYTES\n",
        (int)length, word);
    weft_writer_flush_(&writer);
}

/* Whether the word of `n` bytes is `key` and more, or `key` itself. */
static bool
is_word(const char *word, size_t n, const char *key)
{
    const size_t length = strlen(key);

    return strncmp(word, key, length) == 0 &&
           (key[length - 1] == '=' ? n > length : n == length);
}

/* A number and an optional k, m or g; 0: it is none. */
static size_t
read_bytes(const char *text, size_t n)
{
    static const char units[] = "kmg";
    size_t bytes = 0;
    size_t i = 0;

    for (; i < n && text[i] >= '0' && text[i] <= '9' && bytes < SIZE_MAX / 64;
         i++)
        bytes = 10 * bytes + (size_t)(text[i] - '0');
    const char *unit = i + 1 == n ? strchr(units, text[i]) : NULL;
    if (unit != NULL && *unit != '\0')
        return bytes < (size_t)1 << 24 ? bytes << 10 * (unit - units + 1) : 0;
    return i == n ? bytes : 0;
}

void
weft_deadlock_words_(const char *text)
{
    bool plain = false;
    size_t bytes = 0;

    while (*text == ':') {
        const char *word = ++text;
        const size_t n = strcspn(word, ":");
        text += n;
        if (is_word(word, n, "json="))
            take_file(json_path, word + 5, n - 5);
        else if (is_word(word, n, "graph="))
            take_file(graph_path, word + 6, n - 6);
        else if (is_word(word, n, "suppress="))
            take_suppressions(word + 9, n - 9);
        else if (is_word(word, n, "order"))
            plain = true;
        else if (!is_word(word, n, "memory=") ||
                 (bytes = read_bytes(word + 7, n - 7)) == 0)
            weft_deadlock_say_word_(word, n);
    }
    weft_deadlock_order_options_(plain, bytes);
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
weft_deadlock_say_line_(const char *line)
{
    writer.fd = STDERR_FILENO;
    writer.failed = false;
    weft_writer_say_(&writer, "%s\n", line);
    weft_writer_flush_(&writer);
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
