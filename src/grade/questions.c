/*
 * Labs of answers: questions about programs, drawn from a seed, and what the learner answered. An answer counts with a
 * recording of the very program that it is about: one whose source has the program's hash, with enough of its ticks. A
 * question may be about several programs; then it is answered by one of their names, and the recording is of that one.
 *
 * Nothing in a recording proves that it was not made by hand. It shows the learner something, not us.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grade/check.h"
#include "profile/profile.h"

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

#define QUESTIONS_MAX 64
#define QUESTIONS_BYTES_MAX ((size_t)4 << 20)
#define CHOICES_MAX 20
#define PROGRAMS_MAX 8
#define TICKS_LEAST 50 /* of a recording: fewer make no share */
#define SHOWN_COLUMNS 80
#define SHOWN_DIGITS 12 /* of a number: a measured one has fewer, and more would show how it is held */

struct program {
    const char *name, *text;
    size_t size;
};
struct question {
    struct program programs[PROGRAMS_MAX];
    size_t program_count;
    const char *ask;          /* one line */
    json_t *choices, *answer; /* choices: NULL for none */
    double tolerance;
    const char *share_of; /* the stage whose share of main's total time is asked for; else NULL */
    bool predict;         /* the learner says first what is expected; it is kept, and not judged */
};
struct questions {
    json_t *all; /* what the others point into */
    struct question items[QUESTIONS_MAX];
    size_t count;
};

static void release_json(json_t **j)
{
    json_decref(*j);
}
static void questions_release(struct questions *q)
{
    json_decref(q->all);
}

/* ---- drawing them ---- */
static bool is_file_name(const char *name)
{
    size_t size = strlen(name);
    return size > 3 && size < 64 && name[0] != '.' && !strchr(name, '/') && strcmp(name + size - 3, ".py") == 0;
}

static bool take_program(json_t *from, struct program *ret)
{
    json_t *text = json_object_get(from, "text");
    *ret = (struct program){.name = json_string_value(json_object_get(from, "name")),
        .text = json_string_value(text),
        .size = json_string_length(text)};
    return ret->name && is_file_name(ret->name) && ret->text;
}

/* "program": one; or "programs": a list of them. */
static bool take_programs(json_t *from, struct question *into)
{
    json_t *list = json_object_get(from, "programs");
    if (!list) {
        into->program_count = 1;
        return take_program(json_object_get(from, "program"), &into->programs[0]);
    }
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && count <= PROGRAMS_MAX; i++)
        if (!take_program(json_array_get(list, i), &into->programs[into->program_count++]))
            return false;
    return into->program_count > 0;
}

static bool take_question(json_t *from, struct question *ret)
{
    json_t *choices = json_object_get(from, "choices"), *tolerance = json_object_get(from, "tolerance");
    *ret = (struct question){.ask = json_string_value(json_object_get(from, "ask")),
        .choices = json_is_array(choices) ? choices : NULL,
        .answer = json_object_get(from, "answer"),
        .tolerance = json_is_number(tolerance) ? json_number_value(tolerance) : 0,
        .share_of = json_string_value(json_object_get(from, "share_of")),
        .predict = json_is_true(json_object_get(from, "predict"))};
    return take_programs(from, ret) && ret->ask && ret->answer && json_array_size(choices) <= CHOICES_MAX;
}

static int parse(const struct buffer *text, struct questions *ret, struct error *e)
{
    *ret = (struct questions){.all = json_loadb((const char *)text->data, text->size, 0, NULL)};
    size_t count = json_array_size(ret->all);
    if (count == 0 || count > QUESTIONS_MAX)
        return error_set(e, EBADMSG, "the lab asks no questions, or too many");
    for (size_t i = 0; i < count; i++)
        if (!take_question(json_array_get(ret->all, i), &ret->items[ret->count++]))
            return error_set(e, EBADMSG, "the lab's question %zu is none", i + 1);
    return 0;
}

