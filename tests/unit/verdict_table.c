/*
 * verdict_table RULE RUNS [KIND RATIO SD Z BUDGET]: how often the verdict is what, by kind of noise and true ratio, for
 * bench/verdict.py. A line each, with tabs between: kind, ratio, runs, faster, slower, same, unsettled, voided, blocks
 * in all, intervals that held the truth. KIND -1 and RATIO 0 are all of them, SD 0, Z 0 and BUDGET 0 the defaults; SD
 * is of a block.
 *
 * RULE: verdict; plain, Student's interval at z = 2.60 at the same looks and nothing else, which was proposed first;
 * naive, a t-test at 5 % after each block from the third on; fixed, one t-test at 5 % after 20 blocks.
 */
#include "noise.h"

#include <stdio.h>
#include <stdlib.h>

#define PLAIN_Z 2.60

enum rule { VERDICT, PLAIN, NAIVE, FIXED };
static const char *const rules[] = {"verdict", "plain", "naive", "fixed"};

static double quantile_at(double tail, size_t n)
{
    static double known[NOISE_BLOCKS + 1], of;
    if (of != tail)
        for (size_t i = 2; i <= NOISE_BLOCKS; i++)
            known[i] = stats_student_quantile(tail, (double)(i - 1));
    of = tail;
    return known[n];
}

/* Student's interval alone. */
static int decide_by_interval(
    enum rule rule, enum noise_kind kind, uint64_t seed, double sd, double ratio, struct stats_decision *ret)
{
    static const size_t looks[] = {4, 6, 8, 12, 16, 24, 32, 48, 64};
    size_t budget = rule == FIXED ? 20 : 64, look = 0;
    double x[64], tail = rule == PLAIN ? 2 * stats_normal_cdf(-PLAIN_Z) : 0.05, e = log1p(0.01);
    struct noise n;
    noise_start(&n, kind, seed, sd);
    *ret = (struct stats_decision){.call = STATS_UNSETTLED};
    while (ret->blocks < budget && ret->call == STATS_UNSETTLED) {
        struct stats_block b;
        noise_next(&n, ratio, &b);
        x[ret->blocks++] = b.difference;
        if (rule == PLAIN ? ret->blocks != looks[look] : rule == NAIVE ? ret->blocks < 3 : ret->blocks < budget)
            continue;
        look++;
        struct stats_mean m = stats_mean(x, ret->blocks);
        double reach = quantile_at(tail, ret->blocks) * sqrt(m.variance);
        ret->low = exp(m.value - reach);
        ret->high = exp(m.value + reach);
        if (fabs(m.value) > reach)
            ret->call = m.value < 0 ? STATS_FASTER : STATS_SLOWER;
        else if (rule == PLAIN && fabs(m.value) + reach < e)
            ret->call = STATS_SAME;
    }
    return 0;
}

static int count_calls(
    enum rule rule, enum noise_kind kind, double sd, double ratio, long runs, const struct stats_verdict_options *o)
{
    long calls[STATS_UNSETTLED + 1] = {0}, voided = 0, blocks = 0, held = 0;
    for (long run = 0; run < runs; run++) {
        struct stats_verdict_options of = *o;
        struct stats_decision d;
        uint64_t seed = (uint64_t)run + 1;
        of.seed = seed;
        int r = rule == VERDICT ? noise_decide(kind, seed, sd, ratio, &of, &d)
                                : decide_by_interval(rule, kind, seed, sd, ratio, &d);
        if (r < 0)
            return r;
        calls[d.call]++;
        voided += d.voided;
        blocks += (long)d.blocks;
        held += d.low <= ratio && ratio <= d.high;
    }
    printf("%s\t%g\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\n", noise_names[kind], ratio, runs, calls[STATS_FASTER],
        calls[STATS_SLOWER], calls[STATS_SAME], calls[STATS_UNSETTLED], voided, blocks, held);
    return fflush(stdout);
}

static double number(char **argv, int argc, int at, double otherwise)
{
    return at < argc ? strtod(argv[at], NULL) : otherwise;
}

int main(int argc, char **argv)
{
    static const double ratios[] = {1, 0.995, 0.99, 0.98, 0.95, 0.9};
    size_t rule = 0;
    while (argc > 1 && rule < ARRAY_SIZE(rules) && strcmp(argv[1], rules[rule]) != 0)
        rule++;
    long runs = (long)number(argv, argc, 2, 0);
    if (rule == ARRAY_SIZE(rules) || runs < 1) {
        fprintf(stderr, "usage: verdict_table verdict|plain|naive|fixed RUNS [KIND RATIO SD Z BUDGET]\n");
        return 2;
    }
    int kind = (int)number(argv, argc, 3, -1);
    double ratio = number(argv, argc, 4, 0), sd = number(argv, argc, 5, 0);
    struct stats_verdict_options o = {.z = number(argv, argc, 6, 0), .budget = (size_t)number(argv, argc, 7, 0)};
    for (int k = 0; k < NOISE_KINDS; k++)
        for (size_t i = 0; i < ARRAY_SIZE(ratios); i++)
            if ((kind < 0 || k == kind) && (ratio == 0 || ratio == ratios[i]))
                if (count_calls((enum rule)rule, (enum noise_kind)k, sd > 0 ? sd : NOISE_SD, ratios[i], runs, &o) < 0)
                    return 1;
    return 0;
}
