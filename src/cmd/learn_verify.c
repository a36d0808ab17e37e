/* `learn verify`: for authors of the course. Does each lab pass its references, and fail its starter and its mutants as
 * the manifest says? And do reading and core labs keep the time that the course promises? */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "cmd/waiting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)8 << 20)
#define MINUTES_MOST 300u
#define CORE_LABS 2u /* of each module */
#define TRIES 3u     /* of a program whose timings do not settle */
/* Without times, half of it for the inputs: all of them, or a few of a program that is not to be wrong but slow. */
#define ALL_INPUTS_NS UINT64_C(60000000000)
#define FEW_INPUTS_NS UINT64_C(600000000)

struct options {
    const char *python;
    int level;
    bool quick, measure, json, time_only;
};

enum row_verdict { ROW_AS_EXPECTED, ROW_OTHERWISE, ROW_UNSETTLED, ROW_FAILED };
struct row {
    const struct grade_lab *lab;
    const char *program, *expected;
    enum grade_outcome outcome;
    enum row_verdict verdict;
    uint64_t spent_ns;
    char why[200];
};
struct verify {
    struct options o;
    struct learner_python python;
    const volatile sig_atomic_t *stop;
    char folder[64];         /* of ours, for sources */
    struct grade_memo *memo; /* of the lab at hand */
    uint64_t seed;           /* of its programs' inputs: the same for all, and others each time */
    struct row *rows;
    size_t count, capacity;
};

/* ---- what is expected ---- */

/* Without times, outcomes that differ by time alone are one; and what is slow may be hard to read, too. */
static bool is_of_time(enum grade_outcome outcome)
{
    return outcome == GRADE_PASSED || outcome == GRADE_SLOW || outcome == GRADE_UNRESOLVED;
}
static bool is_same_without_times(enum grade_outcome outcome, enum grade_outcome expected)
{
    return is_of_time(expected) && (is_of_time(outcome) || (expected == GRADE_SLOW && outcome == GRADE_UNREADABLE));
}

static enum row_verdict judge(enum grade_outcome outcome, uint32_t expected, bool quick)
{
    if (outcome == GRADE_FAULT)
        return ROW_FAILED;
    if ((expected & 1u << outcome) != 0)
        return ROW_AS_EXPECTED;
    for (int other = GRADE_PASSED; quick && other <= GRADE_FAULT; other++)
        if ((expected & 1u << other) != 0 && is_same_without_times(outcome, (enum grade_outcome)other))
            return ROW_AS_EXPECTED;
    return outcome == GRADE_UNRESOLVED ? ROW_UNSETTLED : ROW_OTHERWISE;
}

/* ---- one program ---- */

static int write_source(const struct verify *v, const struct grade_lab *lab, const struct grade_file *f,
    char path[LEARN_PATH_MAX], struct error *e)
{
    snprintf(path, LEARN_PATH_MAX, "%s/%s", v->folder, learn_lab_file(lab));
    return learn_file_write(path, f->data, f->size, true, e);
}

/* gates: whether they are looked at, which in a quick check settles nothing but finds answers that are wrong at their
 * sizes alone. */
static int check_once(struct verify *v, struct row *row, const char *path, uint64_t seed, uint32_t expected, bool gates)
{
    bool program = row->lab->kind == GRADE_PROGRAM; /* without findings, which only a recording could show */
    bool all = (expected & (1u << GRADE_SLOW | 1u << GRADE_UNREADABLE)) == 0;
    const struct grade_options how = {
        .python = v->python.path,
        .source = path,
        .questions = row->lab->kind == GRADE_ANSWERS ? v->folder : NULL,
        .seed = seed,
        .quick = v->o.quick || program,
        .untimed = program || (v->o.quick && !gates),
        .most_ns = !v->o.quick || program ? 0
                   : all                  ? ALL_INPUTS_NS
                                          : FEW_INPUTS_NS,
        .level_most = v->o.level,
        .memo = v->memo,
        .stop = v->stop,
    };
    struct grade_result r;
    struct error e = {""};
    int status = grade_check(row->lab, &how, &r, &e);
    if (status < 0) {
        row->verdict = ROW_FAILED;
        snprintf(row->why, sizeof(row->why), "%.190s", e.text);
        return *v->stop ? -ECANCELED : 0;
    }
    row->outcome = r.outcome;
    row->spent_ns = r.spent_ns;
    row->verdict = judge(r.outcome, expected, v->o.quick || program);
    if (row->verdict != ROW_AS_EXPECTED) { /* the first lines, made one */
        snprintf(row->why, sizeof(row->why), "%.190s", buffer_text(&r.feedback));
        for (char *at = row->why; *at != '\0'; at++)
            *at = *at == '\n' ? ' ' : *at;
    }
    grade_result_release(&r);
    return 0;
}

