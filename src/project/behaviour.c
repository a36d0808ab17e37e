/* Is the program still right? Before against after on fresh inputs; and the learner's own check, on after and on copies
 * of it that are broken on purpose. */
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
#define RUN_NS (60 * SECOND)     /* one run of the program */
#define BROKEN_NS (15 * SECOND)  /* one of a broken copy, on a small input */
#define CHECK_NS (120 * SECOND)  /* one of the learner's check */
#define CHECKS_NS (300 * SECOND) /* all of them on broken copies */
#define TRIES_MAX 24u            /* copies that are run to find those that behave differently */
#define ALLOWED (SANDBOX_FORK | SANDBOX_THREADS)

static void free_json(json_t **root)
{
    json_decref(*root);
}

/* ---- inputs ---- */

/* The words of `make`, with another seed and size behind --seed and --size. */
static void change_words(
    const struct project_manifest *m, const char *seed, const char *size, const char *ret[PROJECT_WORDS_MAX + 1])
{
    size_t count = 0;
    for (size_t i = 1; i < m->make.count; i++) {
        const char *before = i > 1 ? m->make.items[i - 1] : "";
        ret[count++] = strcmp(before, "--seed") == 0 ? seed : strcmp(before, "--size") == 0 ? size : m->make.items[i];
    }
    ret[count] = NULL;
}

/* The files of the project's folder that the program reads. */
static int take_given(struct project *p, struct input_set *ret)
{
    for (size_t i = 0; i < p->manifest.inputs.count; i++) {
        const char *name = p->manifest.inputs.items[i];
        const struct file *f = files_find(&p->tools, name);
        if (f == NULL)
            return error_set(p->e, ENOENT,
                "project.json: the input %.80s is not in the project's folder, or larger than %u KB", name,
                PROJECT_FILE_MAX >> 10);
        if (ret->count == INPUTS_MAX)
            return error_set(p->e, E2BIG, "project.json: more than %u inputs", INPUTS_MAX);
        struct input *in = &ret->items[ret->count++];
        snprintf(in->name, sizeof(in->name), "%s", name);
        buffer_init(&in->data, INPUT_MAX);
        if (buffer_append(&in->data, f->data, f->size) < 0)
            return error_set(p->e, ENOMEM, "out of memory");
    }
    return 0;
}

int behaviour_make(struct project *p, uint64_t seed, double size, struct input_set *ret)
{
    const char *words[PROJECT_WORDS_MAX + 1];
    char seed_text[24], size_text[32], script[PROJECT_WORD_MAX + 16];
    struct input_set given = {.count = 0};
    struct ran ran;
    ret->count = 0;
    int r = take_given(p, &given);
    if (r < 0 || p->manifest.make.count == 0) {
        *ret = given;
        return r;
    }
    snprintf(seed_text, sizeof(seed_text), "%llu", (unsigned long long)seed);
    snprintf(size_text, sizeof(size_text), "%.6g", size);
    change_words(&p->manifest, seed_text, size_text, words);
    snprintf(script, sizeof(script), "before/%s", p->manifest.make.items[0]);
    const struct job job = {
        .script = script, .words = words, .inputs = &given, .wall_ns = RUN_NS, .hash_seed = 1, .as_user = p->own};
    r = place_run(p, &job, &ran);
    if (r == 0 && ran.status != 0)
        r = error_set(p->e, EBADMSG, "'make' of project.json failed: %s", ran.why);
    ran_release(&ran);
    input_set_release(&given);
    if (r == 0)
        r = place_read_inputs(p, ret);
    if (r < 0)
        input_set_release(ret);
    return r;
}

/* ---- before against after ---- */

/* In the folder `name`; the status is in ran. */
static int run_program(struct project *p, const char *name, const struct input_set *in, uint64_t wall_ns,
    uint32_t hash_seed, struct ran *ran)
{
    char script[PROJECT_WORD_MAX + 32];
    snprintf(script, sizeof(script), "%s/%s", name, p->manifest.command.items[0]);
    const struct job job = {
        .script = script,
        .words = p->manifest.command.items + 1,
        .inputs = in,
        .files = &p->manifest.behaviour,
        .wall_ns = wall_ns,
        .hash_seed = hash_seed,
        .as_user = p->own,
    };
    return place_run(p, &job, ran);
}

