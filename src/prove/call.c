/* One process of a subject: the command as it is, or a python that runs the harness; and what comes back. */
#include "prove/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

enum {
    BATCH_NS = 50000000,
    BATCHES = 5,
    BATCHES_MAX = 1000000, /* in an answer */
    ERROR_TEXT = 500,
};

void subject_call_release(struct subject_call *c)
{
    buffer_release(&c->text);
    buffer_release(&c->spec);
}

static int call_harness(
    struct subject_call *c, const struct prove_subject *s, const char *driver, const char *extra, struct error *e)
{
    struct json j = {.out = &c->spec};
    buffer_append_string(&c->text, prove_harness_subject);
    buffer_append_byte(&c->text, '\n');
    buffer_append_string(&c->text, driver);
    json_object_begin(&j, NULL);
    json_write_integer(&j, "fd", PROVE_ANSWER_FD);
    json_text(&j, "target", s->name);
    if (s->options.setup)
        json_text(&j, "setup", s->options.setup);
    if (s->options.args)
        json_text(&j, "args", s->options.args);
    if (s->options.names) {
        buffer_append_string(&c->spec, ",\"names\":");
        buffer_append_string(&c->spec, s->options.names);
    }
    if (extra && *extra) {
        buffer_append_byte(&c->spec, ',');
        buffer_append_string(&c->spec, extra);
    }
    json_object_end(&j);
    if (c->text.failed || c->spec.failed)
        return error_set(e, ENOMEM, "out of memory");
    c->argv[0] = s->argv[0];
    c->argv[1] = (char *)(uintptr_t) "-c";
    c->argv[2] = (char *)(uintptr_t)buffer_text(&c->text);
    c->argv[3] = (char *)(uintptr_t)buffer_text(&c->spec);
    c->process.argv = c->argv;
    c->process.answers = true;
    return 0;
}

int subject_call_init(struct subject_call *c, const struct prove_subject *s, const char *driver, const char *extra,
    const struct prove_process *how, struct error *e)
{
    *c = (struct subject_call){.process = *how};
    buffer_init(&c->text, SPLIT_MAX);
    buffer_init(&c->spec, SPLIT_MAX);
    c->process.argv = s->argv;
    c->process.folder = s->options.folder;
    c->process.environment = s->options.environment;
    c->process.input = s->options.input;
    return s->kind == PROVE_FUNCTION ? call_harness(c, s, driver, extra, e) : 0;
}

int subject_batch_call_init(struct subject_call *c, const struct prove_subject *s,
    const struct prove_batch_options *options, const struct prove_process *how, struct error *e)
{
    static const struct prove_batch_options none;
    const struct prove_batch_options *o = options ? options : &none;
    char extra[200];

    snprintf(extra, sizeof(extra), "\"loops\":%llu,\"batch\":%.9f,\"batches\":%u,\"value\":%s,\"shares\":%s",
        (unsigned long long)o->loops, (double)(o->batch_ns ? o->batch_ns : BATCH_NS) / 1e9,
        o->batches ? o->batches : BATCHES, o->value ? "true" : "false", o->shares ? "true" : "false");
    return subject_call_init(c, s, prove_harness_measure, extra, how, e);
}

/* ---- the answer ---- */

static json_t *answer_load(const char *text, size_t size, struct error *e)
{
    json_t *answer = size ? json_loadb(text, size, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    const char *kind = json_string_value(json_object_get(answer, "error"));
    const char *line = json_string_value(json_object_get(answer, "text"));
    if (!json_is_object(answer)) {
        json_decref(answer);
        error_set(e, EBADMSG,
            "its process ended without an answer: does it end the interpreter, or close descriptor %d?",
            PROVE_ANSWER_FD);
        return NULL;
    }
    if (!kind)
        return answer;
    error_set(e, EINVAL, "%.*s", ERROR_TEXT, line ? line : kind);
    json_decref(answer);
    return NULL;
}

int subject_check(const struct prove_subject *s, const struct prove_run *run, struct error *e)
{
    int r = prove_run_check(run, s->name, e);
    if (r < 0 || s->kind != PROVE_FUNCTION)
        return r;
    json_t *answer = answer_load((const char *)run->answer.data, run->answer.size, e);
    if (!answer)
        return -EINVAL;
    json_decref(answer);
    return 0;
}

/* Seconds, each finite and not negative. */
static bool read_times(const json_t *list, double *into, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        into[i] = json_number_value(json_array_get(list, i));
        if (!isfinite(into[i]) || into[i] < 0)
            return false;
    }
    return true;
}

