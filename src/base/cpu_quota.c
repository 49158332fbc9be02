/* SPDX-License-Identifier: MIT */
/*
 * cpu_quota.c - how much CPU time the cgroups of this process grant.
 *
 * /proc/self/cgroup names the group of the process in each hierarchy, and
 * /proc/self/mountinfo says where a hierarchy is mounted and which of its
 * groups the mount begins with:
 *
 *     0::/docker/ab                              group /docker/ab, version 2
 *     30 1 0:26 /docker /mnt rw - cgroup2 none rw    /docker is at /mnt
 *
 * so the limits are read from /mnt/ab and, since each group shares what the
 * one above it has, from every directory up to /mnt; the tightest counts.  In
 * version 2 the limit is "QUOTA PERIOD" in cpu.max; in version 1 it is in two
 * files.  Both are followed, because a machine may keep the CPU controller in
 * version 1 while version 2 is mounted for something else.
 *
 * A name that begins with "/.." lies outside the cgroup namespace.  A mount
 * that begins there is an ancestor of ours, though the names in between are
 * not known: its own limit is read.  A group of ours that lies outside is not
 * below any mount we see, and has no limit we could know.
 *
 * Whatever is missing, malformed or longer than the buffers below counts as
 * no limit.  Nothing is allocated.
 */
#include "base/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 4096 /* longer lines are skipped */
#define PATH_BYTES 1024 /* longer names have no limit we could know */

enum { MOUNT_FIELDS = 5 }; /* id, parent, device, root, mount point */

/* The name of our group in the hierarchy of each version; "" for none. */
struct groups {
    char v1[PATH_BYTES];
    char v2[PATH_BYTES];
};

struct lines {
    int fd;
    bool torn;   /* the front of the current line did not fit and is gone */
    size_t at;   /* where the next line begins */
    size_t used; /* where the bytes read end */
    char bytes[LINE_BYTES + 1];
};

static int
open_below(const char *root, const char *name)
{
    char path[2 * PATH_BYTES];
    const int n = snprintf(path, sizeof(path), "%s%s", root, name);

    if (n < 0 || (size_t)n >= sizeof(path))
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC);
}

static size_t
read_some(int fd, char *to, size_t room)
{
    ssize_t n;

    do
        n = read(fd, to, room);
    while (n < 0 && errno == EINTR);
    return n > 0 ? (size_t)n : 0;
}

static bool
lines_open(struct lines *l, const char *root, const char *name)
{
    l->fd = open_below(root, name);
    l->torn = false;
    l->at = l->used = 0;
    return l->fd >= 0;
}

/* Return the next line without its newline; NULL after the last. */
static char *
lines_next(struct lines *l)
{
    for (;;) {
        char *line = l->bytes + l->at;
        char *end = memchr(line, '\n', l->used - l->at);
        if (end != NULL) {
            const bool whole = !l->torn;
            *end = '\0';
            l->at = (size_t)(end + 1 - l->bytes);
            l->torn = false;
            if (whole)
                return line;
            continue;
        }
        l->used -= l->at;
        memmove(l->bytes, line, l->used);
        l->at = 0;
        if (l->used == LINE_BYTES) {
            l->torn = true;
            l->used = 0;
        }
        const size_t n =
            read_some(l->fd, l->bytes + l->used, LINE_BYTES - l->used);
        if (n == 0 && (l->used == 0 || l->torn))
            return NULL;
        if (n == 0)
            l->bytes[l->used++] = '\n'; /* the last line had none */
        l->used += n;
    }
}