static void put_case(const struct case_result *c, char *ret, size_t size)
{
    if (isnan(c->size))
        snprintf(ret, size, "on its input");
    else
        snprintf(ret, size, "with seed %llu, size %.4g", (unsigned long long)c->seed, c->size);
}

/* Both sides, with hash seeds of their own: what hangs on the order of sets is no behaviour. */
static int compare(struct project *p, const struct input_set *in, struct case_result *c)
{
    static const char *const names[SIDES] = {"before", "after"};
    char where[80];
    put_case(c, where, sizeof(where));
    c->same = true;
    for (int side = 0; side < SIDES; side++) {
        struct ran ran;
        int r = run_program(p, names[side], in, RUN_NS, (uint32_t)(random_next(&p->random) >> 33), &ran);
        if (r == 0)
            memcpy(c->digests[side], ran.digest, sizeof(ran.digest));
        if (r == 0 && ran.status != 0) {
            c->same = false;
            snprintf(p->wrong, sizeof(p->wrong), "%s/%s fails %s: %s", names[side], p->manifest.command.items[0], where,
                ran.why);
            r = side == BEFORE ? error_set(p->e, EBADMSG, "%.400s", p->wrong) : 0;
        }
        ran_release(&ran);
        if (r < 0 || !c->same)
            return r;
    }
    c->same = strcmp(c->digests[BEFORE], c->digests[AFTER]) == 0;
    if (!c->same && p->wrong[0] == '\0')
        snprintf(p->wrong, sizeof(p->wrong), "%s after/%s behaves differently", where, p->manifest.command.items[0]);
    return 0;
}

static int compare_case(struct project *p, uint64_t seed, double size)
{
    struct case_result *c = &p->cases[p->case_count];
    struct input_set in;
    project_progress(p, "behaviour");
    *c = (struct case_result){.seed = seed, .size = p->has_size || p->has_seed ? size : NAN};
    int r = behaviour_make(p, seed, size, &in);
    if (r < 0)
        return r;
    r = compare(p, &in, c);
    input_set_release(&in);
    if (r == 0) {
        p->case_count++;
        p->right = p->right && c->same;
    }
    return r;
}

static uint64_t draw_seed(struct project *p)
{
    return 2 + (random_next(&p->random) >> 44); /* easily typed again */
}

static int compare_all(struct project *p)
{
    const double sizes[] = {0.05, 0.1, 0.2, 0.3};
    p->right = true;
    int r = compare_case(p, p->seed, p->size);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sizes) && (p->has_seed || p->has_size); i++)
        r = compare_case(p, p->has_seed ? draw_seed(p) : p->seed, p->has_size ? p->size * sizes[i] : p->size);
    p->compared = r == 0;
    return r;
}

/* ---- the learner's check ---- */

/* check BEFORE AFTER; the input of project.json lies in its folder. */
static int run_check(struct project *p, const char *after, const struct input_set *in, struct tried *ret)
{
    const char *words[PROJECT_WORDS_MAX + 3];
    char script[PROJECT_WORD_MAX + 16], folders[SIDES][PATH_MOST];
    size_t count = 0;
    int r = place_path(p, folders[BEFORE], "before");
    if (r == 0)
        r = place_path(p, folders[AFTER], after);
    if (r < 0)
        return r;
    for (size_t i = 1; i < p->manifest.check.count; i++)
        words[count++] = p->manifest.check.items[i];
    words[count++] = folders[BEFORE];
    words[count++] = folders[AFTER];
    words[count] = NULL;
    snprintf(script, sizeof(script), "tools/%s", p->manifest.check.items[0]);
    const struct job job = {.script = script,
        .words = words,
        .inputs = in,
        .wall_ns = CHECK_NS,
        .allow = ALLOWED,
        .hash_seed = 1,
        .as_user = p->own};
    return place_try(p, &job, ret);
}