static int read_batches(const json_t *answer, uint64_t begun_ns, struct prove_batches *ret)
{
    const json_t *wall = json_object_get(answer, "wall"), *cpu = json_object_get(answer, "cpu");
    const char *value = json_string_value(json_object_get(answer, "value"));
    const char *hash = json_string_value(json_object_get(answer, "value_hash"));
    json_int_t loops = json_integer_value(json_object_get(answer, "loops"));
    double ready = json_number_value(json_object_get(answer, "ready")) * 1e9;
    size_t count = json_array_size(wall);

    if (count == 0 || count > BATCHES_MAX || json_array_size(cpu) != count || loops <= 0 ||
        !(ready >= 0 && ready < 9e18))
        return -EBADMSG;
    struct prove_batches b = {.loops = (uint64_t)loops, .count = count};
    b.start = ready > (double)begun_ns ? (uint64_t)ready - begun_ns : 0;
    b.wall = calloc(2 * count, sizeof(*b.wall));
    b.value = strdup(value ? value : "");
    b.value_hash = hash ? strtoull(hash, NULL, 16) : 0;
    if (!b.wall || !b.value) {
        prove_batches_release(&b);
        return -ENOMEM;
    }
    b.cpu = b.wall + count;
    if (!read_times(wall, b.wall, count) || !read_times(cpu, b.cpu, count)) {
        prove_batches_release(&b);
        return -EBADMSG;
    }
    *ret = b;
    return 0;
}

int batches_parse(const char *text, size_t size, uint64_t begun_ns, struct prove_batches *ret, struct error *e)
{
    json_t *answer = answer_load(text, size, e);
    if (!answer)
        return -EINVAL;
    int r = read_batches(answer, begun_ns, ret);
    json_decref(answer);
    if (r == -EBADMSG)
        error_set(e, EBADMSG, "its process answered something else than times: does it write to descriptor %d?",
            PROVE_ANSWER_FD);
    else if (r < 0)
        error_set(e, -r, "out of memory");
    return r;
}

void prove_batches_release(struct prove_batches *b)
{
    free(b->wall);
    free(b->value);
    *b = (struct prove_batches){0};
}

/* A command's process is one batch of one call. */
static int batch_of_command(const struct prove_run *run, struct prove_batches *ret, struct error *e)
{
    double *times = calloc(2, sizeof(*times));
    char *value = strdup("");
    if (!times || !value) {
        free(times);
        free(value);
        return error_set(e, ENOMEM, "out of memory");
    }
    times[0] = (double)run->wall_ns / 1e9;
    times[1] = (double)(run->user_ns + run->system_ns) / 1e9;
    *ret = (struct prove_batches){.loops = 1, .wall = times, .cpu = times + 1, .count = 1, .value = value};
    return 0;
}

int subject_read(const struct prove_subject *s, const struct prove_run *run, struct prove_batches *ret, struct error *e)
{
    int r = prove_run_check(run, s->name, e);
    if (r < 0)
        return r;
    if (s->kind == PROVE_COMMAND)
        return batch_of_command(run, ret, e);
    r = batches_parse((const char *)run->answer.data, run->answer.size, run->begun_ns, ret, e);
    if (r < 0)
        error_prefix(e, "%.200s", s->name);
    return r;
}

/* ---- one run ---- */

int prove_harness_run(struct prove_runner *r, const struct prove_subject *s, const char *driver, const char *extra,
    const struct prove_process *how, struct prove_run *ret, struct error *e)
{
    struct subject_call call;
    struct prove_run run;
    int result = subject_call_init(&call, s, driver, extra, how, e);
    if (result == 0)
        result = prove_run(r, &call.process, 1, &run, e);
    subject_call_release(&call);
    if (result < 0)
        return result;
    result = subject_check(s, &run, e);
    if (result == 0)
        *ret = run;
    else
        prove_run_release(&run);
    return result;
}

int prove_subject_run(struct prove_runner *r, const struct prove_subject *s, const struct prove_batch_options *options,
    const struct prove_process *how, struct prove_batches *ret, struct prove_run *ret_run, struct error *e)
{
    struct subject_call call;
    struct prove_run run;
    int result = subject_batch_call_init(&call, s, options, how, e);
    if (result == 0)
        result = prove_run(r, &call.process, 1, &run, e);
    subject_call_release(&call);
    if (result < 0)
        return result;
    result = subject_read(s, &run, ret, e);
    if (result == 0 && ret_run)
        *ret_run = run;
    else
        prove_run_release(&run);
    return result;
}