/* Whether `word` is one of the comma-separated `list`. */
static bool
has_word(const char *list, const char *word)
{
    const size_t length = strlen(word);

    for (const char *p = list; *p != '\0';) {
        const size_t n = strcspn(p, ",");
        if (n == length && memcmp(p, word, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

static void
copy_name(char *to, const char *name)
{
    if (strlen(name) < PATH_BYTES)
        memcpy(to, name, strlen(name) + 1);
}

/* Read "ID:CONTROLLERS:NAME" lines; version 2 has ID 0 and no controllers. */
static bool
find_groups(struct groups *g, struct lines *l, const char *root)
{
    g->v1[0] = g->v2[0] = '\0';
    if (!lines_open(l, root, "/proc/self/cgroup"))
        return false;
    for (char *line; (line = lines_next(l)) != NULL;) {
        char *controllers = strchr(line, ':');
        char *name = controllers ? strchr(controllers + 1, ':') : NULL;
        if (name == NULL || name[1] != '/')
            continue;
        *controllers++ = '\0';
        *name++ = '\0';
        if (strcmp(line, "0") == 0 && *controllers == '\0')
            copy_name(g->v2, name);
        else if (has_word(controllers, "cpu"))
            copy_name(g->v1, name);
    }
    close(l->fd);
    return g->v1[0] != '\0' || g->v2[0] != '\0';
}

/* Whether ".." is one of the parts of `name`. */
static bool
leads_outside(const char *name)
{
    for (const char *p = name; (p = strstr(p, "/..")) != NULL; p += 3)
        if (p[3] == '/' || p[3] == '\0')
            return true;
    return false;
}

/*
 * Return which directory of a mount that begins with the group `mounted` holds
 * `group`, or the nearest group above it that can be told; NULL for none.
 */
static const char *
place_in_mount(const char *group, const char *mounted)
{
    const size_t n = strcmp(mounted, "/") == 0 ? 0 : strlen(mounted);

    if (strncmp(group, mounted, n) == 0 &&
        (group[n] == '/' || group[n] == '\0'))
        return leads_outside(group + n) ? NULL : group + n;
    if (strspn(mounted, "/.") == strlen(mounted) && leads_outside(mounted) &&
        !leads_outside(group))
        return "";
    return NULL;
}

/* A tab, a space, a newline or a backslash in a name is written as \ooo. */
static void
unescape(char *name)
{
    char *to = name;

    for (const char *p = name; *p != '\0'; to++) {
        if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' &&
            p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
            *to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
            p += 4;
        } else {
            *to = *p++;
        }
    }
    *to = '\0';
}

/* Read `name` in `dir` as text; false if there is none. */
static bool
read_small(const char *dir, const char *name, char *text, size_t bytes)
{
    const int fd = open_below(dir, name);

    if (fd < 0)
        return false;
    text[read_some(fd, text, bytes - 1)] = '\0';
    close(fd);
    return true;
}

/* Take a positive number and what follows it; 0 if there is none. */
static int64_t
take_number(const char *text, const char **rest)
{
    char *end;

    errno = 0;
    const long long n = strtoll(text, &end, 10);
    *rest = end;
    if (end == text || errno != 0 || n <= 0)
        return 0;
    if (*end != '\0' && *end != ' ' && *end != '\n')
        return 0;
    return n;
}

/* The limit that one directory sets; UINT_MAX if it sets none. */
static unsigned
limit_of(const char *dir, bool is_v2)
{
    char text[64];
    char period_text[64];
    const char *rest = text;

    if (!read_small(dir, is_v2 ? "/cpu.max" : "/cpu.cfs_quota_us", text,
                    sizeof(text)))
        return UINT_MAX;
    const int64_t quota = take_number(text, &rest);
    if (!is_v2) {
        if (!read_small(dir, "/cpu.cfs_period_us", period_text,
                        sizeof(period_text)))
            return UINT_MAX;
        rest = period_text;
    }
    const int64_t period = take_number(rest, &rest);
    if (quota == 0 || period == 0)
        return UINT_MAX;
    const int64_t cpus = quota / period + (quota % period != 0);
    return cpus < UINT_MAX ? (unsigned)cpus : UINT_MAX;
}

/* The tightest limit from `place` up to where the hierarchy is mounted. */
static unsigned
tightest(const char *root, const char *mount_point, const char *place,
         bool is_v2)
{
    char dir[2 * PATH_BYTES];
    const int n =
        snprintf(dir, sizeof(dir), "%s%s%s", root, mount_point, place);
    const size_t top = strlen(root) + strlen(mount_point);
    unsigned limit = UINT_MAX;

    if (n < 0 || (size_t)n >= sizeof(dir))
        return UINT_MAX;
    for (;;) {
        const unsigned here = limit_of(dir, is_v2);
        char *last = strrchr(dir, '/');
        limit = here < limit ? here : limit;
        if (last == NULL || (size_t)(last - dir) < top)
            return limit;
        *last = '\0';
    }
}

/* The limit that the mount of one mountinfo line shows, if it shows any. */
static unsigned
limit_of_mount(const char *root, char *line, const struct groups *g)
{
    char *rest = strstr(line, " - ");
    char *field[MOUNT_FIELDS];
    char *save = NULL;

    if (rest == NULL)
        return UINT_MAX;
    *rest = '\0';
    for (int i = 0; i < MOUNT_FIELDS; i++)
        if ((field[i] = strtok_r(i == 0 ? line : NULL, " ", &save)) == NULL)
            return UINT_MAX;
    const char *type = strtok_r(rest + 3, " ", &save);
    const char *source = strtok_r(NULL, " ", &save);
    const char *options = strtok_r(NULL, " ", &save);
    if (type == NULL || source == NULL || options == NULL)
        return UINT_MAX;
    const bool is_v2 = strcmp(type, "cgroup2") == 0;
    if (!is_v2 && (strcmp(type, "cgroup") != 0 || !has_word(options, "cpu")))
        return UINT_MAX;
    const char *group = is_v2 ? g->v2 : g->v1;
    if (group[0] == '\0')
        return UINT_MAX;
    unescape(field[3]);
    unescape(field[4]);
    const char *place = place_in_mount(group, field[3]);
    return place == NULL ? UINT_MAX : tightest(root, field[4], place, is_v2);
}

unsigned
weft_cpu_quota_(const char *root)
{
    struct groups g;
    struct lines l;
    unsigned limit = UINT_MAX;

    if (!find_groups(&g, &l, root) ||
        !lines_open(&l, root, "/proc/self/mountinfo"))
        return UINT_MAX;
    for (char *line; (line = lines_next(&l)) != NULL;) {
        const unsigned here = limit_of_mount(root, line, &g);
        limit = here < limit ? here : limit;
    }
    close(l.fd);
    return limit;
}
