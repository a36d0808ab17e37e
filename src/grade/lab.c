/* Reads a lab's manifest. It may be anybody's: each field is checked here, and nothing after this doubts one. */
#include "grade/inside.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

#define MINUTES_MAX 600
#define NAME_MOST 16u     /* bytes of a scenario's name */
#define PROGRAM_MODULE 9u /* of the capstone */
#define CASES_MAX 200
#define SERVICE_MS_MAX 2000

struct parsing {
    struct arena *arena;
    struct error *e;
    const char *at; /* "gates[1]": what is being read; "" for the manifest itself */
};

static int refuse(struct parsing *p, const char *key, const char *what)
{
    (void)error_set(p->e, EBADMSG, "lab.json: %s%s'%.40s' %s", p->at, p->at[0] ? ": " : "", key, what);
    return -EBADMSG;
}

static void release_json(json_t **j)
{
    json_decref(*j);
}

/* ---- single fields; a missing one is an error unless `fallback` says otherwise ---- */
static int take_text(struct parsing *p, json_t *from, const char *key, bool needed, const char **ret)
{
    json_t *j = json_object_get(from, key);
    if (!j && !needed) {
        *ret = "";
        return 0;
    }
    if (!json_is_string(j))
        return refuse(p, key, j ? "is no text" : "is missing");
    size_t size = json_string_length(j);
    const char *text = json_string_value(j);
    if (size > LAB_TEXT_MAX || (needed && size == 0))
        return refuse(p, key, size ? "is too long" : "is empty");
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return refuse(p, key, "holds a control character");
    *ret = arena_strndup(p->arena, text, size);
    if (*ret)
        return 0;
    (void)error_set(p->e, ENOMEM, "out of memory");
    return -ENOMEM;
}

static int take_number(struct parsing *p, json_t *from, const char *key, double least, double most, double *ret)
{
    json_t *j = json_object_get(from, key);
    double x = json_is_number(j) ? json_number_value(j) : NAN;
    if (!j)
        return refuse(p, key, "is missing");
    if (!(x >= least && x <= most))
        return refuse(p, key, "is no number, or out of range");
    *ret = x;
    return 0;
}

static int whole(struct parsing *p, const char *key, json_t *j, unsigned least, unsigned most, unsigned *ret)
{
    json_int_t x = json_is_integer(j) ? json_integer_value(j) : -1;
    if (!j)
        return refuse(p, key, "is missing");
    if (x < (json_int_t)least || x > (json_int_t)most)
        return refuse(p, key, "is no whole number, or out of range");
    *ret = (unsigned)x;
    return 0;
}

static int take_boolean(struct parsing *p, json_t *from, const char *key, bool *ret)
{
    json_t *j = json_object_get(from, key);
    if (j && !json_is_boolean(j))
        return refuse(p, key, "is neither true nor false");
    *ret = json_is_true(j);
    return 0;
}

/* A path below the lab's folder that cannot lead out of it. */
static bool is_path(const char *text)
{
    if (text[0] == '\0' || text[0] == '/' || text[0] == '.')
        return false;
    for (const char *c = text; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("_-./", *c))
            return false;
        if (*c == '/' && (c[1] == '.' || c[1] == '/' || c[1] == '\0'))
            return false;
    }
    return true;
}

static bool is_name(const char *text) /* of a Python function or module, as far as labs need */
{
    if (!isalpha((unsigned char)text[0]) && text[0] != '_')
        return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return true;
}

static int take_path(struct parsing *p, json_t *from, const char *key, const char **ret)
{
    int r = take_text(p, from, key, true, ret);
    return r < 0 ? r : is_path(*ret) ? 0 : refuse(p, key, "is no path below the lab's folder");
}

