/* SPDX-License-Identifier: MIT */
/*
 * weft_deadlock.c - the program weft-deadlock: run another one with the shim
 * preloaded.
 *
 * It executes the program in its own place: the same process, files, terminal
 * and parent, so that exit status, signals and output are the program's own.
 * What the user asked for goes to the shim in the environment.
 *
 * Who is refused: a program that would start without the shim, and so hang
 * without a word.  The file is looked at as the system will: through PATH, and
 * through the interpreters of scripts.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <weft/version.h>

#include "deadlock/confirm.h"
#include "deadlock/sanitizer.h"
#include "deadlock/suppress.h"
#include "deadlock/values.h"

#define SHIM      "libweft-deadlock.so"
#define SHIM_ROOM (2 * PATH_MAX)

#define REFUSED     2
#define FOUND       66
#define NOT_STARTED 126
#define NOT_FOUND   127

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

static const char usage[] =
    "usage: weft-deadlock [OPTION...] PROGRAM [ARGUMENT...]\n"
    "Run PROGRAM and say which of its threads wait for each other for ever, "
    "or\n"
    "could in another run.\n"
    "\n"
    "  -o, --output=FILE       append reports to FILE, not to standard error\n"
    "      --json=FILE         append them to FILE in JSON, one a line\n"
    "      --graph=FILE        append them to FILE as graphs for Graphviz\n"
    "      --exit-status=N     exit with N when something was found (66)\n"
    "      --timeout=S         after S seconds, say what all threads do, and "
    "end\n"
    "      --dump-signal=SIG   say what all threads do when SIG comes, go on\n"
    "      --stuck=S           tell when nothing in the program runs for S "
    "seconds\n"
    "      --suppress=FILE     do not tell what FILE has names of\n"
    "      --doubt=S           end it S seconds after a report that is not "
    "certain (10)\n"
    "      --keep              do not end the program after a report\n"
    "      --no-predict        tell only of what happens\n"
    "      --order             tell of locks in both orders that are kept "
    "apart\n"
    "      --confirm           run it again to see whether what could happen "
    "does\n"
    "      --children          watch the programs it starts, too\n"
    "      --help, --version\n";

static _Noreturn void
refuse(int status, const char *program, const char *why)
{
    fprintf(stderr, "weft-deadlock: %s: %s\n", program, why);
    exit(status);
}

/* --- the file ------------------------------------------------------------- */

/* Find a program as execvp does; the errno of the last try otherwise. */
static int
find_program(const char *name, char *path, size_t room)
{
    const char *list = getenv("PATH");
    int error = ENOENT;

    if (strchr(name, '/') != NULL) {
        snprintf(path, room, "%s", name);
        return access(path, X_OK) == 0 ? 0 : errno;
    }
    if (list == NULL)
        list = "/bin:/usr/bin";
    for (const char *at = list;; at++) {
        const size_t n = strcspn(at, ":");
        struct stat s;
        snprintf(path, room, "%.*s%s%s", (int)n, at, n > 0 ? "/" : "", name);
        if (stat(path, &s) == 0 && S_ISREG(s.st_mode)) {
            if (access(path, X_OK) == 0)
                return 0;
            error = errno;
        }
        at += n;
        if (*at == '\0')
            return error;
    }
}

/* What keeps the loader from preloading into an ELF file; NULL: nothing. */
static const char *
trouble_with_elf(int fd, const Elf64_Ehdr *h)
{
    char interpreter[PATH_MAX];

    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_machine != MACHINE)
        return "is for another kind of machine than weft-deadlock";
    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;
        const off_t at = (off_t)(h->e_phoff + i * sizeof(p));
        if (pread(fd, &p, sizeof(p), at) != (ssize_t)sizeof(p))
            return "cannot be read";
        if (p.p_type != PT_INTERP)
            continue;
        const ssize_t n =
            pread(fd, interpreter, sizeof(interpreter) - 1, (off_t)p.p_offset);
        interpreter[n > 0 ? n : 0] = '\0';
        if (strstr(interpreter, "ld-musl") != NULL)
            return "is linked with musl; only glibc is supported";
        return weft_sanitizer_of_(fd, h) != NULL
                   ? "is built with a sanitizer, which needs the same "
                     "functions: "
                     "build it without"
                   : NULL;
    }
    return "is statically linked: nothing can be preloaded";
}

