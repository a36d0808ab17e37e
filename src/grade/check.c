/* One attempt, from the learner's file to the outcome. */
#include "grade/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "grade/inside.h"
#include "grade/readability.h"

#define ORDINARY_NS 20000000000u
#define SLOW_NS 60000000000u
#define QUICK_NS 3000000000u
#define PROGRAM_NS 295000000000u /* of five minutes; what is under way may end later */
#define PROGRAM_QUICK_NS 60000000000u
#define FEEDBACK_MAX ((size_t)16 << 10)
#define RECEIPT_MAX ((size_t)512 << 10)
#define RECORDING_MAX ((size_t)16 << 20)
#define INPUT_MAX ((size_t)16 << 20)
#define NULL_WALL_NS 10000000000u

const char *grade_outcome_text(enum grade_outcome outcome)
{
    static const char *const texts[] = {
        [GRADE_PASSED] = "passed",
        [GRADE_WRONG] = "wrong answer",
        [GRADE_BROKEN] = "does not run",
        [GRADE_SLOW] = "too slow",
        [GRADE_UNREADABLE] = "hard to read",
        [GRADE_UNRESOLVED] = "not settled",
        [GRADE_FAULT] = "grader's fault",
    };
    return (unsigned)outcome < ARRAY_SIZE(texts) ? texts[outcome] : "";
}

uint64_t check_left_ns(const struct check *c)
{
    uint64_t now = clock_monotonic_ns();
    return now < c->deadline_ns ? c->deadline_ns - now : 0;
}

uint64_t check_seed(const struct check *c, const char *what, uint64_t a, uint64_t b)
{
    struct sha256 h;
    uint8_t digest[32];
    uint64_t words[] = {c->r->seed, a, b}, seed;
    sha256_init(&h);
    sha256_update(&h, words, sizeof(words));
    sha256_update(&h, what, strlen(what));
    sha256_final(&h, digest);
    memcpy(&seed, digest, sizeof(seed));
    return seed;
}

void check_progress(struct check *c, const char *stage, unsigned done, unsigned of)
{
    if (c->o->progress)
        c->o->progress(c->o->context, stage, done, of);
}

int check_fault(struct check *c, int r)
{
    if (r >= 0 || r == -EINTR || r == -ENOTSUP)
        return r;
    snprintf(c->fault, sizeof(c->fault), "%s", c->e->text);
    c->r->outcome = GRADE_FAULT;
    return 0;
}

/* ---- sources ---- */
static struct source single(struct check *c, size_t number, const char *text, size_t size)
{
    c->single[number] = (struct source_file){c->lab->file, text, size};
    return (struct source){&c->single[number], 1};
}

static int read_learner(struct check *c)
{
    buffer_init(&c->learner_text, TRIAL_SOURCE_MAX);
    int r = file_read_all(AT_FDCWD, c->o->source, &c->learner_text);
    if (r == -EFBIG)
        return error_set(c->e, EFBIG, "%s is larger than %zu bytes", c->o->source, TRIAL_SOURCE_MAX);
    if (r < 0)
        return error_set(c->e, -r, "cannot read %s: %s", c->o->source, strerror(-r));
    c->learner = single(c, 0, buffer_text(&c->learner_text), c->learner_text.size);
    return 0;
}

static int take_sources(struct check *c)
{
    char path[80];
    snprintf(path, sizeof(path), "starter/%s", c->lab->file);
    const struct grade_file *starter = grade_lab_file(c->lab, path);
    const struct grade_file *reference = grade_lab_file(c->lab, c->lab->references[0]);
    c->starter = single(c, 1, starter->data, starter->size);
    c->reference = single(c, 2, reference->data, reference->size);
    buffer_init(&c->null_text, 256);
    buffer_printf(&c->null_text, "def %s(*arguments):\n    return None\n", c->lab->function);
    c->null = single(c, 3, buffer_text(&c->null_text), c->null_text.size);
    return read_learner(c);
}

/* Before anybody's code is judged: can this machine run a program that does nothing? */
static int try_null(struct check *c)
{
    static const uint8_t no_arguments[] = {')', 0}; /* marshal's empty tuple */
    const struct input nothing = {.data = no_arguments, .size = sizeof(no_arguments)};
    struct trial s;
    int r = trial_run(&c->runner, &c->null, &nothing, 1, NULL_WALL_NS, &s, c->e);
    if (r < 0)
        return r;
    if (s.outcome != GRADE_PASSED)
        r = error_set(c->e, EBADMSG, "a program that does nothing failed here: %.300s", s.why);
    trial_release(&s);
    return r;
}

static int measure_readability(struct check *c)
{
    check_progress(c, "readability", 0, 1);
    return readability_measure(c->runner.machine.python.path, c->learner.files[0].text, c->learner.files[0].size,
        c->reference.files[0].text, c->reference.files[0].size, &c->r->readability, c->unreadable,
        sizeof(c->unreadable));
}

/* What the machine withheld may be why it failed. */
static int doubt_machine(struct check *c)
{
    if (c->runner.refused == 0)
        return 0;
    return error_set(c->e, ENOSYS, "this machine cannot grant what the lab needs (sandbox level %d)", c->runner.level);
}

