/* SPDX-License-Identifier: MIT */
#include "base/cpu.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/base.h>

#include "testing.h"

/* The linker sends the library's calls here; see the program's LDFLAGS. */
int __real_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *mask);
int __wrap_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *mask);

static size_t least_mask_bytes; /* the system refuses smaller ones */
static size_t extra_cpu;        /* this CPU is there too; 0: none */

int
__wrap_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *mask)
{
    if (bytes < least_mask_bytes) {
        errno = EINVAL;
        return -1;
    }
    const int result = __real_sched_getaffinity(pid, bytes, mask);
    if (result == 0 && extra_cpu > 0)
        CPU_SET_S(extra_cpu, bytes, mask);
    return result;
}

/* A machine of files: what lies below `root` stands for "/". */
static char root[] = "/tmp/weft-cpu-XXXXXX";

static void
begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void
end(void)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

/* Write the text to the file `name`, and make the folders above it. */
static void
put(const char *name, const char *text)
{
    char path[2000];

    snprintf(path, sizeof(path), "%s%s", root, name);
    for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
        *p = '/';
    }
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

#define CGROUP     "/proc/self/cgroup"
#define MOUNTS     "/proc/self/mountinfo"
#define V2_AT(dir) "30 1 0:26 / " dir " rw,nosuid - cgroup2 cgroup2 rw\n"
#define V1_AT(dir) \
    "31 1 0:27 / " dir " rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
#define ORDINARY                                     \
    "20 1 0:20 / / rw,relatime - ext4 /dev/vda rw\n" \
    "21 20 0:21 / /proc rw shared:13 - proc proc rw\n"

static void
begin_v2(void)
{
    begin();
    put(CGROUP, "0::/a/b\n");
    put(MOUNTS, ORDINARY V2_AT("/sys/fs/cgroup"));
}

static void
begin_v1(void)
{
    begin();
    put(CGROUP, "3:memory:/m\n2:cpu,cpuacct:/a/b\n1:name=systemd:/s\n");
    put(MOUNTS,
        ORDINARY "40 1 0:40 / /cg/memory rw - cgroup cgroup rw,memory\n" V1_AT(
            "/cg/cpu,cpuacct"));
}

START_TEST(test_v2_quota_is_rounded_up)
{
    static const struct {
        const char *text;
        unsigned cpus;
    } rows[] = {
        {"max 100000\n", UINT_MAX},
        {"150000 100000\n", 2},
        {"200000 100000\n", 2},
        {"200001 100000\n", 3},
        {"50000 100000\n", 1},
        {"1 100000\n", 1},
        {"400000 50000", 8},
        {"9000000000000000000 1\n", UINT_MAX},
        {"9000000000000000000 9000000000000000000\n", 1},
    };

    begin_v2();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put("/sys/fs/cgroup/a/b/cpu.max", rows[i].text);
        ck_assert_uint_eq(weft_cpu_quota_(root), rows[i].cpus);
    }
    end();
}
END_TEST

