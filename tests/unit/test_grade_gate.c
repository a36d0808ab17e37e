/*
 * Gates on made-up machines of known truth: how often each says what is not so, what it takes to be sure, and what it
 * does with samples that are none. bench/gates.py has the rates in full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gate_world.h"

#include <errno.h>

enum { RUNS = 300 };
#define BUDGET 16

static const struct grade_gate speed = {GRADE_SPEED, 1.5, {1000}, 1, ""};
static const struct grade_gate not_slower = {GRADE_NOT_SLOWER, 1.1, {1000}, 1, ""};
static const struct grade_gate reach = {GRADE_REACH, 2, {5000}, 1, ""};
static const struct grade_gate growth = {GRADE_GROWTH, 1.3, {500, 1000, 2000, 4000, 8000}, 5, ""};
static const struct grade_gate memory = {GRADE_MEMORY, 0.4, {1000}, 1, ""};
static const struct grade_gate not_fatter = {GRADE_NOT_FATTER, 1.1, {1000}, 1, ""};
static const struct grade_gate leak = {GRADE_MEMORY_GROWTH, 0.05, {3, 6, 9, 12}, 4, ""};
static const struct grade_gate gap = {GRADE_GAP, 0.3, {1000}, 1, ""};
static const struct grade_gate parallel = {GRADE_PARALLEL, 0.7, {1000}, 1, ""};
static const struct grade_gate *const all[] = {
    &speed, &not_slower, &reach, &growth, &memory, &not_fatter, &leak, &gap, &parallel};

struct counts {
    int of[GRADE_FAULT + 1], causes[GATE_UNSEEN + 1];
    double seconds, samples; /* means */
};

static struct counts count_way(const struct world *w, const struct grade_gate *spec, double budget, enum gate_way way)
{
    struct counts c = {0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct grade_gate_result r;
        enum gate_cause cause;
        double seconds = 0;
        assert_int_equal(world_decide(w, spec, budget, way, seed, &r, &cause, &seconds), 0);
        assert_ptr_equal(r.gate, spec);
        assert_true((cause == GATE_SETTLED) == (r.outcome == GRADE_PASSED || r.outcome == GRADE_SLOW));
        c.of[r.outcome]++;
        c.causes[cause]++;
        c.seconds += seconds / RUNS;
        c.samples += (double)r.samples / RUNS;
    }
    return c;
}

static struct counts count(const struct world *w, const struct grade_gate *spec, double budget, bool quick)
{
    return count_way(w, spec, budget, quick ? GATE_QUICK : GATE_FULL);
}

/* The most of RUNS that an event of chance p comes up in, but for one time in a thousand. */
static int most_of(double p)
{
    return (int)(RUNS * p + 3.1 * sqrt(RUNS * p * (1 - p)) + 1);
}

#define assert_most(n, p) assert_in_range((n), 0, most_of(p))
#define assert_nearly_all(n) assert_in_range((n), RUNS - most_of(0.01), RUNS)

static struct world with_learner(double seconds)
{
    struct world w = world_calm;
    w.sides[GATE_LEARNER].seconds = seconds;
    return w;
}

/* ---- speed ---- */

static void passes_a_clear_win_early(void **state)
{
    (void)state;
    struct world w = with_learner(0.2);
    struct counts c = count(&w, &speed, BUDGET, false);
    assert_nearly_all(c.of[GRADE_PASSED]);
    assert_true(c.samples < 18 && c.seconds < 8);
}

static void fails_the_unchanged_starter(void **state)
{
    (void)state;
    struct world w = with_learner(0.4);
    assert_nearly_all(count(&w, &speed, BUDGET, false).of[GRADE_SLOW]);
}

static void near_the_limit_is_right_or_open(void **state)
{
    (void)state;
    struct world w = with_learner(0.4 / 1.47);
    struct counts below = count(&w, &speed, BUDGET, false);
    w = with_learner(0.4 / 1.53);
    struct counts above = count(&w, &speed, BUDGET, false);
    assert_most(below.of[GRADE_PASSED], 0.005);
    assert_most(above.of[GRADE_SLOW], 0.005);
    assert_true(below.of[GRADE_UNRESOLVED] > RUNS / 2 && above.of[GRADE_UNRESOLVED] > RUNS / 2);
}

