/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_fuzz.c - what weft-deadlock says of programs drawn by lot,
 * against all that can happen in them.
 *
 * test_deadlock_fuzz [--seed N] [--programs N] [--hangs N] [--show] [TOOL]
 *
 * Programs are played once under the tool, in a run that comes to its end:
 *
 *     missed   somebody can be stuck, and nothing was told
 *     false    threads were told that can never be stuck all at once; or it was
 *              said that some are
 *
 * Then some that can hang are played so that they do: that has to be told, with
 * threads that are stuck.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz_oracle.h"
#include "fuzz_play.h"

#define PATIENCE_MS 60000
#define FOUND       64

/* What is told in one run: of each play, sets of threads. */
struct told {
    int count;
    struct {
        int play;
        unsigned threads;
        bool predicted;
    } of[FOUND * PLAYS];
};

/* How much a tool that sees one run can know. */
enum class {
    CANNOT,
    BY_LOCKS, /* a cycle of locks alone */
    BY_PAIR,  /* two threads, one of which waits for a lock */
    BY_MORE,
    CLASSES
};
static const char *const class_names[CLASSES] = {"cannot", "locks alone",
                                                 "two threads", "other"};

static struct {
    uint32_t seed;
    int programs;
    int hangs;
    bool show;
    const char *tool;
    const char *self;
    char file[64];
    char json[64];
} options = {1, 200, 20, false, "./weft-deadlock", NULL, "", ""};

static struct {
    int programs[CLASSES];
    int found[CLASSES];
    int lies; /* programs of which something false was told */
} total[FEATURES][2];

/* Why something may have been missed: the first that a program has. */
static const struct {
    enum feature feature;
    const char *text;
} causes[] = {
    {F_TRY, "tries, which might have gone the other way"},
    {F_CONDITION, "a condition: who was behind whom is guessed"},
    {F_SEMAPHORE, "semaphores: which post it was is not known"},
    {F_BARRIER, "a barrier"},
    {F_ALL, "none of these: more than one waits for no lock"},
};
#define CAUSES (sizeof(causes) / sizeof(causes[0]))
static int missed_by[CAUSES][CLASSES];

static struct {
    int played;
    int told;
    int missed;
    int wrong;
    int64_t slowest_ms;
} hangs;

static int failures;
static int lies;

/* --- the tool ------------------------------------------------------------- */

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
must(bool so, const char *what)
{
    if (so)
        return;
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
run_tool(bool keep)
{
    char json[80];

    snprintf(json, sizeof(json), "--json=%s", options.json);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDERR_FILENO);
    if (keep)
        execl(options.tool, options.tool, "--keep", json, "--output=/dev/null",
              options.self, "--play", options.file, (char *)NULL);
    else
        execl(options.tool, options.tool, json, "--output=/dev/null",
              options.self, "--play", options.file, (char *)NULL);
    _exit(127);
}

/* Play under the tool; return the status, -1: it was killed, as it took too
 * long. */
