/* SPDX-License-Identifier: MIT */
/*
 * main.c - the command line of weft-stress: finds what is to be run, runs it,
 * and turns the outcome into the exit status.
 *
 *     weft-stress COMMAND [NAME...] [options]
 */
#include <weft/version.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "progress.h"
#include "report/files.h"
#include "scenario.h"

/* What one command line asks for. */
struct request {
    const struct command *command;
    struct options options;
    const struct scenario **chosen;
    size_t chosen_count;
    bool all;                    /* of the command: no name was given */
    const struct extra **extras; /* of all scenarios of the command */
    size_t extra_count;
};

static bool
is_of(const struct scenario *s, const struct command *c)
{
    return strcmp(s->command, c->name) == 0;
}

static void
list(FILE *f, const struct command *only)
{
    for (size_t i = 0; i < scenario_count; i++) {
        const struct scenario *s = scenarios[i];
        if (only != NULL && !is_of(s, only))
            continue;
        fprintf(f, "  %s %-*s %s\n", s->command, (int)(24 - strlen(s->command)),
                s->name != NULL ? s->name : "", s->summary);
    }
}

static void
help(FILE *f)
{
    fputs("usage: weft-stress COMMAND [NAME...] [options]\n\n"
          "Shows what threads do to each other, and measures it.\n\n"
          "  list     every scenario, with one line\n",
          f);
    for (size_t i = 0; i < command_count; i++)
        fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\nA command without a name runs all of its scenarios.\n"
          "weft-stress COMMAND --help shows them, and the options.\n"
          "Exit status: 0 all as it should be, 1 something failed, 2 wrong "
          "usage.\n",
          f);
}

static void
help_command(FILE *f, const struct request *q)
{
    fprintf(f, "usage: weft-stress %s [NAME...] [options]\n\n%s\n\n",
            q->command->name, q->command->summary);
    list(f, q->command);
    fputs("\noptions:\n", f);
    options_help(f, q->extras, q->extra_count);
}

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    fflush(stdout);
    char known[1024] = "list";
    for (size_t i = 0; i < command_count; i++) {
        const size_t at = strlen(known);
        snprintf(known + at, sizeof(known) - at, " %s", commands[i].name);
    }
    complain("%s: no such command; there are %s", name, known);
    return NULL;
}

/* All extra options of the command; several scenarios may share one. */
static void
gather_extras(struct request *q)
{
    for (size_t i = 0; i < scenario_count; i++) {
        const struct extra *e = scenarios[i]->extras;
        if (!is_of(scenarios[i], q->command))
            continue;
        for (; e != NULL && e->name != NULL; e++) {
            size_t k = 0;
            while (k < q->extra_count &&
                   strcmp(q->extras[k]->name, e->name) != 0)
                k++;
            if (k < q->extra_count)
                continue;
            q->extras =
                must_grow(q->extras, q->extra_count, sizeof(q->extras[0]));
            q->extras[q->extra_count++] = e;
        }
    }
}

static bool
choose(struct request *q, const struct scenario *s)
{
    q->chosen = must_grow(q->chosen, q->chosen_count, sizeof(q->chosen[0]));
    q->chosen[q->chosen_count++] = s;
    return true;
}

static bool
choose_name(struct request *q, const char *name)
{
    char known[1024] = "";

    for (size_t i = 0; i < scenario_count; i++) {
        const struct scenario *s = scenarios[i];
        if (!is_of(s, q->command) || s->name == NULL)
            continue;
        if (strcmp(s->name, name) == 0)
            return choose(q, s);
        const size_t at = strlen(known);
        snprintf(known + at, sizeof(known) - at, " %s", s->name);
    }
    if (known[0] == '\0')
        complain("%s %s: %s takes no name", q->command->name, name,
                 q->command->name);
    else
        complain("%s %s: no such scenario; %s has%s", q->command->name, name,
                 q->command->name, known);
    return false;
}

/* Whether each extra option given belongs to a scenario that is to run. */
static bool
extras_fit(const struct request *q)
{
    for (size_t i = 0; i < q->options.extra_count; i++) {
        const char *name = q->options.extras[i].extra->name;
        bool found = false;
        for (size_t k = 0; k < q->chosen_count; k++) {
            const struct extra *e = q->chosen[k]->extras;
            for (; e != NULL && e->name != NULL; e++)
                found |= strcmp(e->name, name) == 0;
        }
        if (!found) {
            complain("--%s: %s %s has no such option", name, q->command->name,
                     q->chosen[0]->name);
            return false;
        }
    }
    return true;
}

