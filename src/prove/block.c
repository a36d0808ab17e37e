/* A block: each side twice, in an order that a linear drift cannot favour. */
#include "prove/experiment.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEADY_TOLERANCE 0.01

double batches_value(const double *times, size_t count, enum prove_mode mode)
{
    struct stats_steady steady;
    size_t from = 0;
    if (count == 0)
        return NAN;
    if (mode == PROVE_DUET)
        return stats_mean(times, count).value;
    if (stats_steady(times, count, STEADY_TOLERANCE, &steady) == 0 && steady.from < count)
        from = steady.from;
    double least = times[from];
    for (size_t i = from + 1; i < count; i++)
        least = times[i] < least ? times[i] : least;
    return least;
}

void block_release(struct block *b)
{
    for (int side = 0; side < SIDES; side++)
        for (int turn = 0; turn < TURNS; turn++)
            if (b->done[side][turn]) {
                prove_run_release(&b->turns[side][turn].run);
                prove_batches_release(&b->turns[side][turn].batches);
                b->done[side][turn] = false;
            }
}

static struct prove_process circumstances(const struct block_plan *plan, uint64_t *random, uint32_t hash_seed)
{
    return (struct prove_process){
        .pinned = plan->mode != PROVE_INTERLEAVED,
        .cpu = plan->cpu,
        .timeout_ns = plan->timeout_ns * (plan->mode == PROVE_DUET ? SIDES * TURNS : 1), /* so many share the CPU */
        .seeded = true,
        .hash_seed = hash_seed,
        .padding = 1 + (uint32_t)(random_next(random) % PROVE_PADDING_MAX),
        .watched = plan->watched,
    };
}

static int keep(
    const struct block_plan *plan, int side, struct prove_run *run, struct block_turn *into, struct error *e)
{
    int r = subject_read(plan->subjects[side], run, &into->batches, e);
    if (r < 0) {
        prove_run_release(run);
        return r;
    }
    into->run = *run;
    into->values[PROVE_WALL] = batches_value(into->batches.wall, into->batches.count, plan->mode);
    into->values[PROVE_CPU] = batches_value(into->batches.cpu, into->batches.count, plan->mode);
    if (plan->mode == PROVE_DUET && plan->subjects[side]->kind == PROVE_COMMAND)
        into->values[PROVE_WALL] -= (double)run->queued_ns / 1e9; /* functions have done so */
    into->values[PROVE_MEMORY] = (double)run->memory;
    return 0;
}

/* Turn `turns[i]` of side `sides[i]`, all at once. */
static int run_sides(struct prove_runner *r, const struct block_plan *plan, const int *sides, const int *turns,
    size_t count, uint64_t *random, uint32_t hash_seed, struct block *b, struct error *e)
{
    struct subject_call calls[SIDES * TURNS];
    struct prove_process processes[SIDES * TURNS];
    struct prove_run runs[SIDES * TURNS];
    int result = 0;
    size_t made = 0;

    for (; made < count && result == 0; made++) {
        struct prove_batch_options options = {
            .loops = plan->loops[sides[made]],
            .batches = plan->batches,
            .value = plan->value,
            .shares = plan->mode == PROVE_DUET,
        };
        struct prove_process how = circumstances(plan, random, hash_seed);
        result = subject_batch_call_init(&calls[made], plan->subjects[sides[made]], &options, &how, e);
        processes[made] = calls[made].process;
    }
    if (result == 0)
        result = prove_run(r, processes, count, runs, e);
    for (size_t i = 0; i < made; i++)
        subject_call_release(&calls[i]);
    if (result < 0)
        return result;
    for (size_t i = 0; i < count; i++) {
        if (result < 0) {
            prove_run_release(&runs[i]);
            continue;
        }
        result = keep(plan, sides[i], &runs[i], &b->turns[sides[i]][turns[i]], e);
        b->done[sides[i]][turns[i]] = result == 0;
    }
    return result;
}

int block_turn_run(struct prove_runner *r, const struct block_plan *plan, int side, int turn, uint64_t *random,
    uint32_t hash_seed, struct block *b, struct error *e)
{
    return run_sides(r, plan, &side, &turn, 1, random, hash_seed, b, e);
}

static int run_turns(struct prove_runner *r, const struct block_plan *plan, uint64_t *random, uint32_t hash_seed,
    struct block *b, struct error *e)
{
    int first = (int)(random_next(random) >> 63), result = 0;
    const int order[] = {first, !first, !first, first}, turns[] = {0, 0, 1, 1};
    if (plan->mode == PROVE_DUET)
        return run_sides(r, plan, order, turns, ARRAY_SIZE(order), random, hash_seed, b, e);
    for (size_t i = 0; i < ARRAY_SIZE(order) && result == 0; i++)
        result = block_turn_run(r, plan, order[i], turns[i], random, hash_seed, b, e);
    return result;
}

int block_run(struct prove_runner *r, const struct block_plan *plan, uint64_t *random, struct block *b, struct error *e)
{
    struct machine_clock before, after;
    uint32_t hash_seed = (uint32_t)(random_next(random) >> 33); /* PYTHONHASHSEED takes 32 bits; 0 is no seed */
    size_t cpus = plan->mode == PROVE_INTERLEAVED ? 0 : 1;
    double wall = 0, switches = 0;

    *b = (struct block){0};
    machine_read(&plan->cpu, cpus, &before);
    int result = run_turns(r, plan, random, hash_seed | 1u, b, e);
    machine_read(&plan->cpu, cpus, &after);
    if (result < 0)
        return result;
    b->seconds = (double)(after.at_ns - before.at_ns) / 1e9;
    b->steal = machine_steal(&before, &after);
    b->pressure = plan->mode == PROVE_DUET ? NAN : machine_pressure(&before, &after);
    for (int side = 0; side < SIDES; side++)
        for (int turn = 0; turn < TURNS; turn++) {
            wall += (double)b->turns[side][turn].run.wall_ns / 1e9;
            switches += (double)b->turns[side][turn].run.involuntary;
        }
    b->involuntary = wall > 0 ? switches / wall : 0;
    return 0;
}

struct stats_block block_compare(const struct block *b, enum prove_metric metric)
{
    double a1 = log(b->turns[SIDE_A][0].values[metric]), a2 = log(b->turns[SIDE_A][1].values[metric]);
    double b1 = log(b->turns[SIDE_B][0].values[metric]), b2 = log(b->turns[SIDE_B][1].values[metric]);
    return (struct stats_block){.difference = (b1 + b2 - a1 - a2) / 2, .control_a = a1 - a2, .control_b = b1 - b2};
}
