#include "grade/findings.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/profile.h"

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

#define TICKS_LEAST 50    /* of a recording: fewer make no share */
#define QUALIFIED_FROM 11 /* Python 3.11 is the first that tells a function's qualified name */
#define PACKAGE "parcelflow/"
#define PROGRAM "run.py"
#define SITES_MAX 64u
#define TOLD_MAX ((size_t)16 << 10)
#define DOUBT_MAX 128u

enum kind { REPAIR, REMOVE, LEAVE, KINDS };
static const char *const kind_words[] = {[REPAIR] = "repair", [REMOVE] = "remove", [LEAVE] = "leave"};

struct finding {
    const char *function, *scenario, *recording; /* of the sheet; function: without "parcelflow." */
    enum kind kind;
    size_t number;         /* in the sheet, from 1 on */
    bool named;            /* it names something of the copy; whether that counts is said by `doubt` */
    bool weak;             /* too few samples have it, in a scenario where that does not count against it */
    bool looked_at;        /* its recording was */
    char doubt[DOUBT_MAX]; /* why it does not count; "" where it does. Not safe to print. */
};
struct judging {
    const struct findings_task *t;
    struct findings *result;
    json_t *sheet, *key, *names, *rules;
    double share_least;
    struct finding items[FINDINGS_MAX];
    size_t count;
};

static const char *text_of(json_t *from, const char *key)
{
    return json_string_value(json_object_get(from, key));
}

static json_t *load(const struct findings_text *t)
{
    return json_loadb(t->data, t->size, JSON_REJECT_DUPLICATES, NULL);
}

/* ---- key and rules ---- */
static unsigned count_plants(json_t *plants)
{
    unsigned count = 0;
    for (size_t i = 0; i < json_array_size(plants) && i < SITES_MAX; i++) {
        const char *id = text_of(json_array_get(plants, i), "id");
        size_t k = 0;
        while (k < i && id && strcmp(id, text_of(json_array_get(plants, k), "id")) != 0)
            k++;
        count += id && k == i;
    }
    return count;
}

static int take_rules(struct judging *j, struct error *e)
{
    json_t *scoring = json_object_get(j->rules, "scoring");
    double recall = json_number_value(json_object_get(scoring, "recall"));
    struct findings *r = j->result;
    r->precision_wanted = json_number_value(json_object_get(scoring, "precision"));
    r->scenarios_wanted = (unsigned)json_integer_value(json_object_get(scoring, "scenario_gates"));
    r->plants = count_plants(json_object_get(j->key, "plants"));
    r->found_wanted = (unsigned)ceil(recall * r->plants - 1e-9);
    j->share_least = json_number_value(json_object_get(json_object_get(scoring, "evidence"), "share"));
    bool whole = recall > 0 && r->precision_wanted > 0 && r->scenarios_wanted > 0 && j->share_least > 0;
    return whole && r->plants > 0 && json_is_array(j->names) ? 0 : error_set(e, EBADMSG, "the capstone has no rules");
}

static bool holds_text(json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));
        if (one && strcmp(one, text) == 0)
            return true;
    }
    return false;
}

static bool is_enough(const struct judging *j, const char *scenario)
{
    json_t *evidence = json_object_get(json_object_get(j->rules, "scoring"), "evidence");
    return holds_text(json_object_get(evidence, "recording_is_enough"), scenario);
}

static bool is_scenario(const struct judging *j, const char *text)
{
    static const char *const lists[] = {"plants", "decoys"};
    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        json_t *list = json_object_get(j->rules, lists[k]);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *scenario = text_of(json_array_get(list, i), "scenario");
            if (scenario && strcmp(scenario, text) == 0)
                return true;
        }
    }
    return false;
}

/* ---- the sheet ---- */
static bool take_kind(const char *word, enum kind *ret)
{
    for (int k = 0; k < KINDS && word; k++)
        if (strcmp(word, kind_words[k]) == 0) {
            *ret = (enum kind)k;
            return true;
        }
    return false;
}

static void take_finding(struct judging *j, json_t *from, size_t number)
{
    struct finding *f = &j->items[j->count++];
    *f = (struct finding){.function = text_of(from, "function"),
        .scenario = text_of(from, "scenario"),
        .recording = text_of(from, "recording"),
        .number = number};
    const char *why = "";
    if (!f->function || f->function[0] == '\0' || strlen(f->function) > FINDINGS_NAME_MAX)
        why = "it has no \"function\": \"module.name\"";
    else if (!take_kind(text_of(from, "kind"), &f->kind))
        why = "its \"kind\" is none of repair, remove and leave";
    else if (!f->scenario || !is_scenario(j, f->scenario))
        why = "its \"scenario\" is none";
    else {
        if (strncmp(f->function, "parcelflow.", 11) == 0)
            f->function += 11;
        f->named = holds_text(j->names, f->function);
        why = f->named ? "" : "your copy has nothing of this name";
    }
    snprintf(f->doubt, sizeof(f->doubt), "%s", why);
}