/* Which of the words it is; the list ends with NULL. */
static int take_choice(struct parsing *p, json_t *from, const char *key, const char *const *words, unsigned *ret)
{
    const char *text;
    int r = take_text(p, from, key, true, &text);
    for (unsigned i = 0; r == 0 && words[i]; i++)
        if (strcmp(words[i], text) == 0) {
            *ret = i;
            return 0;
        }
    return r < 0 ? r : refuse(p, key, "is none of the words that it may be");
}

static int only_keys(struct parsing *p, json_t *from, const char *const *keys)
{
    const char *key;
    json_t *value;
    json_object_foreach(from, key, value)
    {
        unsigned i = 0;
        while (keys[i] && strcmp(keys[i], key) != 0)
            i++;
        if (!keys[i])
            return refuse(p, key, "is no field of it");
    }
    return 0;
}

/* ---- lists ---- */
static int take_list(struct parsing *p, json_t *from, const char *key, bool needed, size_t most, json_t **ret)
{
    json_t *j = json_object_get(from, key);
    if (j ? !json_is_array(j) : needed)
        return refuse(p, key, j ? "is no list" : "is missing");
    if (json_array_size(j) > most || (needed && json_array_size(j) == 0))
        return refuse(p, key, "has too many or no entries");
    *ret = j;
    return 0;
}

static int take_sizes(struct parsing *p, json_t *from, size_t most, unsigned *ret, unsigned *ret_count)
{
    json_t *list = NULL;
    int r = take_list(p, from, "sizes", true, most, &list);
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
        r = whole(p, "sizes", json_array_get(list, i), 0, LAB_SIZE_MAX, &ret[i]);
    if (r == 0)
        *ret_count = (unsigned)json_array_size(list);
    return r;
}

static int take_texts(
    struct parsing *p, json_t *from, const char *key, bool paths, const char **ret, size_t most, unsigned *ret_count)
{
    json_t *list = NULL;
    int r = take_list(p, from, key, false, most, &list);
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        json_t *one = json_pack("{s:O}", key, json_array_get(list, i));
        if (!one)
            return error_set(p->e, ENOMEM, "out of memory");
        r = paths ? take_path(p, one, key, &ret[i]) : take_text(p, one, key, true, &ret[i]);
        json_decref(one);
    }
    if (r == 0)
        *ret_count = (unsigned)json_array_size(list);
    return r;
}

static const char *const gate_names[] = {
    [GRADE_SPEED] = "speed",
    [GRADE_REACH] = "reach",
    [GRADE_GROWTH] = "growth",
    [GRADE_NOT_SLOWER] = "not-slower",
    [GRADE_MEMORY] = "memory",
    [GRADE_NOT_FATTER] = "not-fatter",
    [GRADE_MEMORY_GROWTH] = "memory-growth",
    [GRADE_GAP] = "gap",
    [GRADE_PARALLEL] = "parallel",
    NULL,
};
const char *lab_gate_name(enum grade_gate_kind kind)
{
    return gate_names[kind];
}

static int take_scenario(struct parsing *p, json_t *from, struct grade_scenario *ret)
{
    int r = take_text(p, from, "name", true, &ret->name);
    if (r == 0 && (!is_name(ret->name) || strlen(ret->name) > NAME_MOST))
        r = refuse(p, "name", "is no scenario's name");
    return r < 0 ? r : take_boolean(p, from, "disk", &ret->disk);
}

