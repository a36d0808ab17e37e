/*
 * Runs one program in the sandbox of src/sandbox and prints what happened, as JSON, for tests/e2e/test_sandbox.py.
 *
 * usage: run_in_sandbox --probe
 *        run_in_sandbox [NAME=VALUE]... -- INTERPRETER [ARGUMENT]...
 * NAME: level, least, folder, scratch, read (repeatable; none: what the interpreter says), env (repeatable, K=V), allow
 * (bits), cpu, wall_ms, cpu_ms, linger_ms, memory, file, disk, text, answer, processes, keep, pss, ready, secret (a
 * word kept in our memory). The input is stdin.
 */
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 64
#define OUTPUT_MAX ((size_t)256 << 20)

static char *env[WORDS_MAX + 1];
static const char *readable[WORDS_MAX + 1];
static cpu_set_t cpus;
static size_t env_count, readable_count;

static bool take(struct sandbox_spec *s, const char *name, char *value)
{
    uint64_t number = strtoull(value, NULL, 0);
    const struct {
        const char *name;
        uint64_t *into, unit;
    } numbers[] = {
        {"wall_ms", &s->limits.wall_ns, 1000000},
        {"cpu_ms", &s->limits.cpu_ns, 1000000},
        {"linger_ms", &s->limits.linger_ns, 1000000},
        {"memory", &s->limits.memory, 1},
        {"file", &s->limits.file, 1},
        {"disk", &s->limits.disk, 1},
        {"text", &s->limits.text, 1},
        {"answer", &s->limits.answer, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].into = number * numbers[i].unit;
            return true;
        }
    if (strcmp(name, "read") == 0 && readable_count < WORDS_MAX)
        readable[readable_count++] = value;
    else if (strcmp(name, "env") == 0 && env_count < WORDS_MAX)
        env[env_count++] = value;
    else if (strcmp(name, "folder") == 0)
        s->folder = value;
    else if (strcmp(name, "scratch") == 0)
        s->scratch = value;
    else if (strcmp(name, "level") == 0)
        s->level_most = (int)number;
    else if (strcmp(name, "least") == 0)
        s->level_least = (int)number;
    else if (strcmp(name, "allow") == 0)
        s->allow = (uint32_t)number;
    else if (strcmp(name, "cpu") == 0 && number < CPU_SETSIZE) {
        CPU_SET(number, &cpus);
        s->cpus = &cpus;
    } else if (strcmp(name, "processes") == 0)
        s->limits.processes = (uint32_t)number;
    else if (strcmp(name, "keep") == 0)
        s->keep_scratch = number != 0;
    else if (strcmp(name, "pss") == 0)
        s->sum_pss = number != 0;
    else if (strcmp(name, "ready") == 0)
        s->input_when_ready = number != 0;
    else
        return strcmp(name, "secret") == 0;
    return true;
}

static int read_input(struct buffer *into) /* not by /dev/stdin: another user's pipe cannot be opened again */
{
    char piece[4096];
    ssize_t n;
    while ((n = read(STDIN_FILENO, piece, sizeof(piece))) > 0)
        buffer_append(into, piece, (size_t)n);
    return n < 0 || into->failed ? -1 : 0;
}

static int print(struct json *j)
{
    json_object_end(j);
    buffer_append_byte(j->out, '\n');
    return j->out->failed || file_write_all(STDOUT_FILENO, j->out->data, j->out->size) < 0 ? 3 : 0;
}

static int print_ladder(const struct sandbox_ladder *l, struct json *j)
{
    json_object_begin(j, NULL);
    json_integer(j, "level", l->level);
    json_integer(j, "landlock_abi", l->landlock_abi);
    json_boolean(j, "group_memory", l->group_memory);
    json_boolean(j, "group_pids", l->group_pids);
    json_array_begin(j, "layers");
    for (int i = 0; i < SANDBOX_LAYERS; i++) {
        json_object_begin(j, NULL);
        json_boolean(j, "have", l->have[i]);
        json_text(j, "why_not", l->why_not[i]);
        json_object_end(j);
    }
    json_array_end(j);
    return print(j);
}

