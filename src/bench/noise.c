/* What the machine does to figures, from /proc and /sys, in words. */
#include "bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_MAX_LENGTH 512
#define FILE_MAX (1u << 20)
#define STEAL_MATTERS 0.01    /* of the CPUs' time */
#define LOAD_MATTERS 0.05     /* of the CPUs' time, taken by others */
#define PRESSURE_MATTERS 0.05 /* of the time, something that was ready waited for a CPU */

/* A small text file under root; false where there is none. */
static bool read_file(const char *root, const char *path, struct buffer *into)
{
    char whole[PATH_MAX_LENGTH];
    snprintf(whole, sizeof(whole), "%s%s", root, path);
    buffer_clear(into);
    return file_read_all(AT_FDCWD, whole, into) == 0;
}

/* One line, without its end. */
static bool read_line(const char *root, const char *path, char *into, size_t size)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, FILE_MAX);
    if (!read_file(root, path, &text))
        return false;
    snprintf(into, size, "%.*s", (int)strcspn(buffer_text(&text), "\n"), buffer_text(&text));
    return true;
}

static double number_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? strtod(at + strlen(name), NULL) : 0;
}

void bench_noise_begin(const char *root, struct bench_ticks *ret)
{
    CLEANUP(buffer_release) struct buffer text;
    struct bench_ticks t = {.at = (double)clock_monotonic_ns() / 1e9};
    double user = 0, nice = 0, kernel = 0, idle = 0, waits = 0, irq = 0, soft = 0, steal = 0;
    buffer_init(&text, FILE_MAX);
    if (read_file(root, "/proc/stat", &text) && sscanf(buffer_text(&text), "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user,
                                                    &nice, &kernel, &idle, &waits, &irq, &soft, &steal) >= 7) {
        t.busy = user + nice + kernel + irq + soft;
        t.idle = idle + waits;
        t.steal = steal;
    }
    if (read_file(root, "/sys/fs/cgroup/cpu.stat", &text))
        t.throttled = number_after(buffer_text(&text), "throttled_usec ") / 1e6;
    if (read_file(root, "/proc/pressure/cpu", &text))
        t.pressure_us = number_after(buffer_text(&text), "total=");
    *ret = t;
}

static struct bench_noise_item *add(struct bench_noise *n, const char *key, bool matters)
{
    struct bench_noise_item *item = &n->items[n->count < BENCH_NOISE_MAX ? n->count++ : BENCH_NOISE_MAX - 1];
    *item = (struct bench_noise_item){.matters = matters};
    snprintf(item->key, sizeof(item->key), "%s", key);
    return item;
}

#define SAY(into, ...) snprintf(into, sizeof(into), __VA_ARGS__)

/* Who else had the CPUs meanwhile: other guests of the host, and other programs here. */
static void add_load(
    struct bench_noise *n, const struct bench_ticks *from, const struct bench_ticks *to, double own_cpu)
{
    double ticks = (double)sysconf(_SC_CLK_TCK),
           all = to->busy + to->idle + to->steal - from->busy - from->idle - from->steal;
    if (all <= 0)
        return;
    double steal = (to->steal - from->steal) / all;
    double others = fmax(0, (to->busy - from->busy) - own_cpu * ticks) / all;
    struct bench_noise_item *item = add(n, "steal", steal > STEAL_MATTERS);
    SAY(item->text, "other guests of this host took %.1f %% of the CPUs' time", steal * 100);
    SAY(item->advice,
        "run again at another time or on a machine of its own; compare by `prove`, which runs both at once");
    item = add(n, "load", others > LOAD_MATTERS);
    SAY(item->text, "other programs here took %.0f %% of the CPUs' time", others * 100);
    SAY(item->advice, "stop them, or read CPU time rather than wall time");
    if (to->pressure_us > 0) {
        double pressure = (to->pressure_us - from->pressure_us) / 1e6 / fmax(to->at - from->at, 1e-9);
        item = add(n, "pressure", pressure > PRESSURE_MATTERS);
        SAY(item->text, "something waited for a CPU %.0f %% of the time", fmin(pressure, 1) * 100);
        SAY(item->advice, "give the machine less to do, or more CPUs");
    }
}