static struct row *add_row(struct verify *v, const struct grade_lab *lab, const char *program, const char *expected)
{
    if (array_reserve(&v->rows, &v->capacity, v->count + 1, sizeof(*v->rows)) < 0)
        return NULL;
    struct row *row = &v->rows[v->count++];
    *row = (struct row){.lab = lab, .program = program, .expected = expected};
    return row;
}

static bool wants_another_try(const struct verify *v, const struct row *row)
{
    return row->verdict == ROW_UNSETTLED || (v->o.quick && row->verdict == ROW_OTHERWISE && is_of_time(row->outcome));
}

/* `file` is below the lab's folder; `expected` has a bit for each outcome that is right. */
static int try_program(
    struct verify *v, const struct grade_lab *lab, const char *file, uint32_t expected, const char *named)
{
    char path[LEARN_PATH_MAX];
    struct error e;
    struct row *row = add_row(v, lab, file, named);
    const struct grade_file *f = grade_lab_file(lab, file);
    if (row == NULL)
        return -ENOMEM;
    waiting_show("lab %s: %s", lab->id, file);
    if (f == NULL || write_source(v, lab, f, path, &e) < 0) {
        row->verdict = ROW_FAILED;
        snprintf(row->why, sizeof(row->why), "%.190s", f == NULL ? "the course has no such file" : e.text);
        return 0;
    }
    int r = check_once(v, row, path, v->seed, expected, !v->o.quick);
    for (unsigned i = 1; r == 0 && i < TRIES && wants_another_try(v, row); i++)
        r = check_once(v, row, path, 0, expected, true);
    (void)unlink(path);
    return r;
}

static int try_code(struct verify *v, const struct grade_lab *lab)
{
    char starter[128];
    int r = 0;
    for (unsigned i = 0; r == 0 && i < lab->reference_count; i++)
        r = try_program(v, lab, lab->references[i], 1u << GRADE_PASSED, "passed");
    snprintf(starter, sizeof(starter), "starter/%s", lab->file);
    for (size_t i = 0; r == 0 && i < lab->file_count; i++) { /* the embedded name lives as long as the row */
        const char *file = lab->files[i].path + strlen(lab->folder) + 1;
        if (strcmp(file, starter) == 0)
            r = lab->oracle == GRADE_BY_STARTER
                    ? try_program(v, lab, file, 1u << GRADE_SLOW, "slow")
                    : try_program(v, lab, file, 1u << GRADE_SLOW | 1u << GRADE_WRONG, "slow or wrong");
    }
    for (unsigned i = 0; r == 0 && i < lab->mutant_count; i++)
        r = try_program(
            v, lab, lab->mutants[i].file, 1u << lab->mutants[i].expected, learn_outcome_word(lab->mutants[i].expected));
    return r;
}

/* Answers that nobody wrote do not pass. */
static int try_answers(struct verify *v, const struct grade_lab *lab)
{
    char path[LEARN_PATH_MAX];
    struct error e;
    struct row *row = add_row(v, lab, "answers left open", "wrong or broken");
    if (row == NULL)
        return -ENOMEM;
    waiting_show("lab %s: answers left open", lab->id);
    snprintf(path, sizeof(path), "%s/%s", v->folder, learn_lab_file(lab));
    int r = grade_questions_write(lab, v->seed, v->python.path, v->folder, &e);
    if (r < 0) {
        row->verdict = ROW_FAILED;
        snprintf(row->why, sizeof(row->why), "%.190s", e.text);
    } else {
        r = check_once(v, row, path, v->seed, 1u << GRADE_WRONG | 1u << GRADE_BROKEN, false);
    }
    (void)sandbox_wipe(v->folder, &e);
    return r == -ECANCELED ? r : 0;
}