/* answered: with the answers that have to be measured, which takes a while. */
static int draw(struct runner *runner, uint64_t seed, bool answered, struct questions *ret, struct error *e)
{
    CLEANUP(buffer_release) struct buffer json;
    buffer_init(&json, QUESTIONS_BYTES_MAX);
    int r = questions_make(runner, seed, answered, &json, e);
    if (r < 0)
        return r;
    r = parse(&json, ret, e);
    if (r < 0)
        questions_release(ret);
    return r;
}

/* ---- laying them down ---- */
static int lay(const char *folder, const char *name, const char *data, size_t size, struct error *e)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return error_set(e, ENAMETOOLONG, "cannot write %s: its path is too long", name);
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    int r = fd < 0 ? -errno : file_write_all(fd, data, size);
    return r < 0 ? error_set(e, -r, "cannot write %s: %s", path, strerror(-r)) : 0;
}

static void put_json(struct buffer *b, json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(SHOWN_DIGITS));
    if (text)
        text_append_safe(b, text, strlen(text));
    free(text);
}

static void put_question(const struct question *q, size_t number, struct buffer *text)
{
    buffer_printf(text, "\n%zu. ", number);
    for (size_t k = 0; k < q->program_count; k++)
        buffer_printf(text, "%s`%s`", k > 0 ? ", " : "", q->programs[k].name);
    buffer_printf(text, ": %s\n", q->ask);
    for (size_t k = 0; k < json_array_size(q->choices); k++) {
        buffer_append_string(text, "   - ");
        put_json(text, json_array_get(q->choices, k));
        buffer_append_byte(text, '\n');
    }
}

static void put_entry(const struct question *q, size_t number, struct json *j)
{
    json_object_begin(j, NULL);
    json_write_integer(j, "question", (int64_t)number);
    if (q->program_count == 1)
        json_text(j, "program", q->programs[0].name);
    if (q->predict)
        json_write_null(j, "prediction");
    json_write_null(j, "answer");
    json_text(j, "recording", "");
    json_object_end(j);
    buffer_append_byte(j->out, '\n');
}

static void put_sheet(const struct grade_lab *lab, const struct questions *q, struct buffer *text, struct buffer *sheet)
{
    struct json j = {.out = sheet};
    bool predict = false;
    for (size_t i = 0; i < q->count; i++)
        predict |= q->items[i].predict;
    buffer_printf(text,
        "# %s\n\n%sRecord each program (`pitviper learn run`), and fill in answers.json: the answer, and the recording "
        "that shows it (`NAME-1.pit`).\n",
        lab->title, predict ? "Write down each prediction before you run anything. " : "");
    json_array_begin(&j, NULL);
    for (size_t i = 0; i < q->count; i++) {
        put_question(&q->items[i], i + 1, text);
        put_entry(&q->items[i], i + 1, &j);
    }
    json_array_end(&j);
    buffer_append_byte(sheet, '\n');
}

static int lay_all(const struct grade_lab *lab, const struct questions *q, const char *folder, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    CLEANUP(buffer_release) struct buffer sheet;
    int r = 0;
    buffer_init(&text, QUESTIONS_BYTES_MAX);
    buffer_init(&sheet, QUESTIONS_BYTES_MAX);
    put_sheet(lab, q, &text, &sheet);
    if (text.failed || sheet.failed)
        return error_set(e, ENOMEM, "out of memory for the questions");
    for (size_t i = 0; r == 0 && i < q->count; i++)
        for (size_t k = 0; r == 0 && k < q->items[i].program_count; k++) {
            const struct program *p = &q->items[i].programs[k];
            r = lay(folder, p->name, p->text, p->size, e);
        }
    if (r == 0)
        r = lay(folder, "questions.md", buffer_text(&text), text.size, e);
    return r < 0 ? r : lay(folder, "answers.json", buffer_text(&sheet), sheet.size, e);
}

