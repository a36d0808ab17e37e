/* `prove --growth`: two functions by how they grow. */
#include "cmd/cmd.h"
#include "cmd/scale.h"
#include "cmd/waiting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX (UINT64_C(64) << 20)
#define BUDGET_NS UINT64_C(20000000000) /* of both */

static const char *verdict_of(const struct growth_change *c)
{
    return !c->settled ? "unsettled" : c->rose ? "grows-faster" : c->fell ? "grows-slower" : "same";
}

static void put_text(struct buffer *out, const struct scale_sides *s, struct growth_result *const results[2],
    const struct growth_change *c)
{
    bool powers = results[0]->verdict.shape != GROWTH_EXPONENTIAL && results[1]->verdict.shape != GROWTH_EXPONENTIAL;
    buffer_append_string(out, !c->settled ? "not settled"
                              : c->rose   ? "B grows faster"
                              : c->fell   ? "B grows more slowly"
                                          : "A and B grow alike");
    if (powers)
        buffer_printf(out, ": the exponent of B less that of A is %.2f (%.2f to %.2f)%s", c->difference.estimate,
            c->difference.low, c->difference.high, c->by_time ? ", by time" : "");
    buffer_append_byte(out, '\n');
    for (int side = 0; side < 2; side++) {
        const struct growth_verdict *v = &results[side]->verdict;
        buffer_printf(out, "  %c  ", 'A' + side);
        text_append_safe(out, s->names[side], strlen(s->names[side]));
        buffer_printf(out, " is %s: ", growth_shape_words(v->shape));
        scale_put_law(out, v->shape, &v->exponent, &v->base);
        if (v->basis == GROWTH_INSIDE_C)
            buffer_append_string(out, ", by work inside C");
        buffer_append_byte(out, '\n');
    }
}

static void put_json(struct buffer *out, const struct scale_sides *s, struct growth_result *const results[2],
    const struct growth_change *c)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_text(&j, "verdict", verdict_of(c));
    json_object_begin(&j, "difference");
    json_number(&j, "estimate", c->difference.estimate);
    json_number(&j, "low", c->difference.low);
    json_number(&j, "high", c->difference.high);
    json_text(&j, "basis", c->by_time ? "time" : "counters");
    json_object_end(&j);
    for (int side = 0; side < 2; side++)
        scale_put_object(
            &j, side == 0 ? "a" : "b", results[side], &(struct scale_view){.name = s->names[side], .setup = s->setup});
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

static int show(const struct scale_sides *s, struct growth_result *const results[2])
{
    CLEANUP(buffer_release) struct buffer out;
    struct growth_change change;
    buffer_init(&out, OUTPUT_MAX);
    growth_compare(results[0], results[1], &change);
    if (s->json)
        put_json(&out, s, results, &change);
    else
        put_text(&out, s, results, &change);
    int status = cmd_print(STDOUT_FILENO, &out);
    if (status != CMD_OK)
        return status;
    return results[0]->interrupted || results[1]->interrupted ? CMD_INTERRUPTED
           : !change.settled                                  ? CMD_UNSETTLED
           : change.rose                                      ? CMD_NO
                                                              : CMD_OK;
}

static int measure_side(struct prove_runner *runner, const struct scale_sides *s, int side,
    const struct growth_options *how, struct keep *keep, struct growth_result **ret, struct error *e)
{
    struct prove_subject *subject = NULL;
    struct prove_subject_options given = {.python = s->python, .setup = s->setup};
    int r = prove_subject_new(s->names[side], &given, &subject, e);
    if (r == 0 && subject->kind != PROVE_FUNCTION)
        r = error_set(
            e, EINVAL, "'%.100s' is not a function: --growth takes MODULE:NAME or FILE.py:NAME", s->names[side]);
    if (r == 0)
        r = growth_measure(runner, subject, how, ret, e);
    if (r == 0 && !(*ret)->interrupted)
        scale_keep(keep, runner, subject, *ret);
    prove_subject_free(subject);
    return r;
}

int scale_compare(const struct scale_sides *s)
{
    struct growth_result *results[2] = {NULL, NULL};
    struct prove_runner *runner = NULL;
    struct error e;
    struct growth_options how = {
        .budget_ns = (s->budget_ns != 0 ? s->budget_ns : BUDGET_NS) / 2,
        .timeout_ns = s->timeout_ns,
        .progress = scale_show_progress,
    };
    if (s->sizes != NULL && scale_parse_sizes(s->sizes, how.sizes, &how.size_count, &e) < 0)
        return cmd_fail_text(CMD_USAGE, "prove: %s", e.text);
    int r = prove_runner_open(&runner, &e);
    if (r == 0)
        prove_runner_watch(runner, waiting_watch_interrupts());
    struct keep keep = {.path = NULL};
    int status = r == 0 ? keep_open(&s->keep, runner, &keep) : CMD_OK;
    if (status != CMD_OK) {
        prove_runner_close(runner);
        return status;
    }
    for (int side = 0; r == 0 && side < 2; side++)
        r = measure_side(runner, s, side, &how, &keep, &results[side], &e);
    waiting_hide();
    keep_release(&keep);
    prove_runner_close(runner);
    status = r == -ECANCELED                                     ? CMD_INTERRUPTED
             : r < 0 || results[0] == NULL || results[1] == NULL ? cmd_fail(CMD_FAILED, &e)
                                                                 : show(s, results);
    growth_free(results[0]);
    growth_free(results[1]);
    return status;
}