/* scenario: of a program's gate, which has a name; NULL else. */
static int take_gate(struct parsing *p, json_t *from, struct grade_gate *ret, struct grade_scenario *scenario)
{
    static const char *const keys[] = {"kind", "limit", "sizes", "hint", NULL};
    static const char *const program_keys[] = {"kind", "limit", "sizes", "hint", "name", "disk", NULL};
    static const struct {
        double least, most;
        unsigned sizes;
    } rules[] = {
        [GRADE_SPEED] = {1.5, 3.5, 1},
        [GRADE_REACH] = {1.05, 10, 1},
        [GRADE_GROWTH] = {0.5, 1.7, 3},
        [GRADE_NOT_SLOWER] = {1.02, 10, 1},
        [GRADE_MEMORY] = {0.01, 0.95, 1},
        [GRADE_NOT_FATTER] = {1.02, 10, 1},
        [GRADE_MEMORY_GROWTH] = {0.001, 0.9, 3},
        [GRADE_GAP] = {0.001, 0.9, 1},
        [GRADE_PARALLEL] = {0.1, 1, 1},
    };
    unsigned kind;
    if (!json_is_object(from))
        return refuse(p, "gates", "holds something that is no gate");
    int r = only_keys(p, from, scenario ? program_keys : keys);
    if (r == 0 && scenario)
        r = take_scenario(p, from, scenario);
    if (r < 0 || (r = take_choice(p, from, "kind", gate_names, &kind)) < 0 ||
        (r = take_number(p, from, "limit", rules[kind].least, rules[kind].most, &ret->limit)) < 0 ||
        (r = take_sizes(p, from, GRADE_SIZES_MAX, ret->sizes, &ret->size_count)) < 0 ||
        (r = take_text(p, from, "hint", true, &ret->hint)) < 0)
        return r;
    ret->kind = (enum grade_gate_kind)kind;
    if (ret->size_count < rules[kind].sizes)
        return refuse(p, "sizes", "are too few for this kind of gate");
    for (unsigned i = 1; i < ret->size_count; i++)
        if (ret->sizes[i] <= ret->sizes[i - 1])
            return refuse(p, "sizes", "do not ascend");
    if (kind == GRADE_GROWTH && (ret->sizes[0] == 0 || ret->sizes[ret->size_count - 1] / ret->sizes[0] < 16))
        return refuse(p, "sizes", "of growth must span at least 16 times");
    return 0;
}

static int take_gates(struct parsing *p, json_t *from, struct grade_lab *ret)
{
    char at[40];
    json_t *list = NULL;
    int r = take_list(p, from, "gates", true, GRADE_GATES_MAX, &list);
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        snprintf(at, sizeof(at), "gates[%zu]", i);
        p->at = at;
        r = take_gate(
            p, json_array_get(list, i), &ret->gates[i], ret->kind == GRADE_PROGRAM ? &ret->scenarios[i] : NULL);
        p->at = "";
    }
    if (r == 0)
        ret->gate_count = (unsigned)json_array_size(list);
    return r;
}

static int take_mutants(struct parsing *p, json_t *from, struct grade_lab *ret)
{
    static const char *const keys[] = {"file", "expected", NULL};
    static const char *const words[] = {"wrong", "broken", "slow", "unreadable", NULL};
    json_t *list = NULL;
    int r = take_list(p, from, "mutants", false, GRADE_MUTANTS_MAX, &list);
    p->at = "mutants";
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        json_t *one = json_array_get(list, i);
        unsigned expected = 0;
        r = json_is_object(one) ? only_keys(p, one, keys) : refuse(p, "mutants", "holds something that is no mutant");
        if (r == 0 && (r = take_path(p, one, "file", &ret->mutants[i].file)) == 0)
            r = take_choice(p, one, "expected", words, &expected);
        ret->mutants[i].expected = (enum grade_outcome)(GRADE_WRONG + expected);
    }
    p->at = "";
    if (r == 0)
        ret->mutant_count = (unsigned)json_array_size(list);
    return r;
}

