/* What a machine is said to do to figures, from made-up /proc and /sys. */
#include "bench/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

static void put(const char *path, const char *text)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "%s%s", root, path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/pitviper-noise-XXXXXX");
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int remove_root(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -r '%s'", root);
    return system(command);
}

static const struct bench_noise_item *item(const struct bench_noise *n, const char *key)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->items[i].key, key) == 0)
            return &n->items[i];
    return NULL;
}

static void a_machine_that_says_nothing_is_not_judged(void **state)
{
    struct bench_ticks from;
    struct bench_noise n;
    (void)state;
    bench_noise_begin("/nowhere", &from);
    bench_noise_end("/nowhere", &from, 1, &n);
    for (size_t i = 0; i < n.count; i++)
        assert_false(n.items[i].matters);
    assert_null(item(&n, "steal"));
}

static void names_what_disturbs_and_what_to_do(void **state)
{
    struct bench_ticks from;
    struct bench_noise n;
    long tick = sysconf(_SC_CLK_TCK);
    char text[128];
    (void)state;
    put("/proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 1 2 3\n");
    put("/sys/fs/cgroup/cpu.stat", "usage_usec 5\nthrottled_usec 0\n");
    bench_noise_begin(root, &from);
    /* Of 10 CPU seconds: ours 4, another's 2, steal 1, the rest idle. */
    snprintf(text, sizeof(text), "cpu  %ld 0 0 %ld 0 0 0 %ld 0 0\n", 6 * tick, 3 * tick, tick);
    put("/proc/stat", text);
    put("/sys/fs/cgroup/cpu.stat", "usage_usec 5\nthrottled_usec 1500000\n");
    put("/sys/fs/cgroup/cpu.max", "150000 100000\n");
    put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
    put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    put("/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
    put("/sys/devices/system/cpu/smt/active", "1\n");
    bench_noise_end(root, &from, 4, &n);
    static const struct {
        const char *key, *says;
    } expected[] = {
        {"steal", "10.0 %"},
        {"load", "20 %"},
        {"quota", "1.5 CPUs, and was stopped for 1.5 s"},
        {"clock", "hpet"},
        {"frequency", "powersave"},
        {"turbo", "on"},
        {"smt", "share cores"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        const struct bench_noise_item *at = item(&n, expected[i].key);
        assert_non_null(at);
        assert_true(at->matters && at->advice[0] != '\0');
        assert_non_null(strstr(at->text, expected[i].says));
    }
}

static void a_quiet_machine_gets_no_advice(void **state)
{
    struct bench_ticks from;
    struct bench_noise n;
    char text[128];
    long tick = sysconf(_SC_CLK_TCK);
    (void)state;
    put("/proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\n");
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    bench_noise_begin(root, &from);
    snprintf(text, sizeof(text), "cpu  %ld 0 0 %ld 0 0 0 0 0 0\n", 5 * tick, 5 * tick);
    put("/proc/stat", text);
    put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
    put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
    put("/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
    put("/sys/devices/system/cpu/smt/active", "0\n");
    bench_noise_end(root, &from, 5, &n);
    assert_null(item(&n, "quota"));
    assert_true(n.count >= 6);
    for (size_t i = 0; i < n.count; i++)
        assert_true(!n.items[i].matters && n.items[i].advice[0] == '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_that_says_nothing_is_not_judged),
        cmocka_unit_test(names_what_disturbs_and_what_to_do),
        cmocka_unit_test(a_quiet_machine_gets_no_advice),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
