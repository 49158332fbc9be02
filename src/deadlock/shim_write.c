/* SPDX-License-Identifier: MIT */
/*
 * shim_write.c - where the options say that reports go.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/writer.h"
#include "deadlock/report.h"
#include "deadlock/shim.h"

typedef void (*write_report)(struct weft_writer *w,
                             const struct weft_dl_report *r);

/* Begin to write to a file; false: it cannot be.  It does not become the standard
 * error of a program that has closed its own. */
static bool
begin(struct weft_writer *w, const char *path)
{
    w->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    w->failed = false;
    w->used = 0;
    if (w->fd != STDERR_FILENO)
        return w->fd >= 0;
    w->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(STDERR_FILENO);
    return w->fd >= 0;
}

static void
end(struct weft_writer *w)
{
    weft_writer_flush_(w);
    if (w->fd != STDERR_FILENO)
        close(w->fd);
}

/* Whether text goes to standard error.  A program that has closed it may have
 * got the number for something else: a connection, or a file that it reads. */
static bool
is_for_text(void)
{
    const int flags = fcntl(STDERR_FILENO, F_GETFL);
    struct stat s;

    if (flags < 0 || fstat(STDERR_FILENO, &s) != 0)
        return false;
    if (s.st_dev == weft_shim_options_.error_device &&
        s.st_ino == weft_shim_options_.error_file)
        return true;
    return !S_ISSOCK(s.st_mode) &&
           (!S_ISREG(s.st_mode) || (flags & O_ACCMODE) == O_WRONLY);
}

bool
weft_shim_begin_text_(struct weft_writer *w)
{
    if (weft_shim_options_.output != NULL &&
        begin(w, weft_shim_options_.output))
        return true;
    w->fd = STDERR_FILENO; /* too many files are open, or the root is another */
    w->failed = false;
    w->used = 0;
    return is_for_text();
}

void
weft_shim_end_text_(struct weft_writer *w)
{
    end(w);
}

static void
write_file(struct weft_writer *w, const char *path, write_report how,
           const struct weft_dl_report *r)
{
    if (path == NULL || !begin(w, path))
        return;
    how(w, r);
    end(w);
}

void
weft_shim_write_(struct weft_writer *w, const struct weft_dl_report *r)
{
    if (weft_shim_begin_text_(w)) {
        weft_dl_write_headline_(w, r->found);
        weft_dl_write_text_(w, r);
        weft_shim_end_text_(w);
    }
    write_file(w, weft_shim_options_.json, weft_dl_write_json_, r);
    write_file(w, weft_shim_options_.graph, weft_dl_write_graph_, r);
}
