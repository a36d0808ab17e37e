/* Is it fast enough? Runs what each gate asks for, and feeds it. */
#include "grade/check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/inside.h"

#define NULL_RUNS 3
#define WALL_MOST_NS 10000000000u
#define WALL_LEAST_NS 1000000000u
#define AFTER_GATES_NS 2000000000u /* kept for readability and for where the time is */
#define FOR_ONE_GATE_NS 500000000u
#define GATE_SHARE 0.6 /* of what is left, for a gate that others follow: most of them need little */

struct null_run { /* of one size: what a process costs that only reads its input */
    unsigned size;
    double wall, cpu, peak;
    bool verified; /* an answer of the learner's at this size */
};
struct pair {             /* runs on the same input */
    struct inputs inputs; /* one */
    uint64_t number;
    unsigned size;
    bool made;
    struct buffer answers[2]; /* the starter's and the learner's */
    bool have[2];
};
struct measuring {
    struct check *c;
    const struct grade_gate *gate;
    unsigned number;
    struct null_run nulls[GRADE_SIZES_MAX];
    size_t null_count;
    struct pair
        pairs[GRADE_SIZES_MAX]; /* of growth one a size, made once, since making them takes longer than running */
    struct pair *pair;          /* the one under way */
    bool over;                  /* the check's time: what did not end in the rest of it says nothing */
};

static const struct input *input_of(const struct measuring *m)
{
    return &m->pair->inputs.items[0];
}

static uint32_t hash_seed(const struct measuring *m)
{
    return (uint32_t)check_seed(m->c, "gate hash", m->number, m->pair->number);
}

static uint64_t wall_limit(const struct check *c)
{
    uint64_t left = check_left_ns(c);
    return left < WALL_LEAST_NS ? WALL_LEAST_NS : left < WALL_MOST_NS ? left : WALL_MOST_NS;
}

static void forget_pair(struct pair *p)
{
    trial_inputs_release(&p->inputs);
    for (int side = GATE_STARTER; side <= GATE_LEARNER; side++) {
        buffer_release(&p->answers[side]);
        buffer_init(&p->answers[side], 0);
        p->have[side] = false;
    }
    p->made = false;
}

static struct pair *place_of_pair(struct measuring *m, const struct gate_want *want)
{
    size_t i = 0;
    while (m->gate->kind == GRADE_GROWTH && m->gate->sizes[i] != want->size)
        i++;
    return &m->pairs[i];
}

static int take_pair(struct measuring *m, const struct gate_want *want)
{
    struct check *c = m->c;
    bool growth = m->gate->kind == GRADE_GROWTH;
    struct pair *p = m->pair = place_of_pair(m, want);
    bool same = p->made && p->size == want->size && (growth || p->number == want->pair);
    p->number = want->pair; /* of growth the hash seed changes alone */
    if (same)
        return 0;
    forget_pair(p);
    struct input_wish wish = {
        .seed = check_seed(c, growth ? "growth" : "gate", m->number * 1000003ull + want->size, want->pair),
        .size = want->size};
    int r = inputs_make(&c->runner, &wish, 1, &p->inputs, c->e);
    p->size = want->size;
    p->made = r == 0;
    return r;
}

/* The null run of the pair's size; it is made with this pair's input. Of growth the smallest size's serves all: where
 * each has its own, their errors look like growth, and reading an input grows with its size and no faster. NULL: r says
 * why. */
static struct null_run *null_of(struct measuring *m, int *r)
{
    struct check *c = m->c;
    double wall[NULL_RUNS], cpu[NULL_RUNS], peak[NULL_RUNS];
    size_t n = 0, seen = 0, wanted = NULL_RUNS;
    if (c->r->provisional)
        wanted = 1;
    for (size_t i = 0; i < m->null_count; i++)
        if (m->nulls[i].size == m->pair->size)
            return &m->nulls[i];
    if (m->gate->kind == GRADE_GROWTH && m->null_count > 0) {
        struct null_run *null = &m->nulls[m->null_count++];
        *null = m->nulls[0];
        null->size = m->pair->size;
        null->verified = false;
        return null;
    }
    for (*r = 0; n < wanted && *r == 0; n++) {
        struct trial s;
        *r = trial_run(&c->runner, &c->null, input_of(m), hash_seed(m), WALL_MOST_NS, &s, c->e);
        if (*r < 0)
            break;
        if (s.outcome != GRADE_PASSED)
            *r = error_set(c->e, EBADMSG, "a program that does nothing failed: %.200s", s.why);
        wall[n] = s.wall;
        cpu[n] = s.cpu;
        if (!isnan(s.peak))
            peak[seen++] = s.peak;
        trial_release(&s);
    }
    if (*r < 0)
        return NULL;
    struct null_run *null = &m->nulls[m->null_count++]; /* as many as the gate has sizes */
    *null = (struct null_run){.size = m->pair->size,
        .wall = stats_median(wall, n),
        .cpu = stats_median(cpu, n),
        .peak = stats_median(peak, seen)};
    return null;
}