/* Read what follows the command; false after a complaint. */
static bool
understand(struct request *q, int argc, char **argv)
{
    gather_extras(q);
    const int names = options_parse(&q->options, argc, argv, q->command->name,
                                    q->extras, q->extra_count);
    if (names < 0)
        return false;
    for (int i = names; i < argc; i++)
        if (!choose_name(q, argv[i]))
            return false;
    q->all = names == argc;
    for (size_t i = 0; i < scenario_count && q->all; i++)
        if (is_of(scenarios[i], q->command))
            choose(q, scenarios[i]);
    return extras_fit(q);
}

/* The command that runs the same again; libtool's inner name is undone. */
static char *
replay(const struct request *q, const char *program)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL)
        return must_copy("");
    const char *inner = strstr(program, "/.libs/");
    if (inner != NULL) {
        const char *last = inner + strlen("/.libs/");
        last += strncmp(last, "lt-", 3) == 0 ? 3 : 0;
        fprintf(f, "%.*s/%s", (int)(inner - program), program, last);
    } else {
        fputs(program, f);
    }
    fprintf(f, " %s", q->command->name);
    for (size_t i = 0; i < q->chosen_count && !q->all; i++)
        if (q->chosen[i]->name != NULL)
            fprintf(f, " %s", q->chosen[i]->name);
    options_write(f, &q->options);
    fclose(f);
    return text;
}

/* Run what was chosen; files only of a run that came to its end. */
static enum outcome
run(const struct request *q, const char *program)
{
    const struct options *o = &q->options;
    struct report *r = report_create(stdout);
    enum outcome worst = OUTCOME_OK;
    char *again = replay(q, program);

    report_meta(r, "seed", "0x%llx", (unsigned long long)o->seed);
    for (size_t i = 0; i < q->chosen_count && !report_is_abandoned(r); i++) {
        const struct scenario *s = q->chosen[i];
        if (interrupt_came())
            break;
        report_scenario(r, s->name != NULL ? s->name : s->command);
        if (q->chosen_count > 1)
            report_heading(r, "%s %s", s->command, s->name);
        const enum outcome got = s->run(o, r);
        worst = got > worst ? got : worst;
    }
    if (worst == OUTCOME_OK)
        worst = report_outcome(r);
    if (interrupt_came()) {
        report_meta(r, "stopped", "before its end, by a signal");
        worst = worst == OUTCOME_OK ? OUTCOME_FAILED : worst;
    }
    report_say(r, "%s", "");
    report_meta(r, "replay", "%s", again);
    const bool write = !report_is_abandoned(r) && worst != OUTCOME_USAGE;
    bool written = true;
    if (write && o->json != NULL)
        written &= files_write_json(r, o->json);
    if (write && o->csv != NULL)
        written &= files_write_csv(r, o->csv);
    if (!written && worst == OUTCOME_OK)
        worst = OUTCOME_FAILED;
    free(again);
    report_destroy(r);
    return worst;
}

static enum outcome
obey(int argc, char **argv)
{
    struct request q = {.command = NULL};
    enum outcome got = OUTCOME_USAGE;

    if (argc < 2) {
        complain("a command is needed; weft-stress --help shows them");
        return OUTCOME_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return OUTCOME_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("weft-stress %s\n", weft_version());
        return OUTCOME_OK;
    }
    if (strcmp(argv[1], "list") == 0) {
        if (argc > 2 && strcmp(argv[2], "--help") != 0) {
            complain("list %s: list takes nothing more", argv[2]);
            return OUTCOME_USAGE;
        }
        list(stdout, NULL);
        return OUTCOME_OK;
    }
    q.command = find_command(argv[1]);
    if (q.command == NULL)
        return OUTCOME_USAGE;
    if (understand(&q, argc - 1, argv + 1)) {
        got = OUTCOME_OK;
        if (q.options.help)
            help_command(stdout, &q);
        else if ((q.options.json != NULL && !files_check(q.options.json)) ||
                 (q.options.csv != NULL && !files_check(q.options.csv)))
            got = OUTCOME_USAGE;
        else
            got = run(&q, argv[0]);
    }
    free(q.chosen);
    free(q.extras);
    return got;
}

int
main(int argc, char **argv)
{
    /* A closed pipe and a file grown to its limit are errors like any other:
     * they are told, and no part of a file is left. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    interrupt_listen();
    enum outcome got = obey(argc, argv);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        complain("cannot write to the standard output: %s",
                 errno != 0 ? strerror(errno) : "an earlier write failed");
        got = got == OUTCOME_OK ? OUTCOME_FAILED : got;
    }
    return (int)got;
}