static void take_sheet(struct judging *j)
{
    struct findings *r = j->result;
    size_t count = json_array_size(j->sheet);
    if (!j->t->sheet.data)
        snprintf(r->why, sizeof(r->why), "there is no findings.json yet");
    else if (j->t->sheet.size > FINDINGS_BYTES_MAX)
        snprintf(r->why, sizeof(r->why), "findings.json is larger than %zu KiB", FINDINGS_BYTES_MAX >> 10);
    else if (!j->sheet)
        snprintf(r->why, sizeof(r->why), "findings.json is no JSON");
    else if (!json_is_array(j->sheet))
        snprintf(r->why, sizeof(r->why), "findings.json is no list");
    else if (count > FINDINGS_MAX)
        snprintf(r->why, sizeof(r->why), "findings.json has more than %u findings", FINDINGS_MAX);
    else
        for (size_t i = 0; i < count; i++)
            take_finding(j, json_array_get(j->sheet, i), i + 1);
}

/* ---- recordings ---- */

/* Words of run.py that take another word. */
static bool takes_word(const char *word, size_t size)
{
    static const char *const words[] = {"--seed", "--size", "--app", "--folder", "--beat"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i]) == size && memcmp(words[i], word, size) == 0)
            return true;
    return false;
}

/* The scenario of a command line "python run.py --seed 2 intake"; its size, or 0. */
static size_t scenario_of(const char *command, const char **ret)
{
    bool program = false, skip = false;
    for (const char *at = command; *at; at += *at == ' ') {
        size_t size = strcspn(at, " ");
        if (skip)
            skip = false;
        else if (program && at[0] == '-')
            skip = takes_word(at, size);
        else if (program && size > 0) {
            *ret = at;
            return size;
        }
        program = program || (size >= strlen(PROGRAM) && memcmp(at + size - strlen(PROGRAM), PROGRAM, 6) == 0);
        at += size;
    }
    return 0;
}

static void doubt_scenario(const struct profile *p, struct finding *f)
{
    for (size_t i = 0; i < p->process_count; i++) {
        const char *word = "";
        size_t size = scenario_of(p->processes[i].command, &word);
        if (size == 0)
            continue;
        if (strlen(f->scenario) != size || memcmp(f->scenario, word, size) != 0)
            snprintf(f->doubt, sizeof(f->doubt), "its recording is one of the scenario %.*s",
                (int)(size < 40 ? size : 40), word);
        return;
    }
    snprintf(f->doubt, sizeof(f->doubt), "its recording is not one of run.py");
}

/* The part of a path from the package's folder on: "parcelflow/flow.py"; NULL: it is no file of it. */
static const char *in_package(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t before = slash ? (size_t)(slash + 1 - path) : 0, size = strlen(PACKAGE);
    if (before < size || memcmp(slash + 1 - size, PACKAGE, size) != 0 || (before > size && slash[-(long)size] != '/'))
        return NULL;
    return slash + 1 - size;
}

/* Every source of the package in it is one of the variant's, byte for byte. */
static bool is_untouched(const struct judging *j, const struct profile *p)
{
    bool any = false;
    for (size_t i = 0; i < p->source_count; i++) {
        const char *name = in_package(p->sources[i].path);
        bool same = false;
        if (!name)
            continue;
        for (size_t k = 0; k < j->t->variant.count && !same; k++) {
            const struct source_file *f = &j->t->variant.files[k];
            uint8_t digest[32];
            if (strcmp(f->name, name) != 0)
                continue;
            sha256(f->text, f->size, digest);
            same = memcmp(digest, p->sources[i].sha256, sizeof(digest)) == 0;
        }
        if (!same)
            return false;
        any = true;
    }
    return any;
}

static bool tells_qualified_names(const struct profile *p)
{
    unsigned minor = 0;
    for (size_t i = 0; i < p->process_count; i++)
        if (sscanf(p->processes[i].python, "3.%u", &minor) == 1 && minor < QUALIFIED_FROM)
            return false;
    return true;
}

/* Is this the function, or one inside of it: of a class its methods, of a function what it defines? Where only last
 * parts are known, any of that name in the module. */