/* The learner's answers to large inputs count too: by the starter's of the same pair, or once a size by the oracle. */
static int verify(struct measuring *m, struct null_run *null, enum gate_side side, struct trial *s)
{
    struct check *c = m->c;
    const struct input *input = input_of(m);
    bool right = true, by_starter = c->lab->oracle == GRADE_BY_STARTER;
    int r = 0;
    if (side == GATE_REFERENCE)
        return 0;
    if (side == GATE_LEARNER && !null->verified && !(m->pair->have[GATE_STARTER] && by_starter))
        r = check_answer(c, input, hash_seed(m), s, &c->reference, &right);
    buffer_release(&m->pair->answers[side]);
    m->pair->answers[side] = s->answer;
    m->pair->have[side] = true;
    buffer_init(&s->answer, 0);
    if (r == 0 && right && by_starter && m->pair->have[GATE_STARTER] && m->pair->have[GATE_LEARNER])
        right = check_same(c, input, &m->pair->answers[GATE_LEARNER], &m->pair->answers[GATE_STARTER]);
    null->verified |= side == GATE_LEARNER && right && r == 0;
    if (!right) {
        c->told.size = m->pair->size;
        c->r->outcome = GRADE_WRONG;
    }
    return r;
}

static const struct source *source_of(const struct check *c, enum gate_side side)
{
    return side == GATE_STARTER ? &c->starter : side == GATE_LEARNER ? &c->learner : &c->reference;
}

static int own_failed(struct check *c, enum gate_side side, const struct trial *s)
{
    return error_set(
        c->e, EBADMSG, "the lab's own %s failed: %.200s", side == GATE_STARTER ? "starter" : "reference", s->why);
}

/* What came of the learner's run but an answer. */
static void learner_failed(struct measuring *m, const struct trial *s)
{
    struct check *c = m->c;
    c->told.size = m->pair->size;
    c->told.late = s->outcome == GRADE_SLOW;
    if (c->told.late) /* the gate is told so, and decides */
        return;
    check_tell_failure(c, input_of(m), s);
    c->r->outcome = s->outcome;
}

static struct gate_sample net(const struct null_run *null, const struct trial *s, uint64_t spent_ns)
{
    if (s->outcome == GRADE_SLOW)
        return (struct gate_sample){
            .wall = INFINITY, .cpu = INFINITY, .peak = s->peak - null->peak, .gap = INFINITY, .spent_ns = spent_ns};
    return (struct gate_sample){.wall = s->wall - null->wall,
        .cpu = s->cpu - null->cpu,
        .peak = s->peak - null->peak,
        .gap = s->gap,
        .spent_ns = spent_ns};
}

static int keep_sample(struct check_samples *s, const struct check_sample *sample)
{
    if (array_reserve(&s->items, &s->capacity, s->count + 1, sizeof(*s->items)) < 0)
        return -ENOMEM;
    s->items[s->count++] = *sample;
    return 0;
}

static int one_sample(struct measuring *m, struct gate *g, const struct gate_want *want)
{
    struct check *c = m->c;
    struct trial s;
    uint64_t began = clock_monotonic_ns();
    int r = take_pair(m, want);
    struct null_run *null = r < 0 ? NULL : null_of(m, &r);
    if (!null)
        return r;
    uint64_t limit = wall_limit(c);
    r = trial_run(&c->runner, source_of(c, want->side), input_of(m), hash_seed(m), limit, &s, c->e);
    if (r < 0)
        return r;
    /* A learner's that takes so long has shown something, where it had the most that there is, or the check is quick;
     * what is ours shows a machine that has no time for it. */
    bool counts = want->side == GATE_LEARNER && (c->r->provisional || limit == WALL_MOST_NS);
    m->over = s.outcome == GRADE_SLOW && !counts;
    if (m->over) {
        trial_release(&s);
        return 0;
    }
    if (s.outcome != GRADE_PASSED && want->side != GATE_LEARNER)
        r = own_failed(c, want->side, &s);
    else if (s.outcome != GRADE_PASSED)
        learner_failed(m, &s);
    else
        r = verify(m, null, want->side, &s);
    if (r == 0 && c->r->outcome == GRADE_PASSED) {
        struct check_sample sample = {*want, net(null, &s, clock_monotonic_ns() - began)};
        r = gate_feed(g, &sample.got);
        if (r == 0)
            r = keep_sample(&c->samples[m->number], &sample);
        if (r < 0)
            error_set(c->e, -r, "cannot take a sample: %s", strerror(-r));
    }
    trial_release(&s);
    return r;
}

static uint64_t gate_budget(const struct check *c, unsigned gates_left)
{
    uint64_t left = check_left_ns(c), kept = c->r->provisional ? 0 : AFTER_GATES_NS;
    double part = gates_left > 1 ? GATE_SHARE : 1;
    uint64_t share = left > kept ? (uint64_t)((double)(left - kept) * part) : 0;
    return share > FOR_ONE_GATE_NS ? share : FOR_ONE_GATE_NS;
}

