/* How much faster, and would a slowdown be noticed: the verdict of room `prove` on two sizes, an A/A run, and the
 * learner's gate on a copy that is slowed and on one that is not. All of it runs as the user, as `prove` and the gate
 * do. */
#include "project/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>
#undef json_boolean

#define SECOND UINT64_C(1000000000)
#define BUDGET_NS (60 * SECOND)
#define RUN_NS (60 * SECOND)
#define GATE_NS (180 * SECOND)
#define SECOND_SIZE 0.5
#define GATE_TRIES 2 /* of one that says neither */

/* python -s -B PLACE/SIDE/program words, in run/ */
static int make_subject(struct project *p, const char *side, struct prove_subject **ret)
{
    char script[PATH_MOST], folder[PATH_MOST], name[PROJECT_WORD_MAX + 32];
    char *argv[PROJECT_WORDS_MAX + 6];
    size_t count = 0;
    snprintf(name, sizeof(name), "%s/%s", side, p->manifest.command.items[0]);
    int r = place_path(p, script, name);
    if (r == 0)
        r = place_path(p, folder, "run");
    if (r < 0)
        return r;
    argv[count++] = (char *)(uintptr_t)p->o->python;
    argv[count++] = (char *)"-s";
    argv[count++] = (char *)"-B";
    argv[count++] = script;
    for (size_t i = 1; i < p->manifest.command.count; i++)
        argv[count++] = (char *)(uintptr_t)p->manifest.command.items[i];
    argv[count] = NULL;
    const char *kept = arena_strndup(&p->arena, folder, strlen(folder));
    if (kept == NULL)
        return error_set(p->e, ENOMEM, "out of memory");
    const struct prove_subject_options options = {.python = p->o->python, .folder = kept};
    return prove_subject_new_command(argv, &options, ret, p->e);
}

static void on_progress(void *context, const struct prove_progress *now)
{
    char stage[120];
    snprintf(stage, sizeof(stage), "timing: %s, %llu runs, %.0f of %.0f s", now->stage, (unsigned long long)now->runs,
        (double)now->spent_ns / 1e9, (double)now->budget_ns / 1e9);
    project_progress(context, stage);
}

static int compare(
    struct project *p, const char *a, const char *b, double size, uint64_t budget_ns, struct experiment_result *ret)
{
    struct prove_subject *subjects[2] = {NULL, NULL};
    struct input_set in = {.count = 0};
    const struct prove_options options = {
        .metric = p->manifest.metric,
        .same = STATS_EQUIVALENCE,
        .budget_ns = budget_ns,
        .timeout_ns = RUN_NS,
        .seed = 1 + (random_next(&p->random) >> 33),
        .same_output = p->manifest.behaviour.count == 0,
        .stop = p->o->stop,
        .progress = p->o->progress == NULL ? NULL : on_progress,
        .context = p,
    };
    int r = behaviour_make(p, p->seed, size, &in);
    if (r == 0)
        r = place_inputs(p, &in);
    if (r == 0)
        r = make_subject(p, a, &subjects[0]);
    if (r == 0)
        r = make_subject(p, b, &subjects[1]);
    for (int i = 0; r == 0 && i < 2; i++)
        r = prove_subject_resolve(p->runner, subjects[i], p->e);
    if (r == 0) {
        struct error e = {""};
        ret->size = size;
        int ran = prove_experiment(p->runner, subjects[0], subjects[1], &options, &ret->result, &e);
        ret->done = ran == 0 && !ret->result.interrupted;
        if (ran < 0) /* it failed, hung, or printed something else: of this comparison, not of the check */
            snprintf(ret->why, sizeof(ret->why), "%.290s", e.text);
        if ((ran == 0 && ret->result.interrupted) || project_stopped(p))
            r = error_set(p->e, ECANCELED, "interrupted");
    }
    prove_subject_free(subjects[0]);
    prove_subject_free(subjects[1]);
    input_set_release(&in);
    return r;
}

/* ---- the gate ---- */