static int judge(struct check *c)
{
    int r = try_null(c);
    if (r == 0)
        r = check_cases(c);
    if (r == 0 && c->r->outcome == GRADE_PASSED && !c->o->untimed)
        r = check_gates(c);
    if (r == 0 && c->r->outcome != GRADE_PASSED && c->r->outcome != GRADE_WRONG)
        r = doubt_machine(c);
    if (r < 0 || c->r->outcome != GRADE_PASSED)
        return r;
    if (check_judges_readability(c) && (r = measure_readability(c)) < 0)
        return error_set(c->e, -r, "cannot measure the readability: %s", strerror(-r));
    check_score(c);
    return 0;
}

static int judge_program(struct check *c)
{
    int r = try_null(c);
    if (r == 0)
        r = check_cases(c);
    if (r == 0 && c->r->outcome == GRADE_PASSED)
        r = check_program_kills(c);
    if (r == 0 && c->r->outcome == GRADE_PASSED && !c->r->provisional)
        r = check_program_findings(c);
    if (r == 0 && c->r->outcome == GRADE_PASSED && !c->o->untimed)
        r = check_gates(c);
    if (r == 0 && c->r->outcome == GRADE_PASSED)
        check_score_program(c);
    return r == 0 && c->r->outcome == GRADE_BROKEN ? doubt_machine(c) : r;
}

static int judge_kind(struct check *c)
{
    switch (c->lab->kind) {
    case GRADE_ANSWERS:
        return check_answers(c);
    case GRADE_PROGRAM:
        return judge_program(c);
    case GRADE_CODE:
        break;
    }
    return judge(c);
}

/* ---- the whole ---- */
static int draw(struct check *c)
{
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return error_set(c->e, EIO, "cannot draw random numbers");
    text_hex(bytes, sizeof(bytes), c->r->id);
    c->r->seed = c->lab->kind == GRADE_PROGRAM ? 0 : c->o->seed; /* a variant's is not that of the inputs */
    while (c->r->seed == 0)
        if (getrandom(&c->r->seed, sizeof(c->r->seed), 0) != (ssize_t)sizeof(c->r->seed))
            return error_set(c->e, EIO, "cannot draw random numbers");
    return 0;
}

static int check_it(struct check *c)
{
    bool asks = c->lab->kind == GRADE_ANSWERS, program = c->lab->kind == GRADE_PROGRAM;
    int r = asks ? read_learner(c) : program ? 0 : take_sources(c);
    if (r == 0 && (r = runner_init(&c->runner, c->lab, c->o, c->e)) == 0) {
        if (program && (r = check_program_sources(c)) < 0) {
            runner_release(&c->runner);
            return r;
        }
        r = check_fault(c, judge_kind(c));
        c->r->level = c->runner.level;
        c->r->spent_ns = clock_monotonic_ns() - c->began_ns;
        if (r == 0) {
            if (!asks || c->r->outcome == GRADE_FAULT)
                check_feedback(c);
            check_receipt(c);
        }
        runner_release(&c->runner);
        check_program_release(c);
    }
    buffer_release(&c->learner_text);
    buffer_release(&c->null_text);
    return r;
}

int grade_check(const struct grade_lab *lab, const struct grade_options *o, struct grade_result *ret, struct error *e)
{
    struct grade_result result = {.outcome = GRADE_PASSED, .provisional = o->quick};
    struct error own = {""};
    uint64_t budget = o->quick ? QUICK_NS : lab->slow ? SLOW_NS : ORDINARY_NS;
    if (lab->kind == GRADE_PROGRAM)
        budget = o->quick ? PROGRAM_QUICK_NS : PROGRAM_NS;
    if (o->most_ns > 0)
        budget = o->most_ns;
    if (lab->kind != GRADE_CODE && o->seed == 0)
        return error_set(e, EINVAL, "what was laid down? Its seed is missing");
    struct check *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(e, ENOMEM, "out of memory");
    *c = (struct check){.lab = lab, .o = o, .r = &result, .e = e ? e : &own, .began_ns = clock_monotonic_ns()};
    c->deadline_ns = c->began_ns + budget;
    buffer_init(&result.feedback, FEEDBACK_MAX);
    buffer_init(&result.receipt, RECEIPT_MAX);
    buffer_init(&result.recording, RECORDING_MAX);
    buffer_init(&result.input, INPUT_MAX);
    int r = draw(c);
    if (r == 0)
        r = check_it(c);
    if (r == 0 && (result.feedback.failed || result.receipt.failed))
        r = error_set(c->e, ENOMEM, "out of memory for the result");
    for (size_t i = 0; i < GRADE_GATES_MAX; i++)
        free(c->samples[i].items);
    free(c);
    if (r < 0)
        grade_result_release(&result);
    else
        *ret = result;
    return r;
}

void grade_result_release(struct grade_result *r)
{
    buffer_release(&r->feedback);
    buffer_release(&r->receipt);
    buffer_release(&r->recording);
    buffer_release(&r->input);
}