/* ---- groups of fields ---- */
static int take_id(struct parsing *p, json_t *from, const char *folder, struct grade_lab *ret)
{
    int r = take_text(p, from, "id", true, &ret->id);
    if (r < 0)
        return r;
    const char *slash = strrchr(folder, '/'), *base = slash ? slash + 1 : folder;
    size_t size = strlen(ret->id);
    if (ret->kind == GRADE_PROGRAM) {
        if (strcmp(ret->id, base) != 0 || !is_name(base))
            return refuse(p, "id", "is not the name of the program's folder");
        ret->module = PROGRAM_MODULE;
        ret->folder = arena_strndup(p->arena, folder, strlen(folder));
        ret->name = ret->id;
        return ret->folder ? 0 : error_set(p->e, ENOMEM, "out of memory");
    }
    if (size != 3 || ret->id[0] < '1' || ret->id[0] > '0' + GRADE_MODULES || ret->id[1] != '.' ||
        !isdigit((unsigned char)ret->id[2]))
        return refuse(p, "id", "is not like 3.1");
    if (strncmp(base, ret->id, size) != 0 || base[size] != '-' || !is_path(base + size + 1))
        return refuse(p, "id", "is not how the lab's folder begins");
    ret->module = (unsigned)(ret->id[0] - '0');
    ret->folder = arena_strndup(p->arena, folder, strlen(folder));
    ret->name = arena_strndup(p->arena, base + size + 1, strlen(base + size + 1));
    return ret->folder && ret->name ? 0 : error_set(p->e, ENOMEM, "out of memory");
}

static int take_python(struct parsing *p, json_t *from, struct grade_lab *ret)
{
    static const char *const versions[] = {"3.10", "3.11", "3.12", "3.13", "3.14", "3.15", NULL};
    static const char *const words[] = {"threads", "fork", "shared", "sockets", NULL};
    json_t *list = NULL;
    unsigned version, word;
    int r = take_choice(p, from, "python", versions, &version);
    if (r < 0 || (r = take_text(p, from, "python_why", false, &ret->python_why)) < 0 ||
        (r = take_list(p, from, "allow", false, ARRAY_SIZE(words), &list)) < 0)
        return r;
    ret->python_minor = 10 + version;
    if (version > 0 && ret->python_why[0] == '\0')
        return refuse(p, "python_why", "is missing: why is 3.10 not enough?");
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        json_t *one = json_pack("{s:O}", "allow", json_array_get(list, i));
        r = one ? take_choice(p, one, "allow", words, &word) : error_set(p->e, ENOMEM, "out of memory");
        json_decref(one);
        if (r == 0)
            ret->allow |= 1u << word; /* as enum sandbox_allowance */
    }
    return r;
}

static int take_service(struct parsing *p, json_t *from, struct grade_lab *ret)
{
    static const char *const keys[] = {"delay_ms", "at_once", "refuses", NULL};
    json_t *service = json_object_get(from, "service");
    unsigned delay = 0;
    if (!service)
        return 0;
    if (!json_is_object(service))
        return refuse(p, "service", "is no object");
    int r = only_keys(p, service, keys);
    if (r < 0 || (r = whole(p, "delay_ms", json_object_get(service, "delay_ms"), 1, SERVICE_MS_MAX, &delay)) < 0)
        return r;
    ret->service_delay_ns = (uint64_t)delay * 1000000u;
    if ((r = take_boolean(p, service, "refuses", &ret->service_refuses)) < 0)
        return r;
    return whole(p, "at_once", json_object_get(service, "at_once"), 1, SERVICE_AT_ONCE_MAX, &ret->service_at_once);
}

static int take_cases(struct parsing *p, json_t *from, struct grade_lab *ret)
{
    static const char *const keys[] = {"count", "sizes", NULL};
    json_t *cases = json_object_get(from, "cases");
    if (!json_is_object(cases))
        return refuse(p, "cases", cases ? "is no object" : "is missing");
    int r = only_keys(p, cases, keys);
    if (r == 0 && (r = whole(p, "count", json_object_get(cases, "count"), 1, CASES_MAX, &ret->case_count)) == 0)
        r = take_sizes(p, cases, ret->kind == GRADE_PROGRAM ? GRADE_CASE_SIZES_MAX : GRADE_SIZES_MAX, ret->case_sizes,
            &ret->case_size_count);
    return r;
}