static bool is_it(const struct judging *j, const struct profile_function *f, const char *function, bool qualified)
{
    const char *file = in_package(f->file), *dot = strchr(function, '.');
    size_t module = dot ? (size_t)(dot - function) : 0, size = strlen(f->name);
    if (f->kind != PROFILE_PYTHON || !file || !dot || strncmp(file + strlen(PACKAGE), function, module) != 0 ||
        strcmp(file + strlen(PACKAGE) + module, ".py") != 0)
        return false;
    const char *name = dot + 1, *last = strrchr(name, '.');
    size_t length = strlen(name);
    if (qualified)
        return strncmp(f->name, name, length) == 0 && (f->name[length] == '\0' || f->name[length] == '.');
    if (strcmp(f->name, last ? last + 1 : name) == 0)
        return true;
    char method[FINDINGS_NAME_MAX + 80]; /* of a class: one of its methods */
    return size < 64 && snprintf(method, sizeof(method), "%s.%s", function, f->name) < (int)sizeof(method) &&
           holds_text(j->names, method);
}

/* The share of samples that have the function anywhere; negative: out of memory. */
static double share_of(const struct judging *j, const struct profile *p, const char *function)
{
    bool qualified = tells_qualified_names(p);
    bool *functions = calloc(p->function_count + 1, sizeof(*functions));
    bool *below = calloc(p->node_count + 1, sizeof(*below));
    uint64_t hits = 0;
    for (size_t i = 0; functions && i < p->function_count; i++)
        functions[i] = is_it(j, &p->functions[i], function, qualified);
    for (size_t i = 1; functions && below && i < p->node_count; i++) { /* parents come first */
        const struct profile_node *n = &p->nodes[i];
        below[i] = below[n->parent] || (n->line != PROFILE_NONE && functions[p->lines[n->line].function]);
        hits += below[i] ? n->self : 0;
    }
    double share = !functions || !below ? -1 : p->hits > 0 ? (double)hits / (double)p->hits : 0;
    free(functions);
    free(below);
    return share;
}

static int look_at(struct judging *j, const struct profile *p, struct finding *f)
{
    doubt_scenario(p, f);
    if (f->doubt[0] != '\0')
        return 0;
    double share = share_of(j, p, f->function);
    if (share < 0)
        return -ENOMEM;
    f->weak = share < j->share_least;
    if (f->kind == REPAIR && f->weak && !is_enough(j, f->scenario))
        snprintf(f->doubt, sizeof(f->doubt), "it is in %.1f %% of the samples; at least %.0f %% is wanted", 100 * share,
            100 * j->share_least);
    else if (f->kind != REPAIR && !f->weak)
        snprintf(f->doubt, sizeof(f->doubt),
            "it is in %.1f %% of the samples, and what is of no weight is under %.0f %%", 100 * share,
            100 * j->share_least);
    return 0;
}

/* What is wrong with the recording, whoever cites it. NULL: *ret is there. */
static const char *open_recording(const struct judging *j, const char *name, struct profile **ret)
{
    char path[4096];
    struct error e;
    const struct profile_options options = {.mode = PROFILE_WALL};
    if (!name || name[0] == '\0')
        return "it names no recording";
    if (snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" : j->t->folder, name[0] == '/' ? "" : "/", name) >=
        (int)sizeof(path))
        return "its recording has too long a name";
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return "its recording cannot be opened";
    if (profile_read(fd, "recording", &options, ret, &e) < 0)
        return "its recording is none";
    const char *doubt = (*ret)->origin != PROFILE_RECORDING ? "its recording is none"
                        : (*ret)->ticks < TICKS_LEAST       ? "its recording has too few samples"
                        : !is_untouched(j, *ret)            ? "its recording is not one of your untouched copy"
                                                            : NULL;
    if (doubt)
        profile_free(*ret);
    return doubt;
}

/* Each recording is read once, for all that cite it. */
static int look_at_all(struct judging *j)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < j->count; i++) {
        struct profile *p = NULL;
        if (j->items[i].looked_at || !j->items[i].named)
            continue;
        const char *name = j->items[i].recording ? j->items[i].recording : "";
        const char *doubt = open_recording(j, name, &p);
        for (size_t k = i; r == 0 && k < j->count; k++) {
            struct finding *f = &j->items[k];
            if (!f->named || strcmp(f->recording ? f->recording : "", name) != 0)
                continue;
            f->looked_at = true;
            if (doubt)
                snprintf(f->doubt, sizeof(f->doubt), "%s", doubt);
            else
                r = look_at(j, p, f);
        }
        if (!doubt)
            profile_free(p);
    }
    return r;
}

/* ---- against the key ---- */
static bool hits(const struct finding *f, json_t *site)
{
    const char *function = text_of(site, "function"), *scenario = text_of(site, "scenario");
    bool here =
        function && (strcmp(function, f->function) == 0 || holds_text(json_object_get(site, "also"), f->function));
    return here && (!f->weak || f->kind != REPAIR || (scenario && strcmp(scenario, f->scenario) == 0));
}