/* gate BASE CANDIDATE, in a folder with the input: 0 lets it pass, 1 fails it, anything else says neither. */
static int run_gate(struct project *p, const char *candidate, const struct input_set *in, struct tried *ret)
{
    const char *words[PROJECT_WORDS_MAX + 3];
    char script[PROJECT_WORD_MAX + 16], folders[2][PATH_MOST];
    const char *first = p->manifest.gate.items[0];
    size_t count = 0;
    int r = place_path(p, folders[0], "after");
    if (r == 0)
        r = place_path(p, folders[1], candidate);
    if (r < 0)
        return r;
    for (size_t i = 1; i < p->manifest.gate.count; i++) {
        /* A script of the project's folder: sh gate.sh */
        const char *word = p->manifest.gate.items[i];
        char *path = files_find(&p->tools, word) == NULL ? NULL : arena_alloc(&p->arena, PATH_MOST);
        if (path != NULL)
            snprintf(path, PATH_MOST, "%s/tools/%s", p->place, word);
        words[count++] = path != NULL ? path : word;
    }
    words[count++] = folders[0];
    words[count++] = folders[1];
    words[count] = NULL;
    bool ours = files_find(&p->tools, first) != NULL;
    snprintf(script, sizeof(script), "%s%s", ours ? "tools/" : "", first);
    for (int i = 0; r == 0 && i < GATE_TRIES && !(ret->run && (ret->status == 0 || ret->status == 1)); i++) {
        const struct job job = {
            .script = script, .words = words, .inputs = in, .wall_ns = GATE_NS, .hash_seed = 1, .as_user = true};
        r = place_try(p, &job, ret);
    }
    return r;
}

static void free_json(json_t **root)
{
    json_decref(*root);
}

/* after/ with the slowdown in its program's file. */
static int plant(struct project *p)
{
    CLEANUP(buffer_release) struct buffer answer;
    CLEANUP(free_json) json_t *text = NULL;
    size_t file = 0;
    buffer_init(&answer, SANDBOX_ANSWER);
    while (strcmp(p->sides[AFTER].items[file].name, p->manifest.command.items[0]) != 0)
        file++;
    int r = place_alter(p, "plant", p->sides[AFTER].items[file].data, p->sides[AFTER].items[file].size, &answer);
    if (r == 0)
        text = json_loadb((const char *)answer.data, answer.size, JSON_DECODE_ANY, NULL);
    if (r < 0 || !json_is_string(text))
        return r == -EBADMSG ? 0 : r;
    r = place_folder(p, "slow", &p->sides[AFTER], file, json_string_value(text));
    p->planted = r == 0;
    return r;
}

static int check_gate(struct project *p)
{
    struct input_set in = {.count = 0};
    const char *first = p->manifest.gate.count > 0 ? p->manifest.gate.items[0] : "";
    size_t size = strlen(first);
    /* A Python file that is not there is no command either. */
    if (size == 0 || (size > 3 && strcmp(first + size - 3, ".py") == 0 && files_find(&p->tools, first) == NULL))
        return 0;
    project_progress(p, "your gate");
    int r = plant(p);
    if (r == 0)
        r = behaviour_make(p, p->seed, p->size, &in);
    if (r == 0)
        r = run_gate(p, "equal", &in, &p->gate_equal);
    if (r == 0 && p->planted)
        r = run_gate(p, "slow", &in, &p->gate_slow);
    input_set_release(&in);
    return r;
}

int timing_check(struct project *p)
{
    uint64_t budget_ns = p->o->budget_ns != 0 ? p->o->budget_ns : BUDGET_NS;
    int r = place_folder(p, "equal", &p->sides[AFTER], FILES_ALL, NULL);
    if (r == 0)
        r = compare(p, "before", "after", p->size, budget_ns, &p->verdict);
    if (r == 0 && p->has_size)
        r = compare(p, "before", "after", p->size * SECOND_SIZE, budget_ns / 2, &p->second);
    if (r == 0)
        r = compare(p, "after", "equal", p->size, budget_ns / 2, &p->same);
    return r < 0 ? r : check_gate(p);
}
