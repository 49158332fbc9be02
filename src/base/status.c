/* SPDX-License-Identifier: MIT */
/*
 * status.c - names and texts of the status values.
 */
#include <weft/status.h>

#include <stddef.h>

struct words {
    const char *name;
    const char *text;
};

static const struct words words[] = {
    [WEFT_OK] = {"WEFT_OK", "it happened"},
    [WEFT_TIMEOUT] = {"WEFT_TIMEOUT", "the deadline passed first"},
    [WEFT_FULL] = {"WEFT_FULL", "no room now"},
    [WEFT_EMPTY] = {"WEFT_EMPTY", "nothing to take now"},
    [WEFT_BUSY] = {"WEFT_BUSY", "somebody else has it"},
    [WEFT_CLOSED] = {"WEFT_CLOSED", "the other side is gone for good"},
    [WEFT_CANCELLED] = {"WEFT_CANCELLED", "called off before it began"},
    [WEFT_FAILED] = {"WEFT_FAILED", "the task itself failed"},
    [WEFT_BROKEN] = {"WEFT_BROKEN", "broken off, needs a reset"},
    [WEFT_DEADLOCK] = {"WEFT_DEADLOCK", "waiting would never end"},
    [WEFT_NOT_OWNER] = {"WEFT_NOT_OWNER", "only who holds it may do this"},
    [WEFT_OVERFLOW] = {"WEFT_OVERFLOW", "a count would pass its maximum"},
    [WEFT_INVALID] = {"WEFT_INVALID", "an argument is not allowed"},
    [WEFT_NO_MEMORY] = {"WEFT_NO_MEMORY", "memory ran out"},
    [WEFT_SYSTEM] = {"WEFT_SYSTEM", "the system refused, see errno"},
};

static const struct words *
words_of(enum weft_status s)
{
    static const struct words unknown = {"WEFT_UNKNOWN", "unknown status"};
    size_t i = (size_t)s; /* a negative value becomes a large one */

    return i < sizeof(words) / sizeof(words[0]) ? &words[i] : &unknown;
}

const char *
weft_status_name(enum weft_status s)
{
    return words_of(s)->name;
}

const char *
weft_status_text(enum weft_status s)
{
    return words_of(s)->text;
}
