/* What the learner is told: at most 12 lines, and one next action. It is built from a list of fields; of the learner's
 * own text only what is made safe gets into it. */
#include "grade/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WHY_LINES 4
#define WHY_COLUMNS 160

/* How a gate's figure reads. */
static const struct {
    const char *what, *format; /* takes estimate, low, high, limit */
} gate_texts[] = {
    [GRADE_SPEED] = {"speed", "%.2f times as fast as the starter (%.2f to %.2f); at least %.2f is wanted"},
    [GRADE_REACH] = {"reach", "%.2f times the reference's CPU time (%.2f to %.2f); at most %.2f is wanted"},
    [GRADE_GROWTH] = {"growth", "its time grows as n^%.2f (%.2f to %.2f); at most n^%.2f is wanted"},
    [GRADE_NOT_SLOWER] = {"no slower", "%.2f times the starter's time (%.2f to %.2f); at most %.2f is wanted"},
    [GRADE_MEMORY] = {"memory", "%.2f of the starter's peak (%.2f to %.2f); at most %.2f is wanted"},
    [GRADE_NOT_FATTER] = {"no fatter", "%.2f times the starter's peak (%.2f to %.2f); at most %.2f is wanted"},
    [GRADE_MEMORY_GROWTH] = {"growth of memory",
        "%.3f of the starter's an epoch (%.3f to %.3f); at most %.3f is wanted"},
    [GRADE_GAP] = {"longest pause", "%.3f of the starter's (%.3f to %.3f); at most %.3f is wanted"},
    [GRADE_PARALLEL] = {"parallel",
        "%.2f of the speed-up that the reference reaches here (%.2f to %.2f); at least %.2f is wanted"},
};

void check_gate_text(const struct grade_gate_result *g, struct buffer *into)
{
    char text[256] = "not measured";
    if (!isnan(g->measure.estimate) && isnan(g->measure.low)) /* one look */
        snprintf(text, sizeof(text), "about %.3g, by one look; the limit is %.3g", g->measure.estimate, g->gate->limit);
    else if (g->gate->kind == GRADE_GROWTH && g->outcome == GRADE_PASSED &&
             g->measure.high > GATE_GROWTH_FAILS) /* it passed: for growing by next to nothing */
        snprintf(
            text, sizeof(text), "its time hardly grows over these sizes; at most n^%.2f is wanted", g->gate->limit);
    else if (!isnan(g->measure.estimate)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* of the table above */
        snprintf(text, sizeof(text), gate_texts[g->gate->kind].format, g->measure.estimate, g->measure.low,
            g->measure.high, g->gate->limit);
#pragma GCC diagnostic pop
    }
    buffer_printf(into, "%s: %s", gate_texts[g->gate->kind].what, text);
    if (g->outcome == GRADE_SLOW && g->cpus > 0)
        buffer_printf(into, "; it kept %.1f CPUs busy", g->cpus);
}

static void put_safe(struct buffer *b, const char *text)
{
    text_append_safe(b, text, strlen(text));
}

/* The lines of what went wrong, each cut to a width. */
static void put_why(struct buffer *b, const char *why)
{
    for (unsigned n = 0; n < WHY_LINES && *why; n++) {
        char line[WHY_COLUMNS * 2];
        size_t size = strcspn(why, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)size, why);
        buffer_append_string(b, "  ");
        text_append_fitted(b, line, WHY_COLUMNS);
        buffer_append_byte(b, '\n');
        why += size + (why[size] == '\n');
    }
}

static void put_values(const struct check *c, struct buffer *b)
{
    if (c->told.size > 0)
        buffer_printf(b, "  on an input of size %u\n", c->told.size);
    if (c->told.input[0])
        buffer_printf(b, "  call         %s\n", c->told.input);
    if (c->told.answer[0])
        buffer_printf(b, "  your answer  %s\n", c->told.answer);
    if (c->told.right[0])
        buffer_printf(b, "  right        %s\n", c->told.right);
    if (c->told.path[0]) {
        buffer_append_string(b, "  they differ  at ");
        put_safe(b, c->told.path);
        buffer_append_string(b, ": ");
        put_safe(b, c->told.why);
        buffer_append_byte(b, '\n');
    } else
        put_why(b, c->told.why);
}

static bool misses_memory(const struct grade_gate_result *g)
{
    enum grade_gate_kind kind = g->gate->kind;
    return g->outcome == GRADE_SLOW &&
           (kind == GRADE_MEMORY || kind == GRADE_NOT_FATTER || kind == GRADE_MEMORY_GROWTH);
}