START_TEST(test_v2_tightest_group_up_to_the_mount_counts)
{
    begin_v2();
    put("/sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 8);
    put("/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 3);
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 2);
    /* Neither above the mount nor in a sister group. */
    put("/sys/fs/cpu.max", "100000 100000\n");
    put("/sys/fs/cgroup/c/cpu.max", "100000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 2);
    put("/sys/fs/cgroup/a/b/cpu.max", "100000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 1);
    end();
}
END_TEST

START_TEST(test_v1_quota_is_rounded_up)
{
    static const struct {
        const char *quota;
        const char *period;
        unsigned cpus;
    } rows[] = {
        {"-1\n", "100000\n", UINT_MAX},   {"150000\n", "100000\n", 2},
        {"50000\n", "100000\n", 1},       {"1000000\n", "100000\n", 10},
        {"150000\n", "0\n", UINT_MAX},    {"0\n", "100000\n", UINT_MAX},
        {"150000\n", "many\n", UINT_MAX},
    };

    begin_v1();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put("/cg/cpu,cpuacct/a/b/cpu.cfs_quota_us", rows[i].quota);
        put("/cg/cpu,cpuacct/a/b/cpu.cfs_period_us", rows[i].period);
        ck_assert_uint_eq(weft_cpu_quota_(root), rows[i].cpus);
    }
    end();
}
END_TEST

START_TEST(test_v1_takes_the_cpu_hierarchy_and_no_other)
{
    begin_v1();
    put("/cg/memory/a/b/cpu.cfs_quota_us", "100000\n");
    put("/cg/memory/a/b/cpu.cfs_period_us", "100000\n");
    put("/cg/cpu,cpuacct/m/cpu.cfs_quota_us", "100000\n");
    put("/cg/cpu,cpuacct/m/cpu.cfs_period_us", "100000\n");
    put("/cg/cpu,cpuacct/a/b/cpu.max", "100000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    put("/cg/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n");
    put("/cg/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 3);
    end();
}
END_TEST

START_TEST(test_hybrid_takes_the_tighter_version)
{
    begin();
    put(CGROUP, "2:cpu,cpuacct:/one\n1:name=systemd:/s\n0::/two\n");
    put(MOUNTS, ORDINARY V1_AT("/cg/cpu") V2_AT("/cg/unified"));
    put("/cg/cpu/one/cpu.cfs_quota_us", "400000\n");
    put("/cg/cpu/one/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 4);
    put("/cg/unified/two/cpu.max", "200000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 2);
    put("/cg/unified/two/cpu.max", "max 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 4);
    end();
}
END_TEST

/* How a group, and the group a mount begins with, lead to a folder. */
static const struct {
    const char *group;
    const char *mounted;
    const char *at; /* as mountinfo writes it */
    const char *file;
    unsigned cpus; /* when the file says 3 */
} places[] = {
    {"/", "/", "/cg", "/cg/cpu.max", 3},
    {"/a/b", "/", "/elsewhere/cg", "/elsewhere/cg/a/b/cpu.max", 3},
    {"/a/b", "/a/b", "/cg", "/cg/cpu.max", 3},
    {"/a/b", "/a", "/cg", "/cg/b/cpu.max", 3},
    {"/a/b", "/a", "/cg", "/cg/a/b/cpu.max", UINT_MAX},
    {"/ab", "/a", "/cg", "/cg/b/cpu.max", UINT_MAX},
    {"/ab", "/a", "/cg", "/cgb/cpu.max", UINT_MAX},
    {"/a", "/b", "/cg", "/cg/cpu.max", UINT_MAX},
    {"/a..b", "/", "/cg", "/cg/a..b/cpu.max", 3},
    {"/a:b", "/", "/cg", "/cg/a:b/cpu.max", 3},
    {"/a b", "/a\\040b", "/c\\040g", "/c g/cpu.max", 3},
    /* The group lies outside the namespace, and not below the mount. */
    {"/../..", "/", "/cg", "/cg/cpu.max", UINT_MAX},
    {"/../c", "/", "/cg", "/cg/c/cpu.max", UINT_MAX},
    {"/../..", "/..", "/cg", "/cg/cpu.max", UINT_MAX},
    /* Both lie outside, the group below the mount. */
    {"/../..", "/../..", "/cg", "/cg/cpu.max", 3},
    {"/../c", "/..", "/cg", "/cg/c/cpu.max", 3},
    /* The mount begins above the namespace. */
    {"/", "/../..", "/cg", "/cg/cpu.max", 3},
    {"/a", "/..", "/cg", "/cg/cpu.max", 3},
};

#define PLACES ((int)(sizeof(places) / sizeof(places[0])))

START_TEST(test_mount_may_begin_anywhere)
{
    char text[200];

    begin();
    snprintf(text, sizeof(text), "0::%s\n", places[_i].group);
    put(CGROUP, text);
    snprintf(text, sizeof(text), "30 1 0:26 %s %s rw - cgroup2 none rw\n",
             places[_i].mounted, places[_i].at);
    put(MOUNTS, text);
    put(places[_i].file, "300000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), places[_i].cpus);
    end();
}
END_TEST

START_TEST(test_missing_files_set_no_limit)
{
    begin();
    ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    put(CGROUP, "0::/a/b\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    put(MOUNTS, V2_AT("/nowhere"));
    ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    ck_assert_uint_eq(weft_cpu_quota_("/nowhere"), UINT_MAX);
    end();
}
END_TEST

START_TEST(test_garbage_sets_no_limit)
{
    static const char *const limits[] = {
        "",
        "\n",
        " ",
        "max",
        "100000",
        "100000 ",
        "100000 0\n",
        "0 100000\n",
        "-1 100000",
        "100000 -1",
        "1x 100000",
        "100000 1x",
        "max max",
        "0x10 100000",
        "100000,100000\n",
        "99999999999999999999 1",
        "1 99999999999999999999",
    };
    static const char *const groups[] = {
        "",      "\n",     ":",
        "::",    "0:",     "0::",
        "0::a",  "0:::/",  "garbage\n\n\n",
        "1:cpu", "1:cpu:", "x:cpux,xcpu:/a/b",
    };
    static const char *const mounts[] = {
        "",
        "\n",
        " - ",
        "1 2 3\n",
        "30 1 0:26 / /cg rw - cgroup2\n",
        "30 1 0:26 / /cg rw cgroup2 none rw\n",
        "30 1 0:26 / - cgroup2 n rw\n",
    };

    begin_v2();
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        put("/sys/fs/cgroup/a/b/cpu.max", limits[i]);
        ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    }
    put("/sys/fs/cgroup/a/b/cpu.max", "100000 100000\n");
    ck_assert_uint_eq(weft_cpu_quota_(root), 1);
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        put(CGROUP, groups[i]);
        ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    }
    put(CGROUP, "0::/a/b"); /* without a newline it is still a line */
    ck_assert_uint_eq(weft_cpu_quota_(root), 1);
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        put(MOUNTS, mounts[i]);
        ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    }
    end();
}
END_TEST

/* `n` bytes, most of them `fill`, then `tail`. */
static char *
long_text(size_t n, char fill, const char *tail)
{
    char *text = malloc(n + strlen(tail) + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, fill, n);
    memcpy(text + n, tail, strlen(tail) + 1);
    return text;
}

START_TEST(test_huge_files_are_read_to_their_end)
{
    static const size_t sizes[] = {1000, 4094,  4095,   4096,
                                   4097, 10000, 5000000};
    char *deep = long_text(3000, 'd', "\n");

    begin_v2();
    put("/sys/fs/cgroup/a/b/cpu.max", "100000 100000\n");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *lines = long_text(sizes[i], '\n', V2_AT("/sys/fs/cgroup"));
        put(MOUNTS, lines);
        ck_assert_uint_eq(weft_cpu_quota_(root), 1);
        free(lines);
        char *line = long_text(sizes[i], 'x', "\n" V2_AT("/sys/fs/cgroup"));
        put(MOUNTS, line);
        ck_assert_uint_eq(weft_cpu_quota_(root), 1);
        free(line);
    }
    /* The end of a long line is no line. */
    char *torn = long_text(4096, 'x', V2_AT("/sys/fs/cgroup"));
    put(MOUNTS, torn);
    ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    free(torn);
    put(MOUNTS, V2_AT("/sys/fs/cgroup"));
    ck_assert_uint_eq(weft_cpu_quota_(root), 1);
    /* A name that is too long for us has no limit that we could know. */
    memcpy(deep, "0::/", 4);
    put(CGROUP, deep);
    ck_assert_uint_eq(weft_cpu_quota_(root), UINT_MAX);
    free(deep);
    end();
}
END_TEST

START_TEST(test_smaller_of_quota_and_affinity_counts)
{
    begin_v2();
    const unsigned all = weft_cpu_count_of_(0, root);
    ck_assert_uint_ge(all, 1);
    put("/sys/fs/cgroup/a/cpu.max", "6400000000 100000\n");
    ck_assert_uint_eq(weft_cpu_count_of_(0, root), all);
    put("/sys/fs/cgroup/a/cpu.max", "1000 100000\n");
    ck_assert_uint_eq(weft_cpu_count_of_(0, root), 1);
    end();
}
END_TEST

START_TEST(test_thread_pinned_to_one_cpu_has_one)
{
    cpu_set_t mask;

    ck_assert_int_eq(__real_sched_getaffinity(0, sizeof(mask), &mask), 0);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &mask))
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
        ck_assert_uint_eq(weft_cpu_count(), 1);
    }
}
END_TEST

START_TEST(test_machine_with_more_than_1024_cpus_is_counted)
{
    const unsigned few = weft_cpu_count_of_(0, "/nowhere");

    least_mask_bytes = 8192 / 8; /* as a system built for 8192 CPUs has it */
    ck_assert_uint_eq(weft_cpu_count_of_(0, "/nowhere"), few);
    extra_cpu = 8000;
    ck_assert_uint_eq(weft_cpu_count_of_(0, "/nowhere"), few + 1);
}
END_TEST

START_TEST(test_refused_mask_leaves_the_cpus_online)
{
    least_mask_bytes = SIZE_MAX;
    ck_assert_int_eq(weft_cpu_count_of_(0, "/nowhere"),
                     sysconf(_SC_NPROCESSORS_ONLN));
}
END_TEST

static unsigned counted;

static void *
count_when_cancelled(void *unused)
{
    pthread_cancel(pthread_self());
    counted = weft_cpu_count();
    pthread_testcancel();
    return unused;
}

START_TEST(test_counting_is_no_cancellation_point)
{
    pthread_t t;
    void *how;

    ck_assert_int_eq(pthread_create(&t, NULL, count_when_cancelled, NULL), 0);
    ck_assert_int_eq(pthread_join(t, &how), 0);
    ck_assert_ptr_eq(how, PTHREAD_CANCELED);
    ck_assert_uint_ge(counted, 1);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_v2_quota_is_rounded_up, 1},
        {&test_v2_tightest_group_up_to_the_mount_counts, 1},
        {&test_v1_quota_is_rounded_up, 1},
        {&test_v1_takes_the_cpu_hierarchy_and_no_other, 1},
        {&test_hybrid_takes_the_tighter_version, 1},
        {&test_mount_may_begin_anywhere, PLACES},
        {&test_missing_files_set_no_limit, 1},
        {&test_garbage_sets_no_limit, 1},
        {&test_huge_files_are_read_to_their_end, 1},
        {&test_smaller_of_quota_and_affinity_counts, 1},
        {&test_thread_pinned_to_one_cpu_has_one, 1},
        {&test_machine_with_more_than_1024_cpus_is_counted, 1},
        {&test_refused_mask_leaves_the_cpus_online, 1},
        {&test_counting_is_no_cancellation_point, 1},
    };

    return run_tests("cpu", tests, sizeof(tests) / sizeof(tests[0]), 20);
}