/* At the limit itself, where every pass and every fail is luck. */
static void seldom_passes_by_luck(void **state)
{
    (void)state;
    static const enum noise_kind kinds[] = {
        NOISE_NORMAL, NOISE_BIMODAL_RUNS, NOISE_DRIFT, NOISE_CORRELATED, NOISE_OUTLIER_RUNS, NOISE_SKEWED_RUNS};
    static const double sds[] = {0.01, 0.05};
    int passed = 0, slow = 0, open = 0;
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
        for (size_t i = 0; i < ARRAY_SIZE(sds); i++) {
            struct world w = with_learner(0.4 / 1.5);
            w.kind = kinds[k];
            w.sd = sds[i];
            struct counts c = count(&w, &speed, BUDGET, false);
            if (c.of[GRADE_PASSED] > most_of(0.012))
                fail_msg("%s, %g: %d of %d", noise_names[kinds[k]], sds[i], c.of[GRADE_PASSED], RUNS);
            passed += c.of[GRADE_PASSED];
            slow += c.of[GRADE_SLOW];
            open += c.of[GRADE_UNRESOLVED];
        }
    assert_true(passed + slow > 0); /* the noise is there */
    assert_true(open > 10 * RUNS);
}

static void intervals_hold_the_truth(void **state)
{
    (void)state;
    struct world w = with_learner(0.25);
    int missed = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct grade_gate_result r;
        enum gate_cause cause;
        double seconds = 0;
        assert_int_equal(world_decide(&w, &speed, BUDGET, GATE_FULL, seed, &r, &cause, &seconds), 0);
        missed += !(r.measure.low <= 1.6 && 1.6 <= r.measure.high);
        assert_true(r.measure.low <= r.measure.estimate && r.measure.estimate <= r.measure.high);
    }
    assert_most(missed, 0.02);
}

static void side_conditions_fail_only_beyond_doubt(void **state)
{
    (void)state;
    struct world same = with_learner(0.4), slower = with_learner(0.6), hardly = with_learner(0.44);
    assert_nearly_all(count(&same, &not_slower, BUDGET, false).of[GRADE_PASSED]);
    assert_nearly_all(count(&slower, &not_slower, BUDGET, false).of[GRADE_SLOW]);
    assert_most(count(&hardly, &not_slower, BUDGET, false).of[GRADE_SLOW], 0.01);
}

static void reach_is_measured_against_the_reference(void **state)
{
    (void)state;
    struct world near = with_learner(0.13), far = with_learner(0.4);
    assert_nearly_all(count(&near, &reach, BUDGET, false).of[GRADE_PASSED]);
    assert_nearly_all(count(&far, &reach, BUDGET, false).of[GRADE_SLOW]);
}

static void a_machine_at_fault_grades_nothing(void **state)
{
    (void)state;
    struct world w = with_learner(0.2);
    w.second = log(1.5); /* each block's second run of a program takes half as long again */
    w.sd = 0.01;
    struct counts c = count(&w, &reach, BUDGET, false), near;
    assert_most(c.of[GRADE_PASSED] + c.of[GRADE_SLOW], 0.01);
    assert_nearly_all(c.causes[GATE_UNEQUAL] + c.of[GRADE_UNRESOLVED]);
    assert_true(c.causes[GATE_UNEQUAL] > RUNS / 2);
    w.second = 0;
    w.sd = 0.4;
    w.sides[GATE_LEARNER].seconds = 0.25;
    near = count(&w, &speed, BUDGET, false);
    assert_true(near.causes[GATE_NOISY] > RUNS / 2);
    w.sd = 0.003; /* a little of it, however sure, does no harm: A B B A undoes it */
    w.second = 0.03;
    w.sides[GATE_LEARNER].seconds = 0.4 / 1.6;
    near = count(&w, &speed, BUDGET, false);
    assert_true(near.samples > 31); /* enough blocks to see it */
    assert_nearly_all(near.of[GRADE_PASSED]);
}

/* ---- parallel ---- */

/* On two CPUs one alone is as little as 1.7 times slower: which many blocks would tell from the limit, and CPU time
 * does. */