/* The capstone's repair behaves as its variants do. */
static int try_program_of_files(struct verify *v, const struct grade_lab *lab)
{
    static const char below[] = "solution/parcelflow/";
    char folder[LEARN_PATH_MAX], path[2 * LEARN_PATH_MAX];
    struct error e = {""};
    struct row *row = add_row(v, lab, "solution/parcelflow", "right");
    if (row == NULL)
        return -ENOMEM;
    waiting_show("lab %s: solution/parcelflow", lab->id);
    snprintf(folder, sizeof(folder), "%s/parcelflow", v->folder);
    int r = 0;
    for (size_t i = 0; r == 0 && i < lab->file_count; i++) {
        const char *name = lab->files[i].path + strlen(lab->folder) + 1;
        if (strncmp(name, below, strlen(below)) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, name + strlen(below));
        r = learn_file_write(path, lab->files[i].data, lab->files[i].size, true, &e);
    }
    if (r < 0) {
        row->verdict = ROW_FAILED;
        snprintf(row->why, sizeof(row->why), "%.190s", e.text);
    } else {
        r = check_once(v, row, folder, v->seed, 1u << GRADE_PASSED, false);
    }
    (void)sandbox_wipe(v->folder, &e);
    return r == -ECANCELED ? r : 0;
}

/* ---- the time that it takes ---- */

struct budget {
    unsigned reading, labs, core[GRADE_MODULES + 1];
    bool whole; /* each module has its two core labs */
};

static struct budget add_up(const struct grade_lab *labs, size_t count)
{
    struct budget b = {.whole = true};
    for (size_t i = 0; i < count; i++)
        if (labs[i].core && labs[i].module <= GRADE_MODULES) {
            b.core[labs[i].module]++;
            b.labs += labs[i].minutes;
        }
    for (unsigned module = 1; module <= GRADE_MODULES; module++) {
        const struct grade_module *m = grade_module(module);
        b.reading += m == NULL ? 0 : m->reading_minutes;
        b.whole = b.whole && m != NULL && b.core[module] == CORE_LABS;
    }
    return b;
}

static bool is_kept(const struct budget *b)
{
    return b->whole && b->reading + b->labs <= MINUTES_MOST;
}

static void put_budget(struct buffer *out, const struct budget *b)
{
    for (unsigned module = 1; module <= GRADE_MODULES; module++)
        if (b->core[module] != CORE_LABS)
            buffer_printf(out, "module %02u has %u core labs instead of %u\n", module, b->core[module], CORE_LABS);
    buffer_printf(out, "reading %u minutes, core labs %u minutes: %u of at most %u%s\n", b->reading, b->labs,
        b->reading + b->labs, MINUTES_MOST, is_kept(b) ? "" : ": NOT KEPT");
}

/* ---- all of it ---- */

static size_t count_rows(const struct verify *v, enum row_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++)
        count += v->rows[i].verdict == verdict;
    return count;
}

static const char *const verdict_words[] = {"ok", "OTHERWISE", "not settled", "FAILED"};

static void put_text(struct buffer *out, const struct verify *v, const struct budget *b)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct row *row = &v->rows[i];
        buffer_printf(out, "%-4s %-32s %-14s", row->lab->id, row->program, row->expected);
        if (row->verdict == ROW_FAILED && row->outcome != GRADE_FAULT)
            buffer_printf(out, " %-14s", "-");
        else
            buffer_printf(out, " %-14s", grade_outcome_text(row->outcome));
        buffer_printf(out, " %5.1f s  %s\n", (double)row->spent_ns / 1e9, verdict_words[row->verdict]);
        if (row->verdict != ROW_AS_EXPECTED) {
            buffer_append_string(out, "     ");
            text_append_safe(out, row->why, strlen(row->why));
            buffer_append_byte(out, '\n');
        }
    }
    if (v->count > 0)
        buffer_printf(out, "%zu programs: %zu as the manifests say%s, %zu otherwise, %zu not settled, %zu failed\n",
            v->count, count_rows(v, ROW_AS_EXPECTED), v->o.quick ? " (times were not judged)" : "",
            count_rows(v, ROW_OTHERWISE), count_rows(v, ROW_UNSETTLED), count_rows(v, ROW_FAILED));
    put_budget(out, b);
}

