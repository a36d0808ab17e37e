/* What was run, where, and what came of it, for who wants to see or to run it again. No path and no name of the
 * machine's. */
#include "grade/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "grade/inside.h"

#define RECEIPT_FORMAT 1

static const char *outcome_word(enum grade_outcome outcome)
{
    static const char *const words[] = {"passed", "wrong", "broken", "slow", "unreadable", "unresolved", "fault"};
    return words[outcome];
}

static void put_hash(struct json *j, const char *name, const struct source *source)
{
    uint8_t digest[32];
    char text[65];
    if (source->count == 0)
        return;
    source_digest(source, digest);
    text_hex(digest, sizeof(digest), text);
    json_text(j, name, text);
}

void grade_put_system(struct json *j)
{
    struct utsname os;
    if (uname(&os) == 0) {
        json_text(j, "system", os.sysname);
        json_text(j, "release", os.release);
        json_text(j, "machine", os.machine);
    }
    json_integer(j, "cores", sysconf(_SC_NPROCESSORS_ONLN));
}

static void put_machine(const struct check *c, struct json *j)
{
    json_object_begin(j, "machine");
    grade_put_system(j);
    json_text(j, "python", c->runner.version);
    json_integer(j, "sandbox_level", c->r->level);
    if (c->r->level < SANDBOX_LEVEL_BEST)
        json_text(j, "why_no_higher_level", c->runner.machine.ladder.why_not[c->r->level + 1]);
    json_boolean(j, "child_could_read_the_course", c->r->level < 2);
    json_object_end(j);
}

static double to_microseconds(double seconds)
{
    return round(seconds * 1e6) / 1e6;
}

/* Side, size, pair; seconds of wall time, of CPU time, bytes, seconds between heartbeats, net of a null run;
 * milliseconds of the check's time. Enough to decide the gate once more. */
static void put_sample(const struct check_sample *s, struct json *j)
{
    static const char *const sides[] = {
        [GATE_STARTER] = "starter", [GATE_LEARNER] = "learner", [GATE_REFERENCE] = "reference"};
    json_array_begin(j, NULL);
    json_text(j, NULL, sides[s->want.side]);
    json_integer(j, NULL, s->want.size);
    json_integer(j, NULL, (int64_t)s->want.pair);
    json_number(j, NULL, to_microseconds(s->got.wall));
    json_number(j, NULL, to_microseconds(s->got.cpu));
    json_number(j, NULL, s->got.peak);
    json_number(j, NULL, to_microseconds(s->got.gap));
    json_integer(j, NULL, (int64_t)(s->got.spent_ns / 1000000u));
    json_array_end(j);
}

static void put_gate(const struct grade_gate_result *g, const struct grade_scenario *scenario,
    const struct check_samples *samples, const char *cause, struct json *j)
{
    json_object_begin(j, NULL);
    json_text(j, "kind", lab_gate_name(g->gate->kind));
    if (scenario->name)
        json_text(j, "name", scenario->name);
    json_number(j, "limit", g->gate->limit);
    json_array_begin(j, "sizes");
    for (unsigned i = 0; i < g->gate->size_count; i++)
        json_integer(j, NULL, g->gate->sizes[i]);
    json_array_end(j);
    json_text(j, "outcome", outcome_word(g->outcome));
    json_number(j, "estimate", g->measure.estimate);
    json_number(j, "low", g->measure.low);
    json_number(j, "high", g->measure.high);
    if (cause[0] != '\0')
        json_text(j, "cause", cause);
    json_boolean(j, "paced", samples->paced);
    json_array_begin(j, "samples");
    for (size_t i = 0; i < samples->count; i++)
        put_sample(&samples->items[i], j);
    json_array_end(j);
    json_object_end(j);
}

static void put_named(const char *name, const struct grade_named *n, struct json *j)
{
    json_object_begin(j, name);
    json_integer(j, "named", n->named);
    json_integer(j, "right", n->right);
    json_object_end(j);
}

static void put_program(const struct check *c, struct json *j)
{
    const struct grade_program *p = &c->r->program;
    char seed[24];
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)c->o->seed);
    json_text(j, "variant", seed);
    json_object_begin(j, "findings");
    put_named("repair", &p->repair, j);
    put_named("remove", &p->remove, j);
    put_named("leave", &p->leave, j);
    json_integer(j, "found", p->found);
    json_integer(j, "plants", p->plants);
    json_integer(j, "refused", p->refused);
    json_boolean(j, "passed", p->findings_pass);
    json_object_end(j);
    json_object_begin(j, "scenarios");
    json_integer(j, "passed", p->scenarios_passed);
    json_integer(j, "missed", p->scenarios_missed);
    json_integer(j, "wanted", p->scenarios_wanted);
    json_integer(j, "of", p->scenarios);
    json_object_end(j);
    json_object_begin(j, "day");
    json_integer(j, "passed", p->day_passed);
    json_integer(j, "missed", p->day_missed);
    json_integer(j, "of", p->day);
    json_object_end(j);
}

void check_receipt(struct check *c)
{
    const struct grade_result *r = c->r;
    const struct grade_file *manifest = grade_lab_file(c->lab, "lab.json");
    const struct source_file manifest_file = {"lab.json", manifest->data, manifest->size};
    const struct source manifest_source = {&manifest_file, 1};
    char seed[24];
    struct json j = {.out = &c->r->receipt};
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)r->seed);
    json_object_begin(&j, NULL);
    json_integer(&j, "format", RECEIPT_FORMAT);
    json_text(&j, "id", r->id);
    json_text(&j, "program", "pitviper " PITVIPER_VERSION);
    json_integer(&j, "time", (int64_t)(clock_real_ns() / 1000000000u));
    json_text(&j, "lab", c->lab->id);
    json_text(&j, "name", c->lab->name);
    json_text(&j, "outcome", outcome_word(r->outcome));
    json_boolean(&j, "provisional", r->provisional);
    json_integer(&j, "points", r->points);
    json_integer(&j, "right", r->right);
    json_integer(&j, "cases", r->cases);
    json_number(&j, "readability", r->readability);
    json_array_begin(&j, "gates");
    for (unsigned i = 0; i < r->gate_count; i++)
        put_gate(&r->gates[i], &c->lab->scenarios[i], &c->samples[i], c->causes[i], &j);
    json_array_end(&j);
    json_text(&j, "seed", seed); /* as text: it has 64 bits */
    if (c->lab->kind == GRADE_PROGRAM)
        put_program(c, &j);
    json_number(&j, "seconds", (double)r->spent_ns / 1e9);
    put_machine(c, &j);
    put_hash(&j, "source_sha256", &c->learner);
    put_hash(&j, "starter_sha256", &c->starter);
    put_hash(&j, "reference_sha256", &c->reference);
    put_hash(&j, "lab_sha256", &manifest_source);
    if (c->fault[0])
        json_text(&j, "fault", c->fault);
    json_object_end(&j);
    buffer_append_byte(j.out, '\n');
}