/* Cut the first line of a script to its interpreter. */
static char *
interpreter_of(char *line)
{
    char *at = line + 2 + strspn(line + 2, " \t");

    at[strcspn(at, " \t\n")] = '\0';
    return at;
}

static bool
gets_rights(const struct stat *s)
{
    return ((s->st_mode & S_ISUID) != 0 && s->st_uid != geteuid()) ||
           ((s->st_mode & S_ISGID) != 0 && s->st_gid != getegid());
}

/* Refuse a file into which the shim will not get; scripts by their
 * interpreters. */
static void
check_file(const char *program, const char *path, unsigned depth)
{
    union {
        Elf64_Ehdr elf;
        char line[PATH_MAX];
    } head = {.line = ""};
    struct stat s;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        refuse(NOT_STARTED, program, "cannot be read, so not be checked");
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        refuse(NOT_STARTED, program, "is not a program");
    const ssize_t n = read(fd, head.line, sizeof(head.line) - 1);
    const char *why = NULL;
    if (n >= (ssize_t)sizeof(head.elf) &&
        memcmp(head.line, ELFMAG, SELFMAG) == 0) {
        if (gets_rights(&s))
            why = "is set-user-id or set-group-id: the system preloads nothing";
        else
            why = trouble_with_elf(fd, &head.elf);
    }
    close(fd);
    if (why != NULL)
        refuse(REFUSED, program, why);
    if (n > 2 && head.line[0] == '#' && head.line[1] == '!' && depth < 4)
        check_file(program, interpreter_of(head.line), depth + 1);
}

/* --- the shim ------------------------------------------------------------- */

/* The folder of this program, without the name; "" if it is not known. */
static void
own_folder(char folder[PATH_MAX])
{
    const ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);

    folder[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
}

/* Find the shim: where the user says, in the tree it was built in, or where it
 * was installed, which may be below a folder that was put in front. */
static void
find_shim(char path[SHIM_ROOM])
{
    const char *told = getenv("WEFT_DEADLOCK_SHIM");
    char folder[PATH_MAX];

    own_folder(folder);
    const size_t n = strlen(folder);
    const size_t tail = strlen(BINDIR);
    const bool below = n > tail && strcmp(folder + n - tail, BINDIR) == 0;
    if (told != NULL)
        snprintf(path, SHIM_ROOM, "%s", told);
    else
        snprintf(path, SHIM_ROOM, "%s/.libs/%s", folder, SHIM);
    if (told == NULL && access(path, R_OK) != 0)
        snprintf(path, SHIM_ROOM, "%.*s%s/%s", below ? (int)(n - tail) : 0,
                 folder, PKGLIBDIR, SHIM);
    if (access(path, R_OK) != 0)
        refuse(REFUSED, path, strerror(errno));
    if (strpbrk(path, " :") != NULL)
        refuse(REFUSED, path, "the path has a space or a colon in it");
}

static void
preload(const char *shim)
{
    const char *others = getenv("LD_PRELOAD");
    char *list;

    if (asprintf(&list, "%s%s%s", shim, others != NULL ? ":" : "",
                 others != NULL ? others : "") < 0)
        refuse(REFUSED, shim, strerror(errno));
    setenv("LD_PRELOAD", list, 1);
    free(list);
}

/* The program may change its folder: tell whole paths. */
static void
tell_path(const char *variable, const char *file)
{
    char folder[PATH_MAX];
    char *whole;

    if (file[0] == '/' || getcwd(folder, sizeof(folder)) == NULL) {
        setenv(variable, file, 1);
        return;
    }
    if (asprintf(&whole, "%s/%s", folder, file) < 0)
        refuse(REFUSED, file, strerror(errno));
    setenv(variable, whole, 1);
    free(whole);
}