static int print_result(const struct sandbox_result *r, struct json *j)
{
    const struct answer *a = &r->answer;
    char kind[2] = {a->kind, '\0'};
    json_object_begin(j, NULL);
    json_integer(j, "end", r->end);
    json_text(j, "end_text", sandbox_end_text(r->end));
    json_boolean(j, "ended", r->ended);
    json_integer(j, "status", r->status);
    json_integer(j, "exec_ns", (int64_t)r->exec_ns);
    json_integer(j, "end_ns", (int64_t)r->end_ns);
    json_integer(j, "ready_ns", (int64_t)a->ready_ns);
    json_integer(j, "whole_ns", (int64_t)a->whole_ns);
    json_integer(j, "user_ns", (int64_t)r->user_ns);
    json_integer(j, "sys_ns", (int64_t)r->sys_ns);
    json_integer(j, "queued_ns", (int64_t)r->queued_ns);
    json_integer(j, "group_cpu_ns", (int64_t)r->group_cpu_ns);
    json_integer(j, "peak", (int64_t)r->peak);
    json_integer(j, "alive_at_answer", r->alive_at_answer);
    json_integer(j, "cpu_after_answer", (int64_t)r->cpu_after_answer);
    json_integer(j, "shared_left", r->shared_left);
    json_boolean(j, "scratch_gone", r->scratch_gone);
    json_boolean(j, "unkillable", r->unkillable);
    json_integer(j, "level", r->level);
    json_integer(j, "layers", r->layers);
    json_integer(j, "allowed", r->allowed);
    json_text(j, "why_level", r->why_level);
    json_text(j, "broken", a->broken ? a->broken : "");
    json_text(j, "kind", kind);
    json_string(j, "payload", (const char *)a->payload.data, a->payload.size);
    json_array_begin(j, "progress");
    for (size_t i = 0; i < a->progress_count; i++)
        json_string(j, NULL, (const char *)a->digests.data + a->progress[i].offset, a->progress[i].size);
    json_array_end(j);
    json_string(j, "out", (const char *)r->out.data, r->out.size);
    json_string(j, "err", (const char *)r->err.data, r->err.size);
    return print(j);
}

int main(int argc, char **argv)
{
    struct sandbox_spec spec = {.env = env, .readable = readable, .level_most = SANDBOX_LEVEL_BEST};
    struct sandbox_ladder ladder;
    struct sandbox_result result;
    struct error e = {""};
    CLEANUP(buffer_release) struct buffer input, output;
    buffer_init(&input, OUTPUT_MAX);
    buffer_init(&output, OUTPUT_MAX);
    struct json j = {.out = &output};
    if (sandbox_probe(&ladder, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 3;
    }
    if (argc == 2 && strcmp(argv[1], "--probe") == 0)
        return print_ladder(&ladder, &j);
    static char grader[32];
    snprintf(grader, sizeof(grader), "GRADER=%d", (int)getpid());
    env[env_count++] = grader;
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char *value = strchr(argv[i], '=');
        if (value)
            *value++ = '\0';
        if (!value || !take(&spec, argv[i], value)) {
            fprintf(stderr, "unknown word: %s\n", argv[i]);
            return 2;
        }
    }
    spec.argv = i < argc ? argv + i + 1 : NULL;
    if (read_input(&input) < 0) {
        fprintf(stderr, "cannot read the input\n");
        return 3;
    }
    spec.input = input.data;
    spec.input_size = input.size;
    CLEANUP(sandbox_interpreter_release) struct sandbox_interpreter python = {0};
    if (readable_count == 0 && spec.argv && spec.argv[0]) { /* else told what it may read: no Python, perhaps */
        if (sandbox_interpreter_find(spec.argv[0], &python, &e) < 0) {
            fprintf(stderr, "%s\n", e.text);
            return 3;
        }
        argv[i + 1] = python.path;
        spec.readable = (const char *const *)python.readable;
    }
    if (sandbox_run(&spec, &ladder, &result, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 3;
    }
    int status = print_result(&result, &j);
    sandbox_result_release(&result);
    return status;
}