static int
play_under_tool(const struct play *plays, int count, bool keep)
{
    const int64_t begin = now_ms();
    int status;

    unlink(options.json);
    FILE *f = fopen(options.file, "wb");
    must(f != NULL &&
             fwrite(plays, sizeof(*plays), (size_t)count, f) == (size_t)count &&
             fclose(f) == 0,
         options.file);
    fflush(stdout);
    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0)
        run_tool(keep);
    while (waitpid(child, &status, WNOHANG) == 0) {
        const struct timespec t = {0, 1000000};
        nanosleep(&t, NULL);
        if (now_ms() - begin > PATIENCE_MS) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* One report: the threads before the word "behind". */
static void
read_line(char *line, struct told *t)
{
    char *behind = strstr(line, "\"behind\"");
    int play;
    int thread;

    if (behind != NULL)
        *behind = '\0';
    if (t->count == FOUND * PLAYS)
        return;
    t->of[t->count].play = -1;
    t->of[t->count].threads = 0;
    t->of[t->count].predicted = strstr(line, "\"feasible\"") != NULL;
    for (char *at = line; (at = strstr(at, "\"name\":\"")) != NULL; at++)
        if (sscanf(at, "\"name\":\"%d.%d\"", &play, &thread) == 2) {
            t->of[t->count].play = play;
            t->of[t->count].threads |= 1u << thread;
        }
    t->count++;
}

static void
read_told(struct told *t)
{
    char *line = NULL;
    size_t room = 0;

    t->count = 0;
    FILE *f = fopen(options.json, "r");
    while (f != NULL && getline(&line, &room, f) > 0)
        read_line(line, t);
    free(line);
    if (f != NULL)
        fclose(f);
}

/* --- what is right -------------------------------------------------------- */

static enum class class_of(const struct verdict *v) {
    enum class c = CANNOT;

    for (unsigned i = 1; i < 1u << THREADS;
         i++){if (v->cycle[i]) return BY_LOCKS; if (v->pair[i]) c = BY_PAIR;
              else if (v->stuck[i] && c == CANNOT) c = BY_MORE;}
return c;
}

/* What has to be found: what is left to chance are tries that might have failed,
 * and what conditions and several posts order. */
static bool
has_to_be_found(const struct program *p, enum class c)
{
    if (has_feature(p, F_TRY) || has_feature(p, F_CONDITION))
        return false;
    return c == BY_LOCKS && !has_feature(p, F_SEMAPHORE);
}

struct outcome {
    bool found;
    bool lied;
};

static struct outcome
outcome_of(const struct told *t, int play, const struct verdict *v)
{
    struct outcome o = {false, false};

    for (int i = 0; i < t->count; i++) {
        if (t->of[i].play != play)
            continue;
        o.found = true;
        o.lied =
            o.lied || !t->of[i].predicted || !can_be_stuck(v, t->of[i].threads);
    }
    return o;
}

static void
show(const char *what, const struct play *p, const struct told *t, int play)
{
    printf("# %s:", what);
    for (int i = 0; i < t->count; i++)
        if (t->of[i].play == play)
            printf(" told 0x%x%s", t->of[i].threads,
                   t->of[i].predicted ? "" : " as if it were so");
    printf("\n");
    show_program(&p->program);
    printf("#  run:");
    for (int i = 0; i < p->run.events; i++)
        printf(" %d%s", p->run.event[i].thread,
               p->run.event[i].failed ? "!" : "");
    printf("\n");
}

/* --- smaller -------------------------------------------------------------- */

/* Play it alone; whether it still lies, or misses. */
static bool
is_still(struct program *p, uint32_t seed, bool lie, enum class class,
         struct play *made)
{
    const struct verdict v = judge_program(p);
    struct verdict unused;
    struct told t;

    for (int i = 0; i < 4; i++) {
        made->program = *p;
        if (class_of(&v) != class || v.too_large ||
            !draw_run(p, &seed, true, &made->run, &unused) ||
            play_under_tool(made, 1, true) < 0)
            return false;
        read_told(&t);
        const struct outcome o = outcome_of(&t, 0, &v);
        if (lie ? o.lied : !o.found)
            return true;
    }
    return false;
}

static void
show_smaller(const struct play *from, bool lie, enum class class)
{
    struct play p = *from;
    struct play made;
    bool any = true;

    while (any) {
        any = false;
        for (int t = 0; t < p.program.threads; t++)
            for (int pair = 1; pair <= STEPS; pair++) {
                struct program q = p.program;
                if (drop_pair(&q, t, pair) &&
                    is_still(&q, options.seed, lie, class, &made)) {
                    p = made;
                    any = true;
                }
            }
    }
    const struct told none = {0};
    show("made smaller", &p, &none, 0);
}

/* --- all ------------------------------------------------------------------ */

static void
count(const struct play *p, bool clean, enum class c, struct outcome o)
{
    for (int f = 0; f < FEATURES; f++) {
        if (!has_feature(&p->program, (enum feature)f))
            continue;
        total[f][clean].programs[c]++;
        total[f][clean].found[c] += o.found;
        total[f][clean].lies += o.lied;
    }
}

static void
count_missed(const struct program *p, enum class c)
{
    size_t i = 0;

    while (!has_feature(p, causes[i].feature))
        i++;
    missed_by[i][c]++;
}

static void
judge_play(const struct play *p, const struct told *t, int i, bool clean)
{
    const struct verdict v = judge_program(&p->program);
    const enum class c = class_of(&v);
    const struct outcome o = outcome_of(t, i, &v);
    const bool missed = !o.found && has_to_be_found(&p->program, c);

    count(p, clean, c, o);
    if (!o.found && c != CANNOT)
        count_missed(&p->program, c);
    failures += missed || (o.lied && clean);
    lies += o.lied;
    if (missed || o.lied || (options.show && !o.found && c != CANNOT)) {
        show(o.lied ? "false" : missed ? "missed" : class_names[c], p, t, i);
        if (options.show)
            show_smaller(p, o.lied, c);
    }
}

static void
play_hang(struct program *p, uint32_t *seed)
{
    struct told t;
    struct verdict v;
    struct play play = {.program = *p};

    if (!draw_run(p, seed, false, &play.run, &v))
        return;
    const int64_t begin = now_ms();
    bool wrong = play_under_tool(&play, 1, false) != 66;
    const int64_t took = now_ms() - begin;
    read_told(&t);
    bool told = false;
    for (int i = 0; i < t.count; i++) {
        told = told || !t.of[i].predicted;
        wrong =
            wrong || (!t.of[i].predicted && !can_be_stuck(&v, t.of[i].threads));
    }
    hangs.played++;
    hangs.told += told;
    hangs.missed += !told;
    hangs.wrong += wrong;
    if (hangs.slowest_ms < took)
        hangs.slowest_ms = took;
    if (!told || wrong) {
        failures++;
        show("a hang", &play, &t, t.count > 0 ? t.of[0].play : 0);
    }
}

static void
play_batch(uint32_t *seed, bool clean)
{
    static struct play plays[PLAYS];
    static struct told told;
    struct verdict v;
    int n = 0;

    while (n < PLAYS) {
        struct play *p = &plays[n];
        p->program = draw_program(seed, clean);
        v = judge_program(&p->program);
        if (!v.too_large && draw_run(&p->program, seed, true, &p->run, &v))
            n++;
    }
    const int status = play_under_tool(plays, n, true);
    read_told(&told);
    if (status != (told.count > 0 ? 66 : 0)) {
        printf("# a batch of programs ended with %d\n", status);
        failures++;
    }
    for (int i = 0; i < n; i++) {
        judge_play(&plays[i], &told, i, clean);
        v = judge_program(&plays[i].program);
        if (class_of(&v) != CANNOT && hangs.played < options.hangs)
            play_hang(&plays[i].program, seed);
    }
}

static void
show_table(bool clean)
{
    printf("# %-20s %8s %6s", clean ? "clean" : "not clean", "programs",
           "false");
    for (int c = CANNOT + 1; c < CLASSES; c++)
        printf(" %20s", class_names[c]);
    printf("\n");
    for (int f = 0; f < FEATURES; f++) {
        int all = 0;
        for (int c = 0; c < CLASSES; c++)
            all += total[f][clean].programs[c];
        printf("# %-20s %8d %6d", feature_names[f], all, total[f][clean].lies);
        for (int c = CANNOT + 1; c < CLASSES; c++)
            printf(" %9d of %7d", total[f][clean].found[c],
                   total[f][clean].programs[c]);
        printf("\n");
    }
}

static void
show_causes(void)
{
    printf("# missed, of programs with\n");
    for (size_t i = 0; i < CAUSES; i++) {
        printf("#   %-50s", causes[i].text);
        for (int c = CANNOT + 1; c < CLASSES; c++)
            printf(" %7d", missed_by[i][c]);
        printf("\n");
    }
}

static int
play_file(const char *name)
{
    static struct play plays[PLAYS];

    FILE *f = fopen(name, "rb");
    must(f != NULL, name);
    const size_t n = fread(plays, sizeof(*plays), PLAYS, f);
    fclose(f);
    play_all(plays, (int)n);
    return 0;
}

static void
read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--show") == 0)
            options.show = true;
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            options.seed = (uint32_t)atoi(argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--programs") == 0)
            options.programs = atoi(argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--hangs") == 0)
            options.hangs = atoi(argv[++i]);
        else
            options.tool = argv[i];
    }
}

int
main(int argc, char **argv)
{
    char dir[] = "/tmp/weft_fuzz.XXXXXX";

    if (argc == 3 && strcmp(argv[1], "--play") == 0)
        return play_file(argv[2]);
    options.self = argv[0];
    read_options(argc, argv);
    must(mkdtemp(dir) != NULL, dir);
    snprintf(options.file, sizeof(options.file), "%s/plays", dir);
    snprintf(options.json, sizeof(options.json), "%s/json", dir);
    uint32_t seed = options.seed;
    for (int i = 0; i < options.programs; i += PLAYS)
        play_batch(&seed, i / PLAYS % 2 == 0);
    show_table(true);
    show_table(false);
    show_causes();
    printf(
        "# hangs: %d played, %d told, %d missed, %d wrong, slowest %lld ms\n",
        hangs.played, hangs.told, hangs.missed, hangs.wrong,
        (long long)hangs.slowest_ms);
    unlink(options.file);
    unlink(options.json);
    rmdir(dir);
    return failures != 0 || lies > options.programs / 100;
}