/* The outcome in two words: one that takes too much memory, and not too long, is not called slow. */
static const char *head_word(const struct grade_result *r)
{
    unsigned missed = 0, of_memory = 0;
    for (unsigned i = 0; i < r->gate_count; i++) {
        missed += r->gates[i].outcome == GRADE_SLOW;
        of_memory += misses_memory(&r->gates[i]);
    }
    bool fat = r->outcome == GRADE_SLOW && missed > 0 && of_memory == missed;
    return fat ? "too much memory" : grade_outcome_text(r->outcome);
}

static void put_gates(const struct check *c, struct buffer *b)
{
    for (unsigned i = 0; i < c->r->gate_count; i++) {
        const struct grade_gate_result *g = &c->r->gates[i];
        buffer_printf(b, "  %-12s ", misses_memory(g) ? "too much" : grade_outcome_text(g->outcome));
        if (c->lab->scenarios[i].name)
            buffer_printf(b, "%s, ", c->lab->scenarios[i].name);
        check_gate_text(g, b);
        if (c->causes[i] && c->causes[i][0])
            buffer_printf(b, "; %s", c->causes[i]);
        buffer_append_byte(b, '\n');
    }
}

/* ---- the capstone ---- */

/* Whether it came to the end of a whole check. */
static bool is_scored(const struct check *c)
{
    return c->lab->kind == GRADE_PROGRAM && c->r->program.scenarios > 0 && !c->r->provisional;
}

static const char *decoy_text(const struct findings *f, const struct grade_named *n)
{
    return n->named == 0 ? "nothing named" : findings_precise(n, f->precision_wanted) ? "right" : "not right";
}

static void put_findings(const struct check *c, struct buffer *b)
{
    const struct findings *f = &c->findings;
    unsigned wrong = f->repair.named - f->repair.right;
    buffer_printf(b, "  %-12s ", f->pass ? "enough" : "not enough");
    if (f->why[0] != '\0') {
        buffer_printf(b, "findings: %s\n", f->why);
        return;
    }
    buffer_printf(b, "findings: %u of %u bottlenecks named (%u are wanted); of %u named `repair` %u are right",
        f->found, f->plants, f->found_wanted, f->repair.named, f->repair.right);
    if (wrong > 0)
        buffer_printf(b, ", %u cost%s you", wrong, wrong == 1 ? "s" : "");
    buffer_printf(b, " (%.0f %% is wanted); `remove`: %s; `leave`: %s\n", 100 * f->precision_wanted,
        decoy_text(f, &f->remove), decoy_text(f, &f->leave));
    buffer_append(b, f->told.data, f->told.size);
}

static void put_counts(const struct check *c, struct buffer *b)
{
    const struct grade_program *p = &c->r->program;
    unsigned open = p->scenarios - p->scenarios_passed - p->scenarios_missed;
    buffer_printf(b,
        "  %u of %u scenarios meet their limit, %u miss%s it, %u %s not settled; %u are wanted, and the day\n",
        p->scenarios_passed, p->scenarios, p->scenarios_missed, p->scenarios_missed == 1 ? "es" : "", open,
        open == 1 ? "is" : "are", p->scenarios_wanted);
}

static void put_head_program(const struct check *c, struct buffer *b)
{
    static const char *const texts[] = {[GRADE_WRONG] = "right on %u inputs, but the findings are not enough",
        [GRADE_SLOW] = "right on %u inputs, but too many scenarios, or the day, miss their limits",
        [GRADE_UNRESOLVED] = "right on %u inputs; too few timings are settled. It counts neither way"};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* of the table above */
    buffer_printf(b, texts[c->r->outcome], c->r->right);
#pragma GCC diagnostic pop
    if (c->r->outcome != GRADE_UNRESOLVED)
        buffer_printf(b, "; %u points of 100", c->r->points);
}

/* What a learner does about a wrong one. */
static const char *next_when_wrong(const struct check *c)
{
    if (is_scored(c))
        return "name in findings.json where the cost arises, each with a recording of its scenario on the untouched "
               "copy: "
               "pitviper learn run capstone SCENARIO --app untouched";
    if (c->told.killed)
        return "what append has returned for must be in the file by then; read what the README says of a kill";
    if (c->lab->kind == GRADE_PROGRAM)
        return "play it on both copies: its first three words are run.py's scenario, --seed and --size (--app "
               "untouched)";
    return "call the function with this input by hand, and follow where it leaves the right way";
}

