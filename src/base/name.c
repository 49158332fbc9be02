/* SPDX-License-Identifier: MIT */
/*
 * name.c - names that may be read at any time.
 *
 * A reader takes the pointer and no lock, and keeps the string for as long as
 * it likes.  So no string is freed before the record is.  What a thread was
 * called before is looked through first: one that goes to and fro between a few
 * names keeps just these.
 *
 * The name that nobody gave is written into the record when it is first asked
 * for: a thread that begins must not allocate (self.c).
 *
 * Ordering.
 *
 *     call      a name is stored   ->  whoever reads it
 */
#include "base/name.h"

#include <stdlib.h>
#include <string.h>

struct weft_name {
    struct weft_name *next;
    char text[];
};

static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;

/* Append `n` in digits; one shift of twenty is too rare to be clever. */
static void
append_number(char *text, uint64_t n)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    text += strlen(text);
    while (count > 0)
        *text++ = digits[--count];
    *text = '\0';
}

/* Under the lock. */
static const char *
plain_name(struct weft_self *s)
{
    if (s->plain_name[0] == '\0') {
        strcpy(s->plain_name, s->kind == WEFT_SELF_MAIN      ? "MainThread"
                              : s->kind == WEFT_SELF_STARTED ? "Thread-"
                                                             : "Foreign-");
        if (s->kind != WEFT_SELF_MAIN)
            append_number(s->plain_name, s->id);
    }
    return s->plain_name;
}

const char *
weft_name_get_(struct weft_self *s)
{
    /* acquire: call */
    const char *name = atomic_load_explicit(&s->name, memory_order_acquire);

    if (name != NULL)
        return name;
    pthread_mutex_lock(&names_lock);
    name = atomic_load_explicit(&s->name, memory_order_relaxed);
    if (name == NULL) {
        name = plain_name(s);
        /* release: call */
        atomic_store_explicit(&s->name, name, memory_order_release);
    }
    pthread_mutex_unlock(&names_lock);
    return name;
}

/* Under the lock: the string that stays; NULL without memory. */
static const char *
keep(struct weft_self *s, const char *text)
{
    struct weft_name *n = s->names;

    while (n != NULL && strcmp(n->text, text) != 0)
        n = n->next;
    if (n != NULL)
        return n->text;
    const size_t bytes = strlen(text) + 1;
    n = malloc(sizeof(*n) + bytes);
    if (n == NULL)
        return NULL;
    memcpy(n->text, text, bytes);
    n->next = s->names;
    s->names = n;
    return n->text;
}

bool
weft_name_set_(struct weft_self *s, const char *text)
{
    pthread_mutex_lock(&names_lock);
    const char *kept = text != NULL ? keep(s, text) : plain_name(s);
    if (kept != NULL)
        /* release: call */
        atomic_store_explicit(&s->name, kept, memory_order_release);
    pthread_mutex_unlock(&names_lock);
    return kept != NULL;
}

static bool
continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

void
weft_name_cut_(const char *text, char out[WEFT_NAME_SYSTEM_BYTES])
{
    const size_t most = WEFT_NAME_SYSTEM_BYTES - 1;
    size_t n = strnlen(text, most + 1);

    if (n > most) {
        n = most;
        while (n > most - 3 && continues(text[n]))
            n--;
        if (continues(text[n]))
            n = most; /* not UTF-8 */
    }
    memcpy(out, text, n);
    out[n] = '\0';
}

void
weft_name_free_(struct weft_self *s)
{
    while (s->names != NULL) {
        struct weft_name *n = s->names;
        s->names = n->next;
        free(n);
    }
}

static void
before_fork(void)
{
    pthread_mutex_lock(&names_lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&names_lock);
}

__attribute__((constructor)) static void
begin(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork);
}