static void one_cpu_alone_is_no_speed_up(void **state)
{
    (void)state;
    struct world w = with_learner(0.1 / 0.6);
    double budget = 6; /* of some four blocks of these */
    w.sd = 0.05;
    w.sides[GATE_LEARNER].cpus = 1.9;
    assert_true(count(&w, &parallel, budget, false).of[GRADE_UNRESOLVED] > RUNS / 10);
    w.sides[GATE_LEARNER].cpus = 1.05;
    assert_nearly_all(count(&w, &parallel, budget, false).of[GRADE_SLOW]);
    w.sides[GATE_LEARNER].seconds = 0.1; /* as fast as the reference, in another way */
    assert_nearly_all(count(&w, &parallel, budget, false).of[GRADE_PASSED]);
    w.sides[GATE_LEARNER].seconds = 0.1 / 0.9;
    assert_most(count(&w, &parallel, budget, false).of[GRADE_SLOW], 0.005);
    w.sides[GATE_LEARNER].seconds = 0.1 / 0.68;
    assert_most(count(&w, &parallel, budget, false).of[GRADE_UNRESOLVED], 0.02);
}

static void parallel_needs_a_machine_that_can(void **state)
{
    (void)state;
    struct world w = world_calm;
    w.sides[GATE_REFERENCE].seconds = 0.38;
    w.sides[GATE_LEARNER].seconds = 0.38;
    struct counts c = count(&w, &parallel, BUDGET, false);
    assert_nearly_all(c.causes[GATE_MACHINE]);
    assert_int_equal(c.of[GRADE_UNRESOLVED], c.causes[GATE_MACHINE]);
    w.sides[GATE_REFERENCE].seconds = w.sides[GATE_LEARNER].seconds = 0.2;
    assert_nearly_all(count(&w, &parallel, BUDGET, false).of[GRADE_PASSED]);
    w.sides[GATE_LEARNER].seconds = 0.4;
    assert_nearly_all(count(&w, &parallel, BUDGET, false).of[GRADE_SLOW]);
}

/* ---- growth ---- */

static struct world growing(double seconds, double exponent, double fixed)
{
    struct world w = world_calm;
    w.sides[GATE_LEARNER] = (struct world_side){fixed, seconds, exponent, 0, 0, 0, 0};
    return w;
}

static void tells_exponents_apart(void **state)
{
    (void)state;
    struct world linear = growing(0.06, 1, 0), log_linear = growing(0.06, 1.15, 0), square = growing(0.6, 2, 0);
    assert_nearly_all(count(&linear, &growth, BUDGET, false).of[GRADE_PASSED]);
    assert_nearly_all(count(&log_linear, &growth, BUDGET, false).of[GRADE_PASSED]);
    assert_nearly_all(count(&square, &growth, BUDGET, false).of[GRADE_SLOW]);
    struct world between = growing(0.3, 1.5, 0);
    assert_true(count(&between, &growth, BUDGET, false).of[GRADE_UNRESOLVED] > RUNS * 0.8);
}

/* A square hidden behind imports is a square; what is quick at every size has nothing that could grow. */
static void what_imports_cost_is_no_growth(void **state)
{
    (void)state;
    struct world square = growing(0.1, 2, 0.05), linear = growing(0.06, 1, 0.05), quick = growing(0.001, 1, 0.03);
    struct counts c = count(&square, &growth, BUDGET, false);
    assert_most(c.of[GRADE_PASSED], 0.003);
    assert_true(c.of[GRADE_SLOW] > RUNS * 0.9);
    assert_true(count(&linear, &growth, BUDGET, false).of[GRADE_PASSED] > RUNS * 0.95);
    assert_nearly_all(count(&quick, &growth, BUDGET, false).of[GRADE_PASSED]);
}

/* It climbs until a size takes measurable time: what is quick needs larger ones, what is slow is spared them. */
static void asks_for_sizes_that_tell(void **state)
{
    (void)state;
    static const struct grade_gate wide = {GRADE_GROWTH, 1.3, {50, 100, 200, 400, 800, 1600, 3200, 6400}, 8, ""};
    static const struct grade_gate narrow = {GRADE_GROWTH, 1.3, {50, 100, 200, 400, 800}, 5, ""};
    struct world w = growing(0.16, 1.1, 0.02);
    unsigned largest = 0;
    w.largest = &largest;
    w.start_up_sd = 0.002;
    assert_nearly_all(count(&w, &wide, BUDGET, false).of[GRADE_PASSED]);
    assert_int_equal(largest, 6400);
    w.sides[GATE_LEARNER].seconds /= pow(8, 1.1); /* the same program: this is what the smaller sizes alone show */
    assert_true(count(&w, &narrow, BUDGET, false).of[GRADE_UNRESOLVED] > RUNS / 4);
    w = growing(64, 2, 0.02); /* a second at 800 */
    largest = 0;
    w.largest = &largest;
    struct counts c = count(&w, &wide, BUDGET, false);
    assert_nearly_all(c.of[GRADE_SLOW]);
    assert_int_equal(largest, 800);
    w = growing(6.4, 2, 0.02); /* a tenth of that, and still a square */
    assert_nearly_all(count(&w, &wide, BUDGET, false).of[GRADE_SLOW]);
    assert_most(count(&w, &wide, BUDGET, true).of[GRADE_PASSED], 0.01);
}