/* Which plants it names, as bits of sites; of a decoy, whether it names one of its kind. */
static uint64_t sites_of(const struct judging *j, const struct finding *f)
{
    json_t *list = json_object_get(j->key, f->kind == REPAIR ? "plants" : "decoys");
    uint64_t found = 0;
    for (size_t i = 0; f->doubt[0] == '\0' && i < json_array_size(list) && i < SITES_MAX; i++) {
        json_t *site = json_array_get(list, i);
        const char *kind = f->kind == REPAIR ? "repair" : text_of(site, "kind");
        if (kind && strcmp(kind, kind_words[f->kind]) == 0 && hits(f, site))
            found |= UINT64_C(1) << i;
    }
    return found;
}

static unsigned count_found(const struct judging *j, uint64_t sites)
{
    json_t *plants = json_object_get(j->key, "plants");
    unsigned found = 0;
    for (size_t i = 0; i < json_array_size(plants) && i < SITES_MAX; i++) {
        bool first = (sites >> i & 1) != 0; /* of those of its plant */
        for (size_t k = 0; first && k < i; k++)
            first = (sites >> k & 1) == 0 ||
                    strcmp(text_of(json_array_get(plants, i), "id"), text_of(json_array_get(plants, k), "id")) != 0;
        found += first;
    }
    return found;
}

/* A function that is named twice with one kind counts once, by the better of both. What is refused counts neither way:
 * it can gain nothing, so it need not cost. */
static void count_all(struct judging *j)
{
    struct findings *r = j->result;
    struct grade_named *const named[] = {[REPAIR] = &r->repair, [REMOVE] = &r->remove, [LEAVE] = &r->leave};
    uint64_t sites = 0;
    for (size_t i = 0; i < j->count; i++) {
        const struct finding *f = &j->items[i];
        uint64_t found = 0;
        bool again = false, counts = false;
        r->refused += f->doubt[0] != '\0';
        for (size_t k = 0; f->named && k < j->count; k++) {
            const struct finding *other = &j->items[k];
            if (!other->named || other->kind != f->kind || strcmp(other->function, f->function) != 0)
                continue;
            again = again || k < i;
            counts = counts || other->doubt[0] == '\0';
            found |= sites_of(j, other);
        }
        if (!counts || again)
            continue;
        named[f->kind]->named++;
        named[f->kind]->right += found != 0;
        sites |= f->kind == REPAIR ? found : 0;
    }
    r->found = count_found(j, sites);
    r->pass = r->found >= r->found_wanted && findings_precise(&r->repair, r->precision_wanted);
}

static void tell_refused(const struct judging *j)
{
    struct buffer *b = &j->result->told;
    unsigned told = 0;
    for (size_t i = 0; i < j->count; i++) {
        const struct finding *f = &j->items[i];
        if (f->doubt[0] == '\0')
            continue;
        if (told++ == FINDINGS_TOLD_MAX) {
            buffer_printf(b, "  and %u more that do not count\n", j->result->refused - FINDINGS_TOLD_MAX);
            return;
        }
        buffer_printf(b, "  finding %zu, ", f->number);
        text_append_fitted(b, f->function ? f->function : "?", 50);
        buffer_append_string(b, ": ");
        text_append_fitted(b, f->doubt, 100);
        buffer_append_byte(b, '\n');
    }
}

bool findings_precise(const struct grade_named *n, double wanted)
{
    return n->named > 0 && n->right >= wanted * n->named - 1e-9;
}

int findings_judge(const struct findings_task *t, struct findings *ret, struct error *e)
{
    *ret = (struct findings){.found = 0};
    buffer_init(&ret->told, TOLD_MAX);
    struct judging *j = calloc(1, sizeof(*j));
    if (!j)
        return error_set(e, ENOMEM, "out of memory");
    *j = (struct judging){
        .t = t, .result = ret, .key = load(&t->key), .names = load(&t->names), .rules = load(&t->rules)};
    if (t->sheet.data && t->sheet.size <= FINDINGS_BYTES_MAX)
        j->sheet = load(&t->sheet);
    int r = take_rules(j, e);
    if (r == 0) {
        take_sheet(j);
        r = look_at_all(j) < 0 ? error_set(e, ENOMEM, "out of memory for the findings") : 0;
    }
    if (r == 0) {
        count_all(j);
        tell_refused(j);
    }
    json_decref(j->sheet);
    json_decref(j->key);
    json_decref(j->names);
    json_decref(j->rules);
    free(j);
    return r;
}

void findings_release(struct findings *f)
{
    buffer_release(&f->told);
}
