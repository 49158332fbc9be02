/* SPDX-License-Identifier: MIT */
/*
 * files.c - writes beside the place and renames, so that a reader finds the old
 * file or the new one and never a part.
 *
 * A name that leads to something else than a file, a pipe or a terminal, is
 * written to directly: to rename over it would take it away.  A symbolic link
 * stays, and what it points to is replaced.
 */
#include "report/files.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "progress.h"
#include "report/data.h"

typedef bool writer(const struct report *r, FILE *f);

/* What stands at `path`; a path that ends in a file not yet there is fine. */
enum place { PLACE_FILE, PLACE_DIRECT, PLACE_WRONG };

static enum place
look(const char *path)
{
    struct stat there;
    struct stat out;

    if (stat(path, &there) != 0) {
        if (errno == ENOENT && path[0] != '\0')
            return PLACE_FILE;
        complain("cannot write %s: %s", path, strerror(errno));
        return PLACE_WRONG;
    }
    if (S_ISDIR(there.st_mode)) {
        complain("cannot write %s: %s", path, strerror(EISDIR));
        return PLACE_WRONG;
    }
    if (!S_ISREG(there.st_mode))
        return PLACE_DIRECT;
    if (fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == there.st_dev &&
        out.st_ino == there.st_ino) {
        complain("cannot write %s: the standard output goes there", path);
        return PLACE_WRONG;
    }
    return PLACE_FILE;
}

/* Open a new file beside `path`; `*final` and `*beside` are then the
 * caller's. */
static FILE *
open_beside(const char *path, char **final, char **beside)
{
    char *real = realpath(path, NULL);

    *final = real != NULL ? real : must_copy(path);
    *beside = must_have(1, strlen(*final) + sizeof(".XXXXXX"));
    stpcpy(stpcpy(*beside, *final), ".XXXXXX");
    const int fd = mkstemp(*beside);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f != NULL) {
        /* mkstemp is private; this file is to be like any other. */
        const mode_t mask = umask(0);
        umask(mask);
        fchmod(fd, 0666 & ~mask);
        return f;
    }
    complain("cannot write %s: %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(*beside);
    }
    free(*final);
    free(*beside);
    return NULL;
}

bool
files_check(const char *path)
{
    char *final;
    char *beside;

    switch (look(path)) {
    case PLACE_WRONG:
        return false;
    case PLACE_DIRECT:
        if (access(path, W_OK) == 0)
            return true;
        complain("cannot write %s: %s", path, strerror(errno));
        return false;
    case PLACE_FILE:
        break;
    }
    FILE *f = open_beside(path, &final, &beside);
    if (f == NULL)
        return false;
    fclose(f);
    unlink(beside);
    free(final);
    free(beside);
    return true;
}

/* Write and close; return 0 or what went wrong. */
static int
finish(const struct report *r, FILE *f, writer *write)
{
    errno = 0;
    bool done = write(r, f) && fflush(f) == 0 && ferror(f) == 0;
    int error = done ? 0 : errno;

    if (fclose(f) != 0 && done) {
        error = errno;
        done = false;
    }
    return done ? 0 : error != 0 ? error : EIO;
}

static bool
write_file(const struct report *r, const char *path, writer *write)
{
    char *final;
    char *beside;
    const enum place place = look(path);

    if (place == PLACE_WRONG)
        return false;
    FILE *f = place == PLACE_DIRECT ? fopen(path, "w")
                                    : open_beside(path, &final, &beside);
    if (f == NULL) {
        if (place == PLACE_DIRECT)
            complain("cannot write %s: %s", path, strerror(errno));
        return false;
    }
    int error = finish(r, f, write);
    if (place == PLACE_FILE) {
        if (error == 0 && rename(beside, final) != 0)
            error = errno;
        if (error != 0)
            unlink(beside);
        free(final);
        free(beside);
    }
    if (error != 0)
        complain("cannot write %s: %s", path, strerror(error));
    return error == 0;
}

bool
files_write_json(const struct report *r, const char *path)
{
    return write_file(r, path, report_write_json);
}

bool
files_write_csv(const struct report *r, const char *path)
{
    return write_file(r, path, report_write_csv);
}