/* ---- memory and gaps ---- */

static void compares_peaks(void **state)
{
    (void)state;
    struct world w = world_calm;
    w.sides[GATE_STARTER].leak = 0;
    assert_nearly_all(count(&w, &memory, BUDGET, false).of[GRADE_PASSED]);
    assert_nearly_all(count(&w, &not_fatter, BUDGET, false).of[GRADE_PASSED]);
    w.sides[GATE_LEARNER].peak = 64e6;
    assert_nearly_all(count(&w, &memory, BUDGET, false).of[GRADE_SLOW]);
    assert_nearly_all(count(&w, &not_fatter, BUDGET, false).of[GRADE_PASSED]);
    w.sides[GATE_LEARNER].peak = 96e6;
    assert_nearly_all(count(&w, &not_fatter, BUDGET, false).of[GRADE_SLOW]);
}

static void compares_leaks(void **state)
{
    (void)state;
    struct world w = world_calm;
    assert_nearly_all(count(&w, &leak, BUDGET, false).of[GRADE_PASSED]);
    w.sides[GATE_LEARNER].leak = 6e6 * 0.15;
    assert_nearly_all(count(&w, &leak, BUDGET, false).of[GRADE_SLOW]);
    w.sides[GATE_LEARNER].leak = 6e6;
    assert_nearly_all(count(&w, &leak, BUDGET, false).of[GRADE_SLOW]);
    w.sides[GATE_STARTER].leak = 0; /* a lab that has nothing to be measured against */
    assert_nearly_all(count(&w, &leak, BUDGET, false).causes[GATE_LAB]);
}

static void compares_gaps(void **state)
{
    (void)state;
    struct world w = world_calm;
    assert_nearly_all(count(&w, &gap, BUDGET, false).of[GRADE_PASSED]);
    w.sides[GATE_LEARNER].gap = 0.4;
    assert_nearly_all(count(&w, &gap, BUDGET, false).of[GRADE_SLOW]);
    w.sides[GATE_LEARNER].gap = 0.12;
    struct counts c = count(&w, &gap, BUDGET, false);
    assert_most(c.of[GRADE_PASSED] + c.of[GRADE_SLOW], 0.06); /* five looks at 1 % */
}

/* ---- budget, one pair, and samples that are none ---- */

static void ends_within_its_budget(void **state)
{
    (void)state;
    struct world w = with_learner(0.27); /* near the limit, so that it goes on */
    struct counts c = count(&w, &speed, 5, false);
    assert_true(c.seconds <= 5);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        c = count(&world_calm, all[i], 0, false); /* nothing at all */
        assert_int_equal(c.causes[GATE_TIME], RUNS);
        assert_true(c.samples == 0);
        c = count(&world_calm, all[i], 0.1, false); /* one batch, begun before anything was known of its cost */
        bool by_one = all[i]->kind == GRADE_GROWTH || all[i] == &not_slower || all[i] == &not_fatter;
        assert_int_equal(c.of[GRADE_PASSED] + c.of[GRADE_SLOW], by_one ? c.of[GRADE_PASSED] : 0);
    }
}