int grade_questions_write(
    const struct grade_lab *lab, uint64_t seed, const char *python, const char *folder, struct error *e)
{
    const struct grade_options o = {.python = python, .level_most = SANDBOX_LEVEL_BEST};
    struct runner runner;
    struct questions q = {0};
    int r = lab->kind == GRADE_ANSWERS ? runner_init(&runner, lab, &o, e)
                                       : error_set(e, EINVAL, "%s asks no questions", lab->id);
    if (r < 0)
        return r;
    r = draw(&runner, seed, false, &q, e);
    runner_release(&runner);
    if (r < 0)
        return r;
    r = lay_all(lab, &q, folder, e);
    questions_release(&q);
    return r;
}

/* ---- checking what was answered ---- */
static bool same(json_t *given, const struct question *q)
{
    if (json_is_number(q->answer) && json_is_number(given))
        return fabs(json_number_value(given) - json_number_value(q->answer)) <= q->tolerance;
    return json_equal(given, q->answer) == 1;
}

static bool holds(const struct profile *p, const struct program *program)
{
    uint8_t digest[32];
    sha256(program->text, program->size, digest);
    for (size_t i = 0; i < p->source_count; i++)
        if (memcmp(p->sources[i].sha256, digest, sizeof(digest)) == 0)
            return true;
    return false;
}

/* The program that the recording has to be of: of several, the one that the learner names. NULL: none has this name. */
static const struct program *program_of(const struct question *q, json_t *answer)
{
    for (size_t k = 0; k < q->program_count && q->program_count > 1 && json_is_string(answer); k++)
        if (strcmp(q->programs[k].name, json_string_value(answer)) == 0)
            return &q->programs[k];
    return q->program_count > 1 ? NULL : &q->programs[0];
}

/* The recording that an entry of the sheet cites. NULL: *ret_doubt says what is wrong with it. */
static struct profile *recording_read(const struct check *c, const char *name, const char **ret_doubt)
{
    char path[4096];
    struct error e;
    struct profile *p;
    const struct profile_options options = {.mode = PROFILE_WALL};
    *ret_doubt = "cites no recording";
    if (!name || name[0] == '\0')
        return NULL;
    if (name[0] == '/' || !c->o->questions)
        snprintf(path, sizeof(path), "%s", name);
    else
        snprintf(path, sizeof(path), "%s/%s", c->o->questions, name);
    *ret_doubt = "cites a recording that cannot be opened";
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    *ret_doubt = "cites a file that is no recording";
    if (profile_read(fd, name, &options, &p, &e) < 0)
        return NULL;
    if (p->origin == PROFILE_RECORDING)
        return p;
    profile_free(p);
    return NULL;
}

/* Is it a recording of this program? NULL: yes; else what is wrong. */
static const char *doubt_recording(const struct check *c, const char *name, const struct program *program)
{
    const char *doubt;
    struct profile *p = recording_read(c, name, &doubt);
    if (!p)
        return doubt;
    doubt = !holds(p, program)       ? "cites a recording of another program, or of a changed one"
            : p->ticks < TICKS_LEAST ? "cites a recording of too few samples"
                                     : NULL;
    profile_free(p);
    return doubt;
}

/* The total of a function of this file; 0: it is not there. */
static double total_of(const struct profile *p, const char *file, const char *name)
{
    for (size_t i = 0; i < p->function_count; i++) {
        const struct profile_function *f = &p->functions[i];
        if (f->kind != PROFILE_PYTHON || strcmp(f->name, name) != 0)
            continue;
        const char *slash = strrchr(f->file, '/');
        if (strcmp(slash ? slash + 1 : f->file, file) == 0)
            return (double)f->total.y;
    }
    return 0;
}

/* A share that was read right off its recording is right, if the machine was not at something quite different when it
 * was recorded. */
static bool as_recorded(const struct check *c, const struct question *q, json_t *entry)
{
    const char *doubt, *file = q->programs[0].name;
    json_t *given = json_object_get(entry, "answer");
    if (!file || !q->share_of || !json_is_number(given) || !json_is_number(q->answer))
        return false;
    struct profile *p = recording_read(c, json_string_value(json_object_get(entry, "recording")), &doubt);
    if (!p)
        return false;
    double whole = total_of(p, file, "main");
    double shown = whole > 0 ? 100 * total_of(p, file, q->share_of) / whole : INFINITY;
    profile_free(p);
    return fabs(json_number_value(given) - shown) <= q->tolerance &&
           fabs(shown - json_number_value(q->answer)) <= 2 * q->tolerance;
}