static void
tell_file(const char *variable, const char *file)
{
    if (strcmp(file, "-") == 0)
        refuse(REFUSED, file, "is no file: write /dev/stdout or ./-");
    const int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        refuse(REFUSED, file, strerror(errno));
    close(fd);
    tell_path(variable, file);
}

/* Refuse a file with a line that means nothing, and one that cannot be read. */
static void
tell_suppressions(const char *file)
{
    static char text[WEFT_SUPPRESS_MOST + 1];
    unsigned line;
    FILE *f = fopen(file, "re");

    if (f == NULL)
        refuse(REFUSED, file, strerror(errno));
    const size_t n = fread(text, 1, sizeof(text), f);
    if (ferror(f))
        refuse(REFUSED, file, strerror(errno));
    fclose(f);
    if (n == sizeof(text))
        refuse(REFUSED, file, "has more than a megabyte");
    const char *why = weft_suppress_check_(text, &line);
    if (why != NULL) {
        fprintf(stderr, "weft-deadlock: %s:%u: %s\n", file, line, why);
        exit(REFUSED);
    }
    tell_path("WEFT_DEADLOCK_SUPPRESS", file);
}

static void
tell_number(const char *variable, long n)
{
    char text[24];

    snprintf(text, sizeof(text), "%ld", n);
    setenv(variable, text, 1);
}

/* --- the command line ----------------------------------------------------- */

enum long_option {
    JSON = 256,
    GRAPH,
    STATUS,
    TIMEOUT,
    SIGNAL,
    STUCK,
    SUPPRESS,
    DOUBT,
    KEEP,
    NO_PREDICT,
    ORDER,
    CONFIRM,
    CHILDREN,
    HELP,
    VERSION
};

static bool confirm;
static int status = FOUND; /* when something was found */

static const struct option options[] = {
    {"output", required_argument, NULL, 'o'},
    {"pid", required_argument, NULL, 'p'},
    {"json", required_argument, NULL, JSON},
    {"graph", required_argument, NULL, GRAPH},
    {"exit-status", required_argument, NULL, STATUS},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"dump-signal", required_argument, NULL, SIGNAL},
    {"stuck", required_argument, NULL, STUCK},
    {"suppress", required_argument, NULL, SUPPRESS},
    {"doubt", required_argument, NULL, DOUBT},
    {"keep", no_argument, NULL, KEEP},
    {"no-predict", no_argument, NULL, NO_PREDICT},
    {"order", no_argument, NULL, ORDER},
    {"confirm", no_argument, NULL, CONFIRM},
    {"children", no_argument, NULL, CHILDREN},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

static void
tell_status(const char *text)
{
    char *end;
    const long n = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || n < 0 || n > 255)
        refuse(REFUSED, text, "is no exit status: 0 to 255");
    status = (int)n;
    tell_number("WEFT_DEADLOCK_STATUS", n);
}

static int64_t
read_ms(const char *text)
{
    const int64_t ms = weft_value_ms_(text);

    if (ms == 0)
        refuse(REFUSED, text, "is no time in seconds, as 2 or 0.5");
    return ms;
}