/* What is about syncing to a disk, where there is none. */
static bool needs_disk(struct check *c, unsigned number)
{
    if (!c->lab->scenarios[number].disk || !c->runner.in_memory)
        return false;
    c->r->gates[number] = (struct grade_gate_result){&c->lab->gates[number], GRADE_UNRESOLVED, {NAN, NAN, NAN}, 0, 0};
    c->causes[number] =
        "the folder for temporary files is in memory, where syncing costs nothing: set TMPDIR to one on a disk";
    c->r->gate_count = number + 1;
    return true;
}

/* A program's gates share the time; those of the day, which both have to be passed and take the longest, by twice as
 * much. */
static uint64_t program_budget(const struct check *c, unsigned number)
{
    uint64_t left = check_left_ns(c), kept = c->r->provisional ? 0 : AFTER_GATES_NS;
    unsigned mine = 0, all = 0;
    for (unsigned i = number; i < c->lab->gate_count; i++) {
        unsigned weight = strcmp(c->lab->scenarios[i].name, GRADE_DAY) == 0 ? 2 : 1;
        mine = i == number ? weight : mine;
        all += weight;
    }
    uint64_t share = left > kept && all > 0 ? (left - kept) / all * mine : 0;
    return share > FOR_ONE_GATE_NS ? share : FOR_ONE_GATE_NS;
}

/* Where one thread computes, the pace of the CPU can be taken out of its times. A quick check has no time for that. */
static bool has_pace(const struct check *c, const struct grade_gate *gate)
{
    bool timed = gate->kind == GRADE_SPEED || gate->kind == GRADE_REACH || gate->kind == GRADE_GROWTH ||
                 gate->kind == GRADE_NOT_SLOWER;
    bool alone = (c->lab->allow & (SANDBOX_FORK | SANDBOX_THREADS)) == 0 && c->lab->service_at_once == 0;
    return timed && alone && c->lab->kind == GRADE_CODE && !c->r->provisional;
}

static int one_gate(struct check *c, unsigned number)
{
    struct measuring m = {.c = c, .gate = &c->lab->gates[number], .number = number};
    struct grade_gate_result *result = &c->r->gates[number];
    struct gate_want want;
    struct gate *g;
    uint64_t began = clock_monotonic_ns(), budget = c->lab->kind == GRADE_PROGRAM
                                                        ? program_budget(c, number)
                                                        : gate_budget(c, c->lab->gate_count - number);
    if (has_pace(c, m.gate))
        pace_start(&c->runner.pace, c->runner.machine.python.path);
    c->samples[number].paced = c->runner.pace.pid > 0;
    enum gate_way way = c->r->provisional ? GATE_QUICK : c->samples[number].paced ? GATE_PACED : GATE_FULL;
    int r = gate_new(m.gate, budget, way, check_seed(c, "gate", number, 0), &g);
    if (r < 0) {
        pace_stop(&c->runner.pace);
        return error_set(c->e, -r, "cannot make a gate: %s", strerror(-r));
    }
    while (r == 0 && c->r->outcome == GRADE_PASSED && !m.over && gate_next(g, &want)) {
        uint64_t spent = (clock_monotonic_ns() - began) / 10000000u, of = budget / 10000000u;
        check_progress(c, c->lab->scenarios[number].name ? c->lab->scenarios[number].name : lab_gate_name(m.gate->kind),
            (unsigned)(spent < of ? spent : of), (unsigned)of);
        r = one_sample(&m, g, &want);
    }
    pace_stop(&c->runner.pace);
    gate_decide(g, result);
    result->gate = m.gate;
    c->causes[number] = gate_cause_text(m.over ? GATE_TIME : gate_cause(g));
    c->r->gate_count = number + 1;
    for (size_t i = 0; i < ARRAY_SIZE(m.pairs); i++)
        forget_pair(&m.pairs[i]);
    gate_free(g);
    return r;
}

/* The learner's code on an input of the first gate that it misses. */
static int look_where(struct check *c)
{
    unsigned missed = 0;
    while (missed < c->r->gate_count && c->r->gates[missed].outcome != GRADE_SLOW)
        missed++;
    if (missed == c->r->gate_count || c->r->provisional)
        return 0;
    const struct grade_gate *gate = &c->lab->gates[missed];
    struct input_wish wish = {.seed = check_seed(c, "where", 0, 0), .size = gate->sizes[gate->size_count - 1]};
    struct inputs inputs;
    int r = inputs_make(&c->runner, &wish, 1, &inputs, c->e);
    if (r < 0)
        return r;
    check_progress(c, "where the time is", 0, 1);
    check_where(c, &inputs.items[0]);
    trial_inputs_release(&inputs);
    return 0;
}

int check_gates(struct check *c)
{
    int r = 0;
    bool program = c->lab->kind == GRADE_PROGRAM; /* one scenario that does not end says nothing of the others */
    for (unsigned i = 0;
         i < c->lab->gate_count && r == 0 && c->r->outcome == GRADE_PASSED && (!c->told.late || program); i++) {
        if (c->r->provisional && i > 0 && check_left_ns(c) < FOR_ONE_GATE_NS)
            break;
        if (needs_disk(c, i))
            continue;
        r = one_gate(c, i);
    }
    return r == 0 && c->r->outcome == GRADE_PASSED ? look_where(c) : r;
}
