/* SPDX-License-Identifier: MIT */
/*
 * shim_write.c - where the options say that reports go.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/writer.h"
#include "deadlock/report.h"
#include "deadlock/shim.h"

typedef void (*write_report)(struct weft_writer *w,
                             const struct weft_dl_report *r);

/* Begin to write to a file, NULL: to `otherwise`; false: it cannot be. */
static bool
begin(struct weft_writer *w, const char *path, int otherwise)
{
    w->fd = path != NULL
                ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)
                : otherwise;
    w->failed = false;
    w->used = 0;
    return w->fd >= 0;
}

static void
end(struct weft_writer *w, const char *path)
{
    weft_writer_flush_(w);
    if (path != NULL)
        close(w->fd);
}

bool
weft_shim_begin_text_(struct weft_writer *w)
{
    return begin(w, weft_shim_options_.output, STDERR_FILENO);
}

void
weft_shim_end_text_(struct weft_writer *w)
{
    end(w, weft_shim_options_.output);
}

static void
write_file(struct weft_writer *w, const char *path, write_report how,
           const struct weft_dl_report *r)
{
    if (path == NULL || !begin(w, path, -1))
        return;
    how(w, r);
    end(w, path);
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
