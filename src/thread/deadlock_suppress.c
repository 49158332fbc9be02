/* SPDX-License-Identifier: MIT */
/*
 * deadlock_suppress.c - reports of the library that are not written, and how many.
 *
 * Names of functions, files and modules are looked up for each report before it is
 * written, and so twice for one that is; but only if there are suppressions.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/symbol.h"
#include "deadlock/report.h"
#include "deadlock/suppress.h"
#include "deadlock/suppress_report.h"
#include "thread/deadlock.h"

#define SYMBOLS_MS 4000 /* for functions, files and lines */

static const char *text; /* NULL: nothing is suppressed */
static _Atomic unsigned count;

static void
say(const char *path, const char *what)
{
    char line[700];

    snprintf(line, sizeof(line), "weft: WEFT_DEADLOCK: %.512s: %s", path, what);
    weft_deadlock_say_line_(line);
}

/* Take the text for the file's, if nothing is wrong with it. */
static void
take(const char *path, const char *all)
{
    char what[120];
    unsigned line;
    const char *wrong = weft_suppress_check_(all, &line);

    if (wrong == NULL) {
        text = all;
        return;
    }
    snprintf(what, sizeof(what), "line %u %s", line, wrong);
    say(path, what);
}

void
weft_deadlock_suppressions_(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *all = fd >= 0
                    ? mmap(NULL, WEFT_SUPPRESS_MOST + 1, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                    : MAP_FAILED;

    if (all == MAP_FAILED) {
        say(path, "cannot be read");
    } else {
        weft_suppress_read_(fd, all); /* which ends with zeros */
        take(path, all);
    }
    if (fd >= 0)
        close(fd);
}

bool
weft_deadlock_suppresses_(const struct weft_dl_picture *p,
                          const struct weft_dl_found *f)
{
    struct weft_dl_report r = {.picture = p, .found = f};

    if (text == NULL)
        return false;
    r.symbols = weft_symbols_create_(weft_dl_count_places_(&r));
    if (r.symbols == NULL)
        return false;
    weft_dl_add_places_(&r, r.symbols);
    weft_symbols_find_(r.symbols, weft_in_ms(SYMBOLS_MS));
    const bool suppressed = weft_suppress_names_(text, &r);
    weft_symbols_destroy_(r.symbols);
    if (suppressed)
        atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return suppressed;
}

/* What the parent has counted is the parent's to say. */
void
weft_deadlock_suppress_forked_(void)
{
    atomic_store_explicit(&count, 0, memory_order_relaxed);
}

__attribute__((destructor)) static void
end(void)
{
    const unsigned n = atomic_load_explicit(&count, memory_order_relaxed);
    char line[40];

    if (n == 0)
        return;
    snprintf(line, sizeof(line), "weft: %u suppressed", n);
    weft_deadlock_say_line_(line);
}
