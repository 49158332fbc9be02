/* SPDX-License-Identifier: MIT */
/*
 * hangs.c - run one form in a process of its own, and read what it says.
 *
 * Ordering.
 *
 *     turn   a thread has run, or all are there  ->  the next one runs
 */
#include "hangs.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/sanitized.h"

#define PATIENCE_S (SANITIZED_THREADS ? 5 : 60) /* for what should happen */
#define LAST_WORDS "To mend it:"
#define TURNS      64
#define OVER       7 /* the exit status of a form that has come to its end */

/* What became of one form. */
struct result {
    char text[16384]; /* what it said */
    size_t used;
    double said_ms; /* after its start */
    bool ended;     /* by itself */
};

static double
now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- for the bodies ------------------------------------------------------- */

weft_thread *
deadlock_start(weft_fn *fn, void *arg, const char *name)
{
    const weft_thread_options options = {.name = name,
                                         .daemon = WEFT_DAEMON_YES};
    weft_thread *t;

    if (weft_thread_start(&t, fn, arg, &options) != WEFT_OK)
        _exit(1);
    return t;
}

void
deadlock_join(weft_thread *t)
{
    if (weft_thread_join(t, WEFT_FOREVER, NULL) != WEFT_OK)
        _exit(1);
    weft_thread_release(t);
}

void
deadlock_meet(weft_barrier *b)
{
    if (weft_barrier_wait(b, WEFT_FOREVER, NULL) != WEFT_OK)
        _exit(1);
}

void
deadlock_meet_init(weft_barrier *b, unsigned parties)
{
    if (weft_barrier_init(b, parties, NULL, NULL) != WEFT_OK)
        _exit(1);
}

/* A thread whose turn it is. */
struct turn {
    weft_fn *body;
    void *arg;
    unsigned place;
};

static atomic_uint now_runs;

static void *
run_in_turn(void *arg)
{
    const struct turn *t = arg;

    /* acquire: turn */
    while (atomic_load_explicit(&now_runs, memory_order_acquire) != t->place)
        sched_yield();
    (void)t->body(t->arg);
    /* release: turn */
    atomic_fetch_add_explicit(&now_runs, 1, memory_order_release);
    return NULL;
}

void
deadlock_take_turns(weft_fn *const *bodies, void *const *args, unsigned n)
{
    struct turn turns[TURNS];
    weft_thread *threads[TURNS];

    n = n < TURNS ? n : TURNS;
    atomic_store_explicit(&now_runs, n, memory_order_relaxed);
    for (unsigned i = 0; i < n; i++) {
        turns[i] = (struct turn){bodies[i], args[i], i};
        threads[i] = deadlock_start(run_in_turn, &turns[i], NULL);
    }
    /* release: turn */
    atomic_store_explicit(&now_runs, 0, memory_order_release);
    for (unsigned i = 0; i < n; i++)
        deadlock_join(threads[i]);
}

/* --- processes ------------------------------------------------------------ */

/* In the child.  No handler of ours is left to wake anybody. */
static void
run_form(const struct deadlock_case *c, deadlock_body *body, unsigned threads,
         int messages)
{
    const struct sigaction plain = {.sa_handler = SIG_DFL};

    for (int n = 1; n < NSIG; n++)
        (void)sigaction(n, &plain, NULL);
    if (dup2(messages, STDERR_FILENO) < 0 ||
        weft_deadlock_enable(c->recovers ? WEFT_DEADLOCK_FAIL
                                         : WEFT_DEADLOCK_REPORT) != WEFT_OK)
        _exit(1);
    body(threads);
    _exit(OVER);
}

/* Read for a moment; false at the end. */
static bool
listen(struct result *out, int messages)
{
    struct pollfd p = {.fd = messages, .events = POLLIN};
    char more[1024];

    if (poll(&p, 1, 20) != 1)
        return true;
    const ssize_t n = read(messages, more, sizeof(more));
    if (n <= 0)
        return false;
    for (ssize_t i = 0; i < n && out->used + 1 < sizeof(out->text); i++)
        out->text[out->used++] = more[i];
    return true;
}

/* Whether all of the report is there that has `expected` in it; it may come
 * behind one of what could happen. */
