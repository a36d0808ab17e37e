/* The receipt: what was checked, where, and what came of it. No path and no name of the machine's. */
#include "project/inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECEIPT_FORMAT 1

static void put_hash(struct json *j, const char *name, const uint8_t digest[32])
{
    char text[65];
    text_hex(digest, 32, text);
    json_text(j, name, text);
}

static void put_files(struct json *j, const char *name, const struct files *f)
{
    json_object_begin(j, name);
    for (size_t i = 0; i < f->count; i++)
        put_hash(j, f->items[i].name, f->items[i].sha256);
    json_object_end(j);
}

static void put_cases(struct json *j, const struct project *p)
{
    json_array_begin(j, "behaviour");
    for (size_t i = 0; i < p->case_count; i++) {
        const struct case_result *c = &p->cases[i];
        json_object_begin(j, NULL);
        json_integer(j, "seed", (int64_t)(c->seed & INT64_MAX));
        json_number(j, "size", c->size);
        json_text(j, "before", c->digests[BEFORE]);
        json_text(j, "after", c->digests[AFTER]);
        json_boolean(j, "same", c->same);
        json_object_end(j);
    }
    json_array_end(j);
}

static void put_experiment(struct json *j, const char *name, const struct experiment_result *x)
{
    static const char *const metrics[PROVE_METRICS] = {"wall", "cpu", "memory"};
    static const char *const calls[] = {"undecided", "faster", "slower", "same", "unsettled"};
    json_object_begin(j, name);
    json_boolean(j, "measured", x->done);
    if (x->why[0] != '\0')
        json_text(j, "why", x->why);
    if (x->done) {
        json_number(j, "size", x->size);
        json_text(j, "metric", metrics[x->result.metric]);
        json_integer(j, "runs", (int64_t)x->result.runs);
        json_integer(j, "blocks", x->result.blocks);
        json_number(j, "seconds", (double)x->result.spent_ns / 1e9);
        json_integer(j, "seed", (int64_t)(x->result.seed & INT64_MAX));
        json_number(j, "steal", x->result.steal);
        json_number(j, "pressure", x->result.pressure);
        for (int i = 0; i < PROVE_METRICS; i++) {
            const struct prove_estimate *m = &x->result.metrics[i];
            json_object_begin(j, metrics[i]);
            json_text(j, "call", (size_t)m->decision.call < ARRAY_SIZE(calls) ? calls[m->decision.call] : "unsettled");
            json_number(j, "ratio", m->decision.estimate);
            json_number(j, "low", m->decision.low);
            json_number(j, "high", m->decision.high);
            json_number(j, "a", m->a);
            json_number(j, "b", m->b);
            json_object_end(j);
        }
    }
    json_object_end(j);
}

static void put_run(struct json *j, const char *name, const struct tried *g)
{
    json_object_begin(j, name);
    json_boolean(j, "run", g->run);
    if (g->run)
        json_integer(j, "status", g->status);
    json_object_end(j);
}

static void put_criteria(struct json *j, const struct project_result *r)
{
    json_array_begin(j, "criteria");
    for (size_t i = 0; i < LEARN_CRITERIA; i++) {
        const struct project_criterion *c = &r->criteria[i];
        json_object_begin(j, NULL);
        json_text(j, "name", learn_criteria[i]);
        json_integer(j, "weight", learn_criterion_weights[i]);
        if (c->shown < 0)
            json_null(j, "computed");
        else
            json_integer(j, "computed", c->shown);
        json_integer(j, "most", c->most);
        json_text(j, "found", c->found);
        if (c->lift[0] != '\0')
            json_text(j, "lift", c->lift);
        json_object_end(j);
    }
    json_array_end(j);
}

static void put_machine(struct json *j, const struct project *p)
{
    json_object_begin(j, "machine");
    grade_put_system(j);
    if (p->r->level >= 0)
        json_integer(j, "sandbox_level", p->r->level);
    json_object_end(j);
}

void receipt_write(struct project *p)
{
    struct project_result *r = p->r;
    struct json j = {.out = &r->receipt};
    char seed[24];
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)r->seed);
    json_object_begin(&j, NULL);
    json_integer(&j, "format", RECEIPT_FORMAT);
    json_text(&j, "id", r->id);
    json_text(&j, "program", "pitviper " PITVIPER_VERSION);
    json_integer(&j, "time", (int64_t)(clock_real_ns() / 1000000000u));
    json_text(&j, "project", r->program);
    json_text(&j, "outcome", learn_outcome_word(r->outcome));
    if (r->why[0] != '\0')
        json_text(&j, "why", r->why);
    json_integer(&j, "points", r->points);
    json_integer(&j, "of", r->of);
    json_integer(&j, "most", r->most);
    put_criteria(&j, r);
    put_cases(&j, p);
    put_run(&j, "check", &p->check);
    json_object_begin(&j, "broken_copies");
    json_integer(&j, "made", p->broken);
    json_integer(&j, "refused", p->caught);
    if (p->escaped[0] != '\0')
        json_text(&j, "escaped", p->escaped);
    if (p->unbroken[0] != '\0')
        json_text(&j, "none", p->unbroken);
    json_object_end(&j);
    put_experiment(&j, "verdict", &p->verdict);
    put_experiment(&j, "second_size", &p->second);
    put_experiment(&j, "equal_copy", &p->same);
    json_number(&j, "planted", PROJECT_PLANTED);
    put_run(&j, "gate_on_equal_copy", &p->gate_equal);
    put_run(&j, "gate_on_slow_copy", &p->gate_slow);
    json_number(&j, "readability", p->readability);
    json_text(&j, "recordings", p->recordings);
    json_text(&j, "second_tool", p->second_tool);
    json_text(&j, "seed", seed); /* as text: it has 64 bits */
    json_number(&j, "seconds", (double)r->spent_ns / 1e9);
    put_machine(&j, p);
    put_files(&j, "before_sha256", &p->sides[BEFORE]);
    put_files(&j, "after_sha256", &p->sides[AFTER]);
    json_object_end(&j);
    buffer_append_byte(j.out, '\n');
}