static void put_json(struct buffer *out, const struct verify *v, const struct budget *b)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_boolean(&j, "quick", v->o.quick);
    json_text(&j, "python", v->python.version);
    json_array_begin(&j, "programs");
    for (size_t i = 0; i < v->count; i++) {
        const struct row *row = &v->rows[i];
        json_object_begin(&j, NULL);
        json_text(&j, "lab", row->lab->id);
        json_text(&j, "program", row->program);
        json_text(&j, "expected", row->expected);
        json_text(&j, "outcome", learn_outcome_word(row->outcome));
        json_text(&j, "verdict", verdict_words[row->verdict]);
        json_number(&j, "seconds", (double)row->spent_ns / 1e9);
        json_text(&j, "why", row->why);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_integer(&j, "reading_minutes", b->reading);
    json_integer(&j, "core_lab_minutes", b->labs);
    json_boolean(&j, "time_kept", is_kept(b));
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

static int verify_labs(struct verify *v, const struct grade_lab *labs, size_t count, char **named, int named_count)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        bool wanted = named_count == 0;
        for (int k = 0; k < named_count; k++)
            wanted = wanted || grade_lab_find(named[k]) == &labs[i];
        if (!wanted || v->o.time_only)
            continue;
        if (v->python.minor < labs[i].python_minor) {
            cmd_fail_text(0, "lab %s is left out: it needs Python 3.%u", labs[i].id, labs[i].python_minor);
            continue;
        }
        v->memo = grade_memo_new();
        if (getrandom(&v->seed, sizeof(v->seed), 0) != (ssize_t)sizeof(v->seed))
            r = -EIO;
        v->seed |= 1; /* 0 would be none */
        if (r == 0)
            r = labs[i].kind == GRADE_ANSWERS   ? try_answers(v, &labs[i])
                : labs[i].kind == GRADE_PROGRAM ? try_program_of_files(v, &labs[i])
                                                : try_code(v, &labs[i]);
        grade_memo_free(v->memo);
    }
    return r;
}

static int conclude(const struct verify *v, const struct budget *b)
{
    if (count_rows(v, ROW_OTHERWISE) > 0 || !is_kept(b))
        return CMD_NO;
    return count_rows(v, ROW_FAILED) > 0 ? CMD_FAILED : count_rows(v, ROW_UNSETTLED) > 0 ? CMD_UNSETTLED : CMD_OK;
}

static int verify_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    struct verify v = {.o = {.level = SANDBOX_LEVEL_BEST}, .folder = "/tmp/pitviper-verify-XXXXXX"};
    const struct grade_lab *labs;
    size_t count;
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    int used = cmd_options_parse(verb, &v.o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (v.o.measure && (v.o.quick || v.o.time_only))
        return cmd_fail_text(CMD_USAGE, "learn verify: --measure judges times: leave out --quick and --time");
    if (grade_labs(&labs, &count, &e) < 0 || learner_python_find(v.o.python, NULL, &v.python, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    for (int i = used; i < argc; i++)
        if (grade_lab_find(argv[i]) == NULL)
            return cmd_fail_text(CMD_USAGE, "there is no lab '%.60s'", argv[i]);
    if (mkdtemp(v.folder) == NULL)
        return cmd_fail_text(CMD_FAILED, "cannot make a folder in /tmp: %s", strerror(errno));
    v.stop = waiting_watch_interrupts();
    int r = verify_labs(&v, labs, count, argv + used, argc - used);
    waiting_hide();
    (void)sandbox_wipe(v.folder, &e);
    (void)rmdir(v.folder);
    struct budget b = add_up(labs, count);
    if (v.o.json)
        put_json(&out, &v, &b);
    else
        put_text(&out, &v, &b);
    int status = r == 0 ? conclude(&v, &b) : r == -ECANCELED ? CMD_INTERRUPTED : CMD_FAILED;
    free(v.rows);
    int printed = cmd_print(STDOUT_FILENO, &out);
    return printed != 0 ? printed : status;
}

static const char *const levels[] = LEARNER_LEVELS;
static const struct cmd_option verify_options[] = {
    {"quick", 'q', CMD_FLAG, offsetof(struct options, quick), NULL,
        "only what is right and what is not; times are not judged", NULL},
    {"measure", 0, CMD_FLAG, offsetof(struct options, measure), NULL, "times too, on an idle machine (the default)",
        NULL},
    {"time", 0, CMD_FLAG, offsetof(struct options, time_only), NULL, "only the minutes of reading and of the core labs",
        NULL},
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE", "the Python (default: as for 'learn start')",
        NULL},
    {"sandbox-level", 0, CMD_CHOICE, offsetof(struct options, level), NULL,
        "no more protection than this (default: what the machine has)", levels},
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print one JSON object", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_verify_verb = {
    .name = "learn verify",
    .synopsis = "[options] [LAB ...]",
    .summary = "for authors: do references pass, and starters and mutants fail as their manifests say?",
    .options = verify_options,
    .details =
        "It needs no course folder. Exit status: 0 all as the manifests say and the time is kept, 1 not, 4 some\n"
        "timings do not settle, 3 something could not be checked.",
    .run = verify_run,
};