static bool is_right(const struct check *c, const struct question *q, json_t *entry)
{
    return same(json_object_get(entry, "answer"), q) || as_recorded(c, q, entry);
}

static void put_wrong(struct check *c, const struct question *q, size_t number, json_t *given)
{
    struct buffer *b = &c->r->feedback;
    CLEANUP(buffer_release) struct buffer shown;
    buffer_init(&shown, QUESTIONS_BYTES_MAX);
    buffer_printf(b, "  question %zu  %s%s: ", number, q->programs[0].name, q->program_count > 1 ? ", ..." : "");
    text_append_fitted(b, q->ask, SHOWN_COLUMNS);
    buffer_append_string(b, "\n  your answer  ");
    put_json(&shown, given);
    text_append_fitted(b, buffer_text(&shown), SHOWN_COLUMNS);
    buffer_append_byte(b, '\n');
    buffer_clear(&shown);
    put_json(&shown, q->answer);
    buffer_append_string(b, "  right        ");
    text_append_fitted(b, buffer_text(&shown), SHOWN_COLUMNS);
    buffer_append_byte(b, '\n');
}

/* What keeps an entry of the sheet from being judged. NULL: nothing. */
static const char *doubt_entry(const struct check *c, const struct question *q, json_t *entry, const char **next)
{
    json_t *answer = json_object_get(entry, "answer"), *prediction = json_object_get(entry, "prediction");
    *next = "write down what you expect, then measure; a prediction is kept and not judged";
    if (q->predict && (!prediction || json_is_null(prediction)))
        return "has no prediction yet";
    *next = "give each question its {\"answer\": ..., \"recording\": \"NAME-1.pit\"}, in their order";
    if (!answer || json_is_null(answer))
        return "has no answer yet";
    *next = "questions.md lists what can be answered; the questions stay the same";
    bool listed = false;
    for (size_t i = 0; i < json_array_size(q->choices); i++)
        listed |= json_equal(answer, json_array_get(q->choices, i)) == 1;
    if (q->choices && !listed)
        return "has an answer that is none of its choices";
    if (!q->choices && !json_is_number(answer))
        return "asks for a number";
    const struct program *program = program_of(q, answer);
    if (!program)
        return "has an answer that is none of its programs";
    *next = "record that program as it is (pitviper learn run NAME.py), and cite the file; the questions stay the same";
    return doubt_recording(c, json_string_value(json_object_get(entry, "recording")), program);
}

/* Whether all of it can be judged. A sheet that is half filled in, or does not cite what it should, is told so, and no
 * answer of it is judged: a slip of the pen is not taken for a wrong answer. */
static bool is_filled_in(struct check *c, const struct questions *q, json_t *sheet)
{
    struct buffer *b = &c->r->feedback;
    const char *next = "give each question its {\"answer\": ..., \"recording\": \"NAME-1.pit\"}, in their order";
    if (!json_is_array(sheet) || json_array_size(sheet) != q->count)
        buffer_printf(b, "%s: answers.json is no list of %zu entries\n", grade_outcome_text(GRADE_BROKEN), q->count);
    else
        for (size_t i = 0; i < q->count && b->size == 0; i++) {
            const char *doubt = doubt_entry(c, &q->items[i], json_array_get(sheet, i), &next);
            if (doubt)
                buffer_printf(b, "%s: question %zu %s\n", grade_outcome_text(GRADE_BROKEN), i + 1, doubt);
        }
    if (b->size == 0)
        return true;
    buffer_printf(b, "next: %s\n", next);
    c->r->outcome = GRADE_BROKEN;
    return false;
}