static void one_block_beside_a_pacemaker_decides_what_is_plain(void **state)
{
    (void)state;
    static const enum noise_kind kinds[] = {NOISE_NORMAL, NOISE_BIMODAL_RUNS, NOISE_DRIFT, NOISE_WALK};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct world w = with_learner(0.1); /* four times as fast */
        w.kind = kinds[i];
        w.sd = 0.08;
        struct counts c = count_way(&w, &speed, BUDGET, GATE_PACED);
        assert_nearly_all(c.of[GRADE_PASSED]);
        assert_true(c.samples < 7);          /* mostly one block; two at least without a pacemaker */
        w.sides[GATE_LEARNER].seconds = 0.4; /* as fast as the starter: at the edge of what one block decides */
        c = count_way(&w, &speed, BUDGET, GATE_PACED);
        assert_nearly_all(c.of[GRADE_SLOW]);
        w.sides[GATE_LEARNER].seconds = 0.4 / 1.5; /* at the limit */
        c = count_way(&w, &speed, BUDGET, GATE_PACED);
        assert_most(c.of[GRADE_PASSED] + c.of[GRADE_SLOW], 0.012);
    }
    struct world w = with_learner(0.1);
    w.second = 0.5; /* like runs are not alike: no block decides alone */
    assert_true(count_way(&w, &speed, BUDGET, GATE_PACED).samples >= 8);
}

static void one_pair_is_quick(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct world w = world_calm;
        w.sides[GATE_LEARNER].seconds = all[i]->kind == GRADE_REACH || all[i]->kind == GRADE_PARALLEL ? 0.1 : 0.2;
        struct counts c = count(&w, all[i], BUDGET, true);
        assert_nearly_all(c.of[GRADE_PASSED]);
        double most = all[i]->kind == GRADE_PARALLEL ? 4 : all[i]->kind == GRADE_GROWTH ? 5 : all[i] == &leak ? 8 : 2;
        assert_true(c.samples <= most);
    }
    struct world w = with_learner(0.4);
    assert_nearly_all(count(&w, &speed, BUDGET, true).of[GRADE_SLOW]);
    w = with_learner(0.4 / 1.5);
    assert_true(count(&w, &speed, BUDGET, true).of[GRADE_UNRESOLVED] > RUNS * 0.8);
}

static struct gate *started(const struct grade_gate *spec, struct gate_want *ret)
{
    struct gate *g;
    assert_int_equal(gate_new(spec, 60000000000u, GATE_FULL, 1, &g), 0);
    assert_true(gate_next(g, ret));
    return g;
}

static void asks_in_blocks(void **state)
{
    (void)state;
    struct gate_want w[4], again;
    struct gate *g = started(&speed, &w[0]);
    const struct gate_sample s = {0.2, 0.2, 1e7, 0.1, 1000};
    assert_true(gate_next(g, &again));
    assert_memory_equal(&again, &w[0], sizeof(again)); /* until it is fed */
    for (int i = 1; i < 4; i++) {
        assert_int_equal(gate_feed(g, &s), 0);
        assert_true(gate_next(g, &w[i]));
    }
    assert_int_equal(w[0].side, w[3].side);
    assert_int_equal(w[1].side, w[2].side);
    assert_int_not_equal(w[0].side, w[1].side);
    assert_int_equal(w[0].pair, w[3].pair);
    assert_int_equal(w[0].size, 1000);
    assert_int_equal(gate_feed(g, &s), 0);
    assert_int_equal(gate_feed(g, &s), -EINVAL); /* nothing was asked for */
    assert_true(gate_next(g, &again));
    assert_int_not_equal(again.pair, w[0].pair);
    gate_free(g);
}

static void both_orders_come_up(void **state)
{
    (void)state;
    int first_starter = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct gate *g;
        struct gate_want w;
        assert_int_equal(gate_new(&speed, 60000000000u, GATE_FULL, seed, &g), 0);
        assert_true(gate_next(g, &w));
        first_starter += w.side == GATE_STARTER;
        gate_free(g);
    }
    assert_in_range(first_starter, RUNS / 3, RUNS * 2 / 3);
}