/* Of the gate that decided. */
static const char *gate_hint(const struct check *c)
{
    for (unsigned i = 0; i < c->r->gate_count; i++)
        if (c->r->gates[i].outcome == c->r->outcome)
            return c->r->gates[i].gate->hint;
    return "";
}

static void put_head(const struct check *c, struct buffer *b)
{
    const struct grade_result *r = c->r;
    buffer_printf(b, "%s: ", head_word(r));
    if (is_scored(c) && r->outcome != GRADE_PASSED && r->outcome != GRADE_FAULT) {
        put_head_program(c, b);
        buffer_append_byte(b, '\n');
        return;
    }
    switch (r->outcome) {
    case GRADE_PASSED:
        if (r->provisional)
            buffer_printf(b, "%s, so far: %u inputs right, a quick look at the gates", c->lab->title, r->right);
        else
            buffer_printf(b, "%s, %u points of 100", c->lab->title, r->points);
        break;
    case GRADE_WRONG:
        if (c->told.killed)
            buffer_append_string(b, "the journal does not survive a kill");
        else
            buffer_printf(b, "%u of %u inputs were right before this one", r->right, r->cases);
        break;
    case GRADE_BROKEN:
        buffer_printf(b, "no answer came from %s", c->lab->function);
        break;
    case GRADE_SLOW:
        buffer_printf(b, "right on %u inputs, but a gate is missed", r->right);
        if (!r->provisional)
            buffer_printf(b, "; %u points of 100", r->points);
        break;
    case GRADE_UNREADABLE:
        buffer_printf(b, "right and fast, but much harder to read than it need be; %u points of 100", r->points);
        break;
    case GRADE_UNRESOLVED:
        buffer_printf(b, "right on %u inputs; the timings do not settle a gate. It counts neither way", r->right);
        break;
    case GRADE_FAULT:
        buffer_append_string(b, "the check could not be made. It counts neither way");
        break;
    }
    buffer_append_byte(b, '\n');
}

static void put_next(const struct check *c, struct buffer *b)
{
    const char *hint = "";
    buffer_append_string(b, "next: ");
    switch (c->r->outcome) {
    case GRADE_PASSED:
        if (c->r->provisional)
            buffer_printf(b, "settle it: pitviper learn check %s", c->lab->id);
        else
            buffer_printf(b, "compare with the references: pitviper learn solution %s", c->lab->id);
        break;
    case GRADE_WRONG:
        buffer_append_string(b, next_when_wrong(c));
        break;
    case GRADE_BROKEN:
        buffer_append_string(b, c->told.late ? "look for a loop that does not end on this input"
                                             : "make it run by hand first; the message above says where it stops");
        break;
    case GRADE_SLOW:
        hint = gate_hint(c);
        buffer_append_string(b, hint[0] ? hint : "profile it: pitviper run");
        break;
    case GRADE_UNREADABLE:
        buffer_append_string(b, "make it simpler");
        if (c->unreadable[0]) {
            buffer_append_string(b, ": ");
            put_safe(b, c->unreadable);
        }
        break;
    case GRADE_UNRESOLVED:
        buffer_append_string(b, "let the machine come to rest, then check again");
        break;
    case GRADE_FAULT:
        buffer_append_string(b, "nothing is to be done about your code; pitviper doctor looks at the machine");
        break;
    }
    buffer_append_byte(b, '\n');
}

void check_feedback(struct check *c)
{
    struct buffer *b = &c->r->feedback;
    put_head(c, b);
    if (is_scored(c) && c->r->outcome != GRADE_FAULT) {
        put_findings(c, b);
        put_counts(c, b);
        put_gates(c, b);
        if (c->where[0])
            buffer_printf(b, "  %s\n", c->where);
        put_next(c, b);
        return;
    }
    switch (c->r->outcome) {
    case GRADE_WRONG:
    case GRADE_BROKEN:
        put_values(c, b);
        break;
    case GRADE_FAULT:
        if (c->fault[0])
            put_why(b, c->fault);
        put_gates(c, b);
        break;
    default:
        put_gates(c, b);
        if (c->told.late)
            buffer_printf(b, "  on an input of size %u it was stopped before it ended\n", c->told.size);
    }
    if (c->where[0])
        buffer_printf(b, "  %s\n", c->where);
    put_next(c, b);
}