static void put_predictions(const struct check *c, const struct questions *q, json_t *sheet, struct buffer *b)
{
    unsigned asked = 0, right = 0;
    for (size_t i = 0; i < q->count; i++)
        if (q->items[i].predict) {
            asked++;
            right += same(json_object_get(json_array_get(sheet, i), "prediction"), &q->items[i]);
        }
    if (asked > 0)
        buffer_printf(b, "  of your %u predictions %u %s right%s\n", asked, right, right == 1 ? "was" : "were",
            c->r->outcome == GRADE_PASSED ? "; that is what this lab is for" : "");
}

/* Each by itself; the first that is wrong is shown. */
static void compare(struct check *c, const struct questions *q, json_t *sheet)
{
    struct buffer *b = &c->r->feedback;
    size_t first = q->count;
    c->r->cases = (unsigned)q->count;
    for (size_t i = 0; i < q->count; i++) {
        bool right = is_right(c, &q->items[i], json_array_get(sheet, i));
        check_progress(c, "answers", (unsigned)i, (unsigned)q->count);
        c->r->right += right;
        if (!right && first == q->count)
            first = i;
    }
    c->r->outcome = first == q->count ? GRADE_PASSED : GRADE_WRONG;
    c->r->points = first == q->count ? 100 : 0;
    buffer_printf(b, "%s: %u of %u answers are right and backed by a recording\n", grade_outcome_text(c->r->outcome),
        c->r->right, c->r->cases);
    put_predictions(c, q, sheet, b);
    if (first < q->count) {
        put_wrong(c, &q->items[first], first + 1, json_object_get(json_array_get(sheet, first), "answer"));
        buffer_append_string(b, "next: look into its recording again; the next attempt asks new questions\n");
    } else {
        buffer_printf(b, "next: see how it can be told: pitviper learn solution %s\n", c->lab->id);
    }
}

/* ---- answers that are measured: null in `asked`, as they came the first time in `q` ---- */
static bool measured_misses(
    const struct check *c, const struct questions *asked, const struct questions *q, json_t *sheet)
{
    for (size_t i = 0; i < q->count && i < asked->count; i++)
        if (json_is_null(asked->items[i].answer) && !is_right(c, &q->items[i], json_array_get(sheet, i)))
            return true;
    return false;
}

static double middle(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* They were measured at one moment, and the machine may have been at something else then: twice more, and the middle
 * one of the three counts. */
static int measure_again(struct check *c, const struct questions *asked, struct questions *q)
{
    struct questions second, third;
    int r = draw(&c->runner, c->r->seed, true, &second, c->e);

    if (r < 0)
        return r;
    r = draw(&c->runner, c->r->seed, true, &third, c->e);
    for (size_t i = 0; r == 0 && i < q->count && i < asked->count && i < second.count && i < third.count; i++) {
        json_t **answer = &q->items[i].answer;
        if (!json_is_null(asked->items[i].answer) || !json_is_number(*answer))
            continue;
        json_t *counts = json_real(middle(json_number_value(*answer), json_number_value(second.items[i].answer),
            json_number_value(third.items[i].answer)));
        if (counts && json_object_set_new(json_array_get(q->all, i), "answer", counts) == 0)
            *answer = counts;
    }
    questions_release(&second);
    if (r == 0)
        questions_release(&third);
    return r;
}

int check_answers(struct check *c)
{
    struct questions asked, q;
    CLEANUP(release_json) json_t *sheet = json_loadb(c->learner.files[0].text, c->learner.files[0].size, 0, NULL);
    check_progress(c, "questions", 0, 1);
    int r = draw(&c->runner, c->r->seed, false, &asked, c->e);
    if (r < 0)
        return r;
    if (is_filled_in(c, &asked, sheet)) { /* nothing is measured for an open one */
        r = draw(&c->runner, c->r->seed, true, &q, c->e);
        if (r == 0) {
            if (measured_misses(c, &asked, &q, sheet))
                r = measure_again(c, &asked, &q);
            if (r == 0)
                compare(c, &q, sheet);
            questions_release(&q);
        }
    }
    questions_release(&asked);
    return r < 0 ? r : 0;
}