static void hostile_samples(void **state)
{
    (void)state;
    struct gate_want w;
    struct grade_gate_result r;
    struct gate *g = started(&speed, &w);
    assert_int_equal(gate_feed(g, &(struct gate_sample){NAN, 0.1, 1e7, 0, 1}), -EINVAL);
    assert_int_equal(gate_feed(g, &(struct gate_sample){-INFINITY, 0.1, 1e7, 0, 1}), -EINVAL);
    for (unsigned i = 0; gate_next(g, &w) && i < 100; i++)
        assert_int_equal(
            gate_feed(g, &(struct gate_sample){w.side == GATE_LEARNER ? INFINITY : 0.4, 0.4, 1e7, 0, UINT64_C(1)}), 0);
    gate_decide(g, &r); /* the first that its time limit kills is enough */
    assert_int_equal(r.outcome, GRADE_SLOW);
    assert_in_range(r.samples, 1, 2);
    gate_free(g);

    g = started(&speed, &w); /* a starter that is too short */
    while (gate_next(g, &w))
        assert_int_equal(gate_feed(g, &(struct gate_sample){-0.001, 0.001, 1e7, 0, 1000}), 0);
    gate_decide(g, &r);
    assert_int_equal(r.outcome, GRADE_FAULT);
    assert_int_equal(gate_cause(g), GATE_LAB);
    gate_free(g);

    g = started(&speed, &w); /* a learner's that is so is fine */
    while (gate_next(g, &w))
        assert_int_equal(
            gate_feed(g, &(struct gate_sample){w.side == GATE_LEARNER ? -0.001 : 0.4, 0.001, 1e7, 0, 1000}), 0);
    gate_decide(g, &r);
    assert_int_equal(r.outcome, GRADE_PASSED);
    gate_free(g);

    for (int fast = 0; fast < 2; fast++) { /* memory that nobody saw: of a short run it was little */
        g = started(&memory, &w);
        while (gate_next(g, &w)) {
            bool learner = w.side == GATE_LEARNER;
            struct gate_sample s = {learner && fast ? 0.001 : 0.4, 0.4, learner ? NAN : 64e6, 0, 1000};
            assert_int_equal(gate_feed(g, &s), 0);
        }
        gate_decide(g, &r);
        assert_int_equal(r.outcome, fast ? GRADE_PASSED : GRADE_UNRESOLVED);
        assert_int_equal(gate_cause(g), fast ? GATE_SETTLED : GATE_UNSEEN);
        gate_free(g);
    }
}

static void refuses_specs_that_are_none(void **state)
{
    (void)state;
    static const struct grade_gate none[] = {
        {GRADE_SPEED, 0, {1000}, 1, ""},
        {GRADE_SPEED, NAN, {1000}, 1, ""},
        {GRADE_SPEED, 1.5, {0}, 0, ""},
        {GRADE_SPEED, 1.5, {1000}, GRADE_SIZES_MAX + 1, ""},
        {GRADE_GROWTH, 1.3, {1000, 2000}, 2, ""},
        {GRADE_GROWTH, 1.3, {2000, 1000, 4000}, 3, ""},
        {GRADE_GROWTH, 1.8, {500, 1000, 2000}, 3, ""},
        {GRADE_MEMORY_GROWTH, 0.05, {1, 2, 3}, 3, ""}, /* only one is late enough */
        {(enum grade_gate_kind)77, 1, {1000}, 1, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        struct gate *g;
        assert_int_equal(gate_new(&none[i], 1, GATE_FULL, 1, &g), -EINVAL);
    }
    for (int c = GATE_SETTLED; c <= GATE_UNSEEN; c++)
        assert_true((gate_cause_text((enum gate_cause)c)[0] == '\0') == (c == GATE_SETTLED));
    gate_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_a_clear_win_early),
        cmocka_unit_test(fails_the_unchanged_starter),
        cmocka_unit_test(near_the_limit_is_right_or_open),
        cmocka_unit_test(seldom_passes_by_luck),
        cmocka_unit_test(intervals_hold_the_truth),
        cmocka_unit_test(side_conditions_fail_only_beyond_doubt),
        cmocka_unit_test(reach_is_measured_against_the_reference),
        cmocka_unit_test(a_machine_at_fault_grades_nothing),
        cmocka_unit_test(parallel_needs_a_machine_that_can),
        cmocka_unit_test(one_cpu_alone_is_no_speed_up),
        cmocka_unit_test(tells_exponents_apart),
        cmocka_unit_test(what_imports_cost_is_no_growth),
        cmocka_unit_test(asks_for_sizes_that_tell),
        cmocka_unit_test(compares_peaks),
        cmocka_unit_test(compares_leaks),
        cmocka_unit_test(compares_gaps),
        cmocka_unit_test(ends_within_its_budget),
        cmocka_unit_test(one_block_beside_a_pacemaker_decides_what_is_plain),
        cmocka_unit_test(one_pair_is_quick),
        cmocka_unit_test(asks_in_blocks),
        cmocka_unit_test(both_orders_come_up),
        cmocka_unit_test(hostile_samples),
        cmocka_unit_test(refuses_specs_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
