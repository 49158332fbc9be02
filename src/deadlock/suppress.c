/* SPDX-License-Identifier: MIT */
/*
 * suppress.c - lines of a file of suppressions, and what they fit.
 */
#include "deadlock/suppress.h"

#include <string.h>

/* What a line is about. */
enum about { NOTHING, FUNCTION, FILES, MODULE, WRONG };

struct rule {
    enum about about;
    const char *pattern;
    size_t length;
};

static const struct {
    const char *word;
    enum about about;
} words[] = {{"function:", FUNCTION}, {"file:", FILES}, {"module:", MODULE}};

/* Read the line at `at`, which ends before `end`. */
static struct rule
read_line(const char *at, const char *end)
{
    static const char spaces[] = " \t\r";
    struct rule r = {.about = WRONG};

    while (at < end && strchr(spaces, *at) != NULL)
        at++;
    while (at < end && strchr(spaces, end[-1]) != NULL)
        end--;
    if (at == end || *at == '#')
        return (struct rule){.about = NOTHING};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const size_t n = strlen(words[i].word);
        if ((size_t)(end - at) <= n || memcmp(at, words[i].word, n) != 0)
            continue;
        r.about = words[i].about;
        for (at += n; at < end && strchr(spaces, *at) != NULL; at++)
            continue;
        r.pattern = at;
        r.length = (size_t)(end - at);
    }
    return r;
}

static const char *
end_of(const char *line)
{
    return line + strcspn(line, "\n");
}

const char *
weft_suppress_check_(const char *text, unsigned *line)
{
    *line = 1;
    for (const char *at = text;; at++, (*line)++) {
        const char *end = end_of(at);
        if (read_line(at, end).about == WRONG)
            return "is not function:NAME, file:GLOB, module:GLOB or # and "
                   "words";
        if (*end == '\0')
            return NULL;
        at = end;
    }
}

bool
weft_suppress_fits_(const char *pattern, size_t length, const char *s)
{
    const char *const end = pattern + length;
    const char *star = NULL; /* behind the last one, and what it stands for */
    const char *from = s;

    while (*s != '\0') {
        if (pattern < end && *pattern == '*') {
            star = ++pattern;
            from = s;
        } else if (pattern < end && (*pattern == '?' || *pattern == *s)) {
            pattern++;
            s++;
        } else if (star != NULL) {
            pattern = star;
            s = ++from;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

/* The whole path, or what follows one of its slashes. */
static bool
fits_path(const struct rule *r, const char *path)
{
    if (memchr(r->pattern, '/', r->length) == NULL) {
        const char *last = strrchr(path, '/');
        return weft_suppress_fits_(r->pattern, r->length,
                                   last != NULL ? last + 1 : path);
    }
    for (; path != NULL; path = strchr(path, '/')) {
        if (weft_suppress_fits_(r->pattern, r->length, path))
            return true;
        path += *path == '/';
        if (weft_suppress_fits_(r->pattern, r->length, path))
            return true;
    }
    return false;
}

bool
weft_suppress_matches_(const char *text, const char *function, const char *file,
                       const char *module)
{
    for (const char *at = text;; at++) {
        const char *end = end_of(at);
        const struct rule r = read_line(at, end);
        if (r.about == FUNCTION && *function != '\0' &&
            weft_suppress_fits_(r.pattern, r.length, function))
            return true;
        if (r.about == FILES && *file != '\0' && fits_path(&r, file))
            return true;
        if (r.about == MODULE && *module != '\0' &&
            weft_suppress_fits_(r.pattern, r.length, module))
            return true;
        if (*end == '\0')
            return false;
        at = end;
    }
}