/* A lab of code: its file is laid beside the harness and must not take the place of any of that. */
static int take_code(struct parsing *p, json_t *from, struct grade_lab *ret)
{
    static const char *const oracles[] = {"starter", "reference", "judge", NULL};
    static const char *const taken[] = {"child.py", "values.py", "cases.py", "pitviper_lab.py", "maker.py"};
    bool program = ret->kind == GRADE_PROGRAM;
    char module[64];
    unsigned oracle;
    int r = take_text(p, from, "file", true, &ret->file);
    if (r < 0)
        return r;
    size_t size = strlen(ret->file);
    if (size < 4 || size >= sizeof(module) || strcmp(ret->file + size - 3, ".py") != 0)
        return refuse(p, "file", "is no Python file's name");
    snprintf(module, sizeof(module), "%.*s", (int)size - 3, ret->file);
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
        if (!is_name(module) || strcmp(taken[i], ret->file) == 0)
            return refuse(p, "file", "is no module's name, or one of the harness");
    if ((r = take_text(p, from, "function", true, &ret->function)) < 0)
        return r;
    if (!is_name(ret->function))
        return refuse(p, "function", "is no function's name");
    if ((r = take_choice(p, from, "oracle", oracles, &oracle)) < 0 || (r = take_cases(p, from, ret)) < 0 ||
        (r = take_gates(p, from, ret)) < 0 ||
        (r = take_texts(p, from, "references", true, ret->references, GRADE_REFERENCES_MAX, &ret->reference_count)) < 0)
        return r;
    ret->oracle = (enum grade_oracle)oracle;
    if (program && (ret->oracle != GRADE_BY_STARTER || ret->core || ret->reference_count > 0 || ret->mutant_count > 0))
        return refuse(p, "kind", "is a program: it is its own oracle, not core, and its references have their places");
    return program || ret->reference_count > 0 ? 0 : refuse(p, "references", "are missing");
}

static int take_all(struct parsing *p, json_t *from, const char *folder, struct grade_lab *ret)
{
    static const char *const keys[] = {"id", "title", "core", "slow", "minutes", "kind", "file", "function", "oracle",
        "python", "python_why", "allow", "tolerance", "cases", "service", "gates", "references", "mutants", "hot",
        "hints", "questions", NULL};
    static const char *const kinds[] = {"code", "answers", "program", NULL};
    unsigned kind;
    if (!json_is_object(from))
        return error_set(p->e, EBADMSG, "lab.json: it is no object");
    int r = only_keys(p, from, keys);
    if (r < 0 || (r = take_choice(p, from, "kind", kinds, &kind)) < 0)
        return r;
    ret->kind = (enum grade_lab_kind)kind;
    if ((r = take_id(p, from, folder, ret)) < 0 || (r = take_text(p, from, "title", true, &ret->title)) < 0 ||
        (r = take_boolean(p, from, "core", &ret->core)) < 0 || (r = take_boolean(p, from, "slow", &ret->slow)) < 0 ||
        (r = whole(p, "minutes", json_object_get(from, "minutes"), 1, MINUTES_MAX, &ret->minutes)) < 0 ||
        (r = take_python(p, from, ret)) < 0 ||
        (json_object_get(from, "tolerance") && (r = take_number(p, from, "tolerance", 0, 0.01, &ret->tolerance)) < 0) ||
        (r = take_texts(p, from, "hot", false, ret->hot, GRADE_HOT_MAX, &ret->hot_count)) < 0 ||
        (r = take_texts(p, from, "hints", false, ret->hints, GRADE_HINTS_MAX, &ret->hint_count)) < 0 ||
        (r = take_service(p, from, ret)) < 0 || (r = take_mutants(p, from, ret)) < 0)
        return r;
    if (ret->kind == GRADE_ANSWERS)
        return take_path(p, from, "questions", &ret->questions);
    return take_code(p, from, ret);
}

