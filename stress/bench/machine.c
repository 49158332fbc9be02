/* SPDX-License-Identifier: MIT */
/*
 * machine.c - what a number was measured on and with, said before it.
 */
#include <weft/weft.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench/bench.h"
#include "bench/sanitized.h"
#include "bench/ticks.h"

#define LINE_BYTES 512

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static void
trim(char *text)
{
    text[strcspn(text, "\n")] = '\0';
}

/* The first line of a file, or what else to say. */
static const char *
read_line(const char *path, const char *otherwise, char line[LINE_BYTES])
{
    FILE *f = fopen(path, "re");
    const char *got = NULL;

    if (f != NULL) {
        got = fgets(line, LINE_BYTES, f);
        fclose(f);
    }
    if (got == NULL)
        return otherwise;
    trim(line);
    return line;
}

/* The processor's own name; not every platform's /proc/cpuinfo has one. */
static const char *
cpu_model(char line[LINE_BYTES])
{
    static const char key[] = "model name";
    FILE *f = fopen("/proc/cpuinfo", "re");
    const char *model = NULL;

    while (f != NULL && model == NULL && fgets(line, LINE_BYTES, f) != NULL)
        if (strncmp(line, key, sizeof(key) - 1) == 0)
            model = strchr(line, ':');
    if (f != NULL)
        fclose(f);
    if (model == NULL)
        return "not named by the system";
    trim(line);
    return model + 1 + strspn(model + 1, " \t");
}

static void
say_library(struct report *r)
{
    Dl_info library;
    Dl_info program;

    /* POSIX lets a function's address travel in a void *, C only warns. */
    if (dladdr((void *)(uintptr_t)weft_version, &library) == 0 ||
        dladdr((void *)(uintptr_t)bench_header, &program) == 0)
        report_meta(r, "library", "weft %s", weft_version());
    else if (library.dli_fbase == program.dli_fbase)
        report_meta(r, "library", "weft %s, linked statically", weft_version());
    else
        report_meta(r, "library", "weft %s, shared, %s", weft_version(),
                    library.dli_fname);
}

static void
say_machine(struct report *r)
{
    char line[LINE_BYTES];
    struct utsname system;

    report_meta(r, "cpu", "%s", cpu_model(line));
    report_meta(r, "cpus", "%u usable", weft_cpu_count());
    report_meta(r, "governor", "%s",
                read_line("/sys/devices/system/cpu/cpu0/cpufreq/"
                          "scaling_governor",
                          "not readable", line));
    if (uname(&system) == 0)
        report_meta(r, "kernel", "%s %s %s", system.sysname, system.release,
                    system.machine);
    report_meta(r, "compiler", "%s", COMPILER);
    report_meta(r, "flags", "%s", WEFT_CFLAGS);
    say_library(r);
    if (SANITIZED_THREADS)
        report_meta(r, "left out",
                    "Concurrency Kit and liburcu: ThreadSanitizer "
                    "cannot see their atomics");
    report_meta(r, "latency", "%s, %.2f ns a tick; %.0f ns a stamp, taken off",
                ticks_name, ticks_in_ns(),
                (double)ticks_of_itself() * ticks_in_ns());
}

void
bench_header(const struct bench_run *run, const char *threads)
{
    static const struct report *told; /* about the machine */
    struct report *r = run->report;

    if (told != r)
        say_machine(r);
    told = r;
    report_say(r, "%s: %s; %s", run->what, threads,
               run->pin ? "each thread pinned to one CPU"
                        : "threads begin on the CPUs in turn, then run free");
    report_say(r,
               "%u rounds, interleaved, in %.3g s (%.3g ms a row and round), "
               "seed 0x%llx; round trip between CPUs %s",
               run->rounds, run->duration_s, bench_cell_s(run) * 1e3,
               (unsigned long long)run->seed,
               bench_round_trip(r) > 0 ? "beside every row (trip)"
                                       : "not measured: there is one CPU");
}