/* From now: the program may execute another one on its way. */
static void
tell_timeout(const char *text)
{
    const int64_t ms = read_ms(text);
    struct timespec t;
    char value[64];

    clock_gettime(CLOCK_MONOTONIC, &t);
    snprintf(value, sizeof(value), "%lld %.24s",
             (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms, text);
    setenv("WEFT_DEADLOCK_TIMEOUT", value, 1);
}

static void
tell_signal(const char *text)
{
    const int n = weft_value_signal_(text);

    if (n == 0)
        refuse(REFUSED, text, "is no signal, or none that can be handled");
    tell_number("WEFT_DEADLOCK_SIGNAL", n);
}

/* False: it is not one of these. */
static bool
tell_flag(int c)
{
    const char *variable = c == KEEP         ? "WEFT_DEADLOCK_KEEP"
                           : c == NO_PREDICT ? "WEFT_DEADLOCK_NO_PREDICT"
                           : c == ORDER      ? "WEFT_DEADLOCK_ORDER"
                           : c == CHILDREN   ? "WEFT_DEADLOCK_CHILDREN"
                                             : NULL;

    if (variable != NULL)
        setenv(variable, "1", 1);
    return variable != NULL;
}

static void
forget_all(void)
{
    static const char *const variables[] = {
        "WEFT_DEADLOCK_OUTPUT",     "WEFT_DEADLOCK_JSON",
        "WEFT_DEADLOCK_GRAPH",      "WEFT_DEADLOCK_STATUS",
        "WEFT_DEADLOCK_KEEP",       "WEFT_DEADLOCK_CHILDREN",
        "WEFT_DEADLOCK_NO_PREDICT", "WEFT_DEADLOCK_ORDER",
        "WEFT_DEADLOCK_TIMEOUT",    "WEFT_DEADLOCK_SIGNAL",
        "WEFT_DEADLOCK_STUCK",      "WEFT_DEADLOCK_SUPPRESS",
        "WEFT_DEADLOCK_PLAN",       "WEFT_DEADLOCK_CONFIRM",
        "WEFT_DEADLOCK_DOUBT",
    };

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        unsetenv(variables[i]);
}

static void
read_options(int argc, char **argv)
{
    int c;

    forget_all();
    while ((c = getopt_long(argc, argv, "+o:p:", options, NULL)) != -1) {
        if (c == 'o') {
            tell_file("WEFT_DEADLOCK_OUTPUT", optarg);
        } else if (c == 'p') {
            refuse(REFUSED, optarg,
                   "what runs already cannot be watched: start it with "
                   "weft-deadlock");
        } else if (c == JSON) {
            tell_file("WEFT_DEADLOCK_JSON", optarg);
        } else if (c == GRAPH) {
            tell_file("WEFT_DEADLOCK_GRAPH", optarg);
        } else if (c == STATUS) {
            tell_status(optarg);
        } else if (c == TIMEOUT) {
            tell_timeout(optarg);
        } else if (c == SIGNAL) {
            tell_signal(optarg);
        } else if (c == STUCK) {
            tell_number("WEFT_DEADLOCK_STUCK", (long)read_ms(optarg));
        } else if (c == SUPPRESS) {
            tell_suppressions(optarg);
        } else if (c == DOUBT) {
            tell_number("WEFT_DEADLOCK_DOUBT", (long)read_ms(optarg));
        } else if (tell_flag(c)) {
            continue;
        } else if (c == CONFIRM) {
            confirm = true;
        } else if (c == HELP) {
            fputs(usage, stdout);
            exit(0);
        } else if (c == VERSION) {
            printf("weft-deadlock %s\n", WEFT_VERSION);
            exit(0);
        } else {
            fputs(usage, stderr);
            exit(REFUSED);
        }
    }
    if (optind == argc) {
        fputs(usage, stderr);
        exit(REFUSED);
    }
}

int
main(int argc, char **argv)
{
    char path[PATH_MAX];
    char shim[SHIM_ROOM];

    read_options(argc, argv);
    const char *program = argv[optind];
    const int error = find_program(program, path, sizeof(path));
    if (error != 0)
        refuse(error == ENOENT || error == ENOTDIR ? NOT_FOUND : NOT_STARTED,
               program, strerror(error));
    check_file(program, path, 0);
    find_shim(shim);
    preload(shim);
    if (confirm)
        return weft_confirm_(&argv[optind], getenv("WEFT_DEADLOCK_OUTPUT"),
                             status);
    tell_number("WEFT_DEADLOCK_PID", (long)getpid());
    execvp(program, &argv[optind]);
    refuse(errno == ENOENT ? NOT_FOUND : NOT_STARTED, program, strerror(errno));
}