static void add_quota(
    struct bench_noise *n, const char *root, const struct bench_ticks *from, const struct bench_ticks *to)
{
    char line[128];
    double quota = 0, period = 0;
    if (read_line(root, "/sys/fs/cgroup/cpu.max", line, sizeof(line)))
        (void)sscanf(line, "%lf %lf", &quota, &period);
    else if (read_line(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", line, sizeof(line))) {
        quota = strtod(line, NULL);
        period = read_line(root, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", line, sizeof(line)) ? strtod(line, NULL) : 0;
    }
    double throttled = to->throttled - from->throttled;
    if (quota > 0 && period > 0) {
        struct bench_noise_item *item = add(n, "quota", throttled > 0 || quota < period);
        SAY(item->text, "the container may use %.2g CPUs, and was stopped for %.2g s", quota / period,
            fmax(throttled, 0));
        SAY(item->advice, "raise the container's CPU limit: a stop in the middle of a run is in its time");
    }
}

static void add_clock(struct bench_noise *n, const char *root)
{
    char line[128];
    if (!read_line(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource", line, sizeof(line)))
        return;
    bool fast = strcmp(line, "tsc") == 0 || strcmp(line, "kvm-clock") == 0 || strcmp(line, "arch_sys_counter") == 0 ||
                strcmp(line, "hyperv_clocksource_tsc_page") == 0;
    struct bench_noise_item *item = add(n, "clock", !fast);
    SAY(item->text, "the clock is %.40s%s", line,
        fast ? ", which is read without the kernel" : ", which the kernel reads");
    SAY(item->advice,
        "reading it takes around a microsecond: let batches be long, and the kernel choose tsc if it can");
}

static void add_frequency(struct bench_noise *n, const char *root)
{
    char line[128];
    if (read_line(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", line, sizeof(line))) {
        bool steady = strcmp(line, "performance") == 0;
        struct bench_noise_item *item = add(n, "frequency", !steady);
        SAY(item->text, "the frequency governor is %.40s", line);
        SAY(item->advice, "cpupower frequency-set -g performance");
    } else {
        struct bench_noise_item *item = add(n, "frequency", false);
        SAY(item->text, "the frequency is not this system's to see or set");
    }
    bool off = false, known = false;
    if (read_line(root, "/sys/devices/system/cpu/intel_pstate/no_turbo", line, sizeof(line))) {
        known = true;
        off = line[0] == '1';
    } else if (read_line(root, "/sys/devices/system/cpu/cpufreq/boost", line, sizeof(line))) {
        known = true;
        off = line[0] == '0';
    }
    if (known) {
        struct bench_noise_item *item = add(n, "turbo", !off);
        SAY(item->text, "turbo is %s", off ? "off" : "on: the first seconds may be faster than the rest");
        SAY(item->advice, "turn it off: echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or 0 to cpufreq/boost");
    }
}

static void add_sharing(struct bench_noise *n, const char *root)
{
    CLEANUP(buffer_release) struct buffer text;
    char line[128] = "";
    buffer_init(&text, FILE_MAX);
    if (read_line(root, "/sys/devices/system/cpu/smt/active", line, sizeof(line))) {
        bool shared = line[0] == '1';
        struct bench_noise_item *item = add(n, "smt", shared);
        SAY(item->text, shared ? "CPUs share cores: a neighbour's work slows yours" : "no two CPUs share a core here");
        SAY(item->advice,
            "turn it off: echo off > /sys/devices/system/cpu/smt/control, or leave each core's second CPU idle");
    }
    if (read_file(root, "/proc/cpuinfo", &text) && strstr(buffer_text(&text), " hypervisor") != NULL) {
        struct bench_noise_item *item = add(n, "guest", false);
        SAY(item->text, "this is a virtual machine: its CPUs may be another guest's siblings, which it cannot see");
    }
}

void bench_noise_end(const char *root, const struct bench_ticks *from, double own_cpu, struct bench_noise *ret)
{
    struct bench_ticks to;
    struct bench_noise n = {.count = 0};
    bench_noise_begin(root, &to);
    add_load(&n, from, &to, own_cpu);
    add_quota(&n, root, from, &to);
    add_clock(&n, root);
    add_frequency(&n, root);
    add_sharing(&n, root);
    for (size_t i = 0; i < n.count; i++)
        if (!n.items[i].matters)
            n.items[i].advice[0] = '\0';
    *ret = n;
}