int lab_parse(
    const char *json, size_t size, const char *folder, struct arena *arena, struct grade_lab *ret, struct error *e)
{
    struct parsing p = {.arena = arena, .e = e, .at = ""};
    struct grade_lab lab = {.python_minor = 10};
    json_error_t why;
    if (size > LAB_MANIFEST_MAX)
        return error_set(e, EBADMSG, "lab.json: it is larger than %zu bytes", LAB_MANIFEST_MAX);
    CLEANUP(release_json) json_t *all = json_loadb(json, size, JSON_REJECT_DUPLICATES, &why);
    if (!all)
        return error_set(e, EBADMSG, "lab.json: line %d: it is no JSON", why.line);
    int r = take_all(&p, all, folder, &lab);
    if (r == 0)
        *ret = lab;
    return r;
}

/* ---- its files ---- */
const struct grade_file *grade_lab_file(const struct grade_lab *lab, const char *path)
{
    size_t prefix = strlen(lab->folder);
    for (size_t i = 0; i < lab->file_count; i++) {
        const char *at = lab->files[i].path;
        if (strncmp(at, lab->folder, prefix) == 0 && at[prefix] == '/' && strcmp(at + prefix + 1, path) == 0)
            return &lab->files[i];
    }
    return NULL;
}

static int need_file(const struct grade_lab *lab, const char *path, struct error *e)
{
    return grade_lab_file(lab, path) ? 0 : error_set(e, ENOENT, "%s: there is no %s", lab->folder, path);
}

int lab_take_files(struct grade_lab *lab, const struct grade_file *files, size_t count, struct error *e)
{
    char starter[80];
    lab->files = files;
    lab->file_count = count;
    int r = need_file(lab, "README.md", e);
    if (r < 0 || lab->kind == GRADE_ANSWERS)
        return r < 0 ? r : need_file(lab, lab->questions, e);
    static const char *const parts[] = {"scenario.py", "workloads.py", "run.py", "variant.py", "plants.json",
        "app/parcelflow/flow.py", "solution/parcelflow/flow.py"};
    snprintf(starter, sizeof(starter), lab->kind == GRADE_PROGRAM ? "%s" : "starter/%s", lab->file);
    if ((r = need_file(lab, starter, e)) < 0 || (r = need_file(lab, "cases.py", e)) < 0)
        return r;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts) && lab->kind == GRADE_PROGRAM; i++)
        r = need_file(lab, parts[i], e);
    for (unsigned i = 0; r == 0 && i < lab->reference_count; i++)
        r = need_file(lab, lab->references[i], e);
    for (unsigned i = 0; r == 0 && i < lab->mutant_count; i++)
        r = need_file(lab, lab->mutants[i].file, e);
    return r;
}

void lab_fill(const struct grade_lab *lab, const char *text, struct buffer *into)
{
    char delay[24], at_once[24];
    snprintf(delay, sizeof(delay), "%.3f", (double)lab->service_delay_ns / 1e9);
    snprintf(at_once, sizeof(at_once), "%u", lab->service_at_once ? lab->service_at_once : 1);
    const struct {
        const char *mark, *value;
    } marks[] = {{"@DELAY@", delay}, {"@AT_ONCE@", at_once}, {"@REFUSES@", lab->service_refuses ? "True" : "False"}};
    for (const char *at; (at = strchr(text, '@')); text = at) {
        size_t i = 0;
        while (i < ARRAY_SIZE(marks) && strncmp(at, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        buffer_append(into, text, (size_t)(at - text));
        buffer_append_string(into, i < ARRAY_SIZE(marks) ? marks[i].value : "@");
        at += i < ARRAY_SIZE(marks) ? strlen(marks[i].mark) : 1;
    }
    buffer_append_string(into, text);
}

bool grade_lab_stand_in(const struct grade_lab *lab, struct buffer *into)
{
    bool beats = false;
    for (unsigned i = 0; i < lab->gate_count; i++)
        beats |= lab->gates[i].kind == GRADE_GAP;
    if (lab->service_at_once == 0 && !beats)
        return false;
    lab_fill(lab, grade_harness_stand_in, into);
    return !into->failed;
}