static bool
has_said(const struct result *out, const char *expected)
{
    const char *report = expected != NULL ? strstr(out->text, expected) : NULL;

    return report != NULL && strstr(report, LAST_WORDS) != NULL &&
           out->text[out->used - 1] == '\n';
}

/* Listen until it ends, or has said all that one who hangs will say. */
static void
follow(struct result *out, int messages, const char *expected, bool hangs)
{
    const double begin = now_s();

    while (listen(out, messages) && now_s() - begin < PATIENCE_S) {
        const bool said = has_said(out, expected);
        if (said && out->said_ms == 0)
            out->said_ms = (now_s() - begin) * 1e3;
        if (said && hangs)
            break;
    }
}

/* Whether the broken form does. */
static bool
ends_itself(const struct deadlock_case *c)
{
    return c->recovers || c->goes_well;
}

static bool
run_process(const struct deadlock_case *c, deadlock_body *body,
            unsigned threads, struct result *out)
{
    int ends[2];
    int status = 0;

    *out = (struct result){0};
    if (pipe(ends) != 0)
        return false;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        run_form(c, body, threads, ends[1]);
    close(ends[1]);
    if (child > 0) {
        const bool is_broken = body == c->broken;
        follow(out, ends[0], is_broken ? c->found : NULL,
               is_broken && !ends_itself(c));
        kill(child, SIGKILL); /* one that has ended is not there any more */
        (void)waitpid(child, &status, 0);
        out->ended = WIFEXITED(status) && WEXITSTATUS(status) == OVER;
    }
    close(ends[0]);
    return child > 0;
}

/* --- what is said about it ------------------------------------------------ */

static void
show(struct report *r, char *text)
{
    for (char *line = strtok(text, "\n"); line != NULL;
         line = strtok(NULL, "\n"))
        report_say(r, "    %s", line);
}

/* Whether the detector was right; why not. */
static const char *
judge(const struct deadlock_case *c, bool is_broken, const struct result *f)
{
    const char *expected = is_broken ? c->found : NULL;

    if (expected == NULL && f->used > 0)
        return "it cried wolf";
    if (expected != NULL && strstr(f->text, expected) == NULL)
        return "it missed it";
    if ((!is_broken || ends_itself(c)) && !f->ended)
        return "it did not end";
    return NULL;
}

static void
add_row(struct table *t, const struct deadlock_case *c, bool is_broken,
        const struct result *f)
{
    const char *wrong = judge(c, is_broken, f);

    table_row(t);
    table_text(t, "%s", is_broken ? "broken" : "mended");
    table_text(t, "%s", f->used > 0 ? "yes" : "no");
    if (f->said_ms > 0)
        table_real(t, f->said_ms, 0);
    else
        table_none(t);
    table_text(t, "%s", f->ended ? "ends" : "hangs");
    if (SANITIZED_THREADS && wrong != NULL && !c->recovers)
        table_verdict(t, VERDICT_NOTE,
                      "ThreadSanitizer's own thread might wake them");
    else if (wrong != NULL)
        table_verdict(t, VERDICT_FAILED, "%s", wrong);
    else
        table_verdict(t, VERDICT_OK, "as it should be");
}

enum outcome
deadlock_run(const struct deadlock_case *c, const struct options *o,
             struct report *r)
{
    static struct result broken;
    static struct result mended;
    const unsigned threads = o->thread_counts > 0 ? o->threads[0] : c->threads;

    for (size_t i = 0; i < 3 && c->says[i] != NULL; i++)
        report_say(r, "%s", c->says[i]);
    if ((c->broken != NULL && !run_process(c, c->broken, threads, &broken)) ||
        !run_process(c, c->mended, threads, &mended))
        return report_abandon(r, "no process can be had");
    struct table *t = report_table(r, "deadlock", NULL);
    table_column(t, "form", NULL);
    table_column(t, "reported", NULL);
    table_column(t, "after", "ms");
    table_column(t, "then", NULL);
    if (c->broken != NULL)
        add_row(t, c, true, &broken);
    add_row(t, c, false, &mended);
    table_end(t);
    if (c->broken != NULL)
        show(r, broken.text);
    show(r, mended.text);
    return OUTCOME_OK;
}