/* Does this copy end well, and differently from before, on both inputs? */
static int behaves_otherwise(struct project *p, const struct input_set in[2], bool *ret)
{
    *ret = true;
    for (int i = 0; *ret && i < 2; i++) {
        struct ran right, broken;
        int r = run_program(p, "before", &in[i], RUN_NS, 1, &right);
        if (r == 0) {
            r = run_program(p, "broken", &in[i], BROKEN_NS, 1, &broken);
            *ret = r == 0 && broken.status == 0 && strcmp(right.digest, broken.digest) != 0;
            ran_release(&broken);
        }
        ran_release(&right);
        if (r < 0)
            return r;
    }
    return 0;
}

static int try_copies(struct project *p, const json_t *copies, size_t file, const struct input_set small[2],
    const struct input_set *in, uint64_t until_ns)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < json_array_size(copies) && i < TRIES_MAX && p->broken < BROKEN_MAX; i++) {
        const json_t *copy = json_array_get(copies, i);
        const char *text = json_string_value(json_object_get(copy, "text"));
        struct tried check = {.run = false};
        bool other = false;
        if (text == NULL || clock_monotonic_ns() > until_ns)
            break;
        project_progress(p, "broken copies");
        r = place_folder(p, "broken", &p->sides[AFTER], file, text);
        if (r == 0)
            r = behaves_otherwise(p, small, &other);
        if (r == 0 && other)
            r = run_check(p, "broken", in, &check);
        if (r < 0 || !check.run)
            continue;
        p->broken++;
        if (check.status > 0)
            p->caught++;
        else
            snprintf(p->escaped, sizeof(p->escaped), "%s in line %d of after/%s%s",
                json_string_value(json_object_get(copy, "what")),
                (int)json_integer_value(json_object_get(copy, "line")), p->sides[AFTER].items[file].name,
                check.status < 0 ? ", on which your check did not end" : "");
    }
    return r;
}

/* Only of supplied programs: a changed copy of one that writes where it likes could do anything. */
static int check_broken(struct project *p, const struct input_set *in)
{
    CLEANUP(buffer_release) struct buffer answer;
    CLEANUP(free_json) json_t *copies = NULL;
    struct input_set small[2] = {{.count = 0}, {.count = 0}};
    size_t file = 0;
    buffer_init(&answer, SANDBOX_ANSWER);
    while (strcmp(p->sides[AFTER].items[file].name, p->manifest.command.items[0]) != 0)
        file++;
    int r = 0;
    for (int i = 0; r == 0 && i < 2; i++)
        r = behaviour_make(p, draw_seed(p), p->size * (i == 0 ? 0.1 : 0.2), &small[i]);
    if (r == 0)
        r = place_alter(p, "break", p->sides[AFTER].items[file].data, p->sides[AFTER].items[file].size, &answer);
    if (r == 0) {
        copies = json_loadb((const char *)answer.data, answer.size, 0, NULL);
        r = try_copies(p, copies, file, small, in, clock_monotonic_ns() + CHECKS_NS);
    }
    if (r == -EBADMSG)
        r = 0;
    if (p->broken == 0)
        snprintf(p->unbroken, sizeof(p->unbroken),
            "no change of one operator or number in after/%s made a copy that "
            "ends well and behaves differently",
            p->manifest.command.items[0]);
    input_set_release(&small[0]);
    input_set_release(&small[1]);
    return r;
}

int behaviour_check(struct project *p)
{
    struct input_set in = {.count = 0};
    int r = compare_all(p);
    if (r < 0 || !p->right || p->manifest.check.count == 0)
        return r;
    if (files_find(&p->tools, p->manifest.check.items[0]) == NULL)
        return 0;
    project_progress(p, "your check");
    r = behaviour_make(p, p->seed, p->size, &in);
    if (r == 0)
        r = run_check(p, "after", &in, &p->check);
    if (r == 0 && p->own)
        snprintf(p->unbroken, sizeof(p->unbroken),
            "a broken copy of a program of your own is not run: it could do anything to your files. Show in the report "
            "one that your check refuses");
    else if (r == 0 && p->check.status == 0)
        r = check_broken(p, &in);
    input_set_release(&in);
    return r;
}
