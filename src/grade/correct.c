/* Is it right? On the edges, then on fresh inputs, small ones first, so that the first failure is the smallest. */
#include "grade/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASE_WALL_NS 5000000000u
#define QUICK_PART 2                    /* of the time of a quick check */
#define INPUT_COLUMNS ((size_t)8000000) /* of an input that is kept whole */
#define TEXT_HEAD 5u                    /* bytes before a text in canonical bytes */
#define SHOWN_BEFORE 40u
#define SHOWN_AFTER 60u

static void show(char *into, size_t size, const void *data, size_t data_size)
{
    CLEANUP(buffer_release) struct buffer shown;
    buffer_init(&shown, 4096);
    values_show(data, data_size, CHECK_COLUMNS, &shown);
    snprintf(into, size, "%s", buffer_text(&shown));
}

/* All of what was shown in part. */
static void keep_input(struct check *c, const struct input *input, const char *shown)
{
    struct buffer *whole = &c->r->input;
    buffer_clear(whole);
    if (c->lab->kind != GRADE_CODE)
        return;
    values_show(input->shown, input->shown_size, INPUT_COLUMNS, whole);
    if (whole->failed || strcmp(buffer_text(whole), shown) == 0 ||
        text_width(buffer_text(whole), whole->size) >= INPUT_COLUMNS)
        buffer_clear(whole);
}

/* As a call is written: the arguments are a tuple. */
static void tell_input(struct check *c, const struct input *input)
{
    char arguments[4 * CHECK_COLUMNS];
    if (input->shown_size == 0)
        return;
    show(arguments, sizeof(arguments), input->shown, input->shown_size);
    keep_input(c, input, arguments);
    size_t n = strlen(arguments);
    if (n > 2 && strcmp(arguments + n - 2, ",)") == 0)
        memcpy(arguments + n - 2, ")", 2);
    snprintf(c->told.input, sizeof(c->told.input), "%.60s%.330s", c->lab->function, arguments);
}

void check_tell_failure(struct check *c, const struct input *input, const struct trial *learner)
{
    tell_input(c, input);
    snprintf(c->told.why, sizeof(c->told.why), "%s", learner->why);
}

/* Answers of a program are long texts of JSON: what stands about the first place where they differ. */
static void show_about(char *into, size_t size, const struct buffer *text, size_t at)
{
    CLEANUP(buffer_release) struct buffer shown;
    size_t from = at > TEXT_HEAD + SHOWN_BEFORE ? at - SHOWN_BEFORE : TEXT_HEAD;
    size_t end = at + SHOWN_AFTER < text->size ? at + SHOWN_AFTER : text->size;
    buffer_init(&shown, 4096);
    buffer_append_string(&shown, from > TEXT_HEAD ? "... " : "");
    if (end > from)
        text_append_safe(&shown, (const char *)text->data + from, end - from);
    buffer_append_string(&shown, end < text->size ? " ..." : "");
    snprintf(into, size, "%s", buffer_text(&shown));
}

static void tell_texts(struct check *c, const struct buffer *answer, const struct buffer *right)
{
    size_t at = TEXT_HEAD;
    while (at < answer->size && at < right->size && answer->data[at] == right->data[at])
        at++;
    show_about(c->told.answer, sizeof(c->told.answer), answer, at);
    show_about(c->told.right, sizeof(c->told.right), right, at);
}

bool check_same(struct check *c, const struct input *input, const struct buffer *answer, const struct buffer *right)
{
    struct values_difference d;
    if (!values_differ(answer->data, answer->size, right->data, right->size, c->lab->tolerance, &d))
        return true;
    tell_input(c, input);
    if (c->lab->kind == GRADE_PROGRAM) {
        tell_texts(c, answer, right);
        return false;
    }
    show(c->told.answer, sizeof(c->told.answer), answer->data, answer->size);
    show(c->told.right, sizeof(c->told.right), right->data, right->size);
    if (d.path[0]) {
        snprintf(c->told.path, sizeof(c->told.path), "%s", d.path);
        snprintf(c->told.why, sizeof(c->told.why), "%s instead of %s", d.a, d.b);
    }
    return false;
}

static int ask_judge(struct check *c, const struct input *input, const struct trial *learner, bool *ret_right)
{
    CLEANUP(buffer_release) struct buffer said;
    buffer_init(&said, TRIAL_WHY_MAX);
    int r = input_judge(&c->runner, input, &learner->answer, &said, c->e);
    if (r < 0)
        return r;
    *ret_right = said.size == 0;
    if (said.size > 0) {
        tell_input(c, input);
        show(c->told.answer, sizeof(c->told.answer), learner->answer.data, learner->answer.size);
        snprintf(c->told.why, sizeof(c->told.why), "%s", buffer_text(&said));
    }
    return 0;
}

/* The answer of the lab's own code. `ret` is initialised here; the caller releases it if this succeeds. */
static int ask_oracle(
    struct check *c, const struct input *input, uint32_t hash_seed, const struct source *oracle, struct buffer *ret)
{
    struct trial right;
    struct memo_key key;
    const char *name = oracle == &c->starter ? "starter" : "reference";
    memo_key(name, hash_seed, input->data, input->size, &key);
    buffer_init(ret, TRIAL_INPUT_MAX);
    if (memo_recall(c->runner.memo, &key, ret))
        return 0;
    c->runner.own = !(c->lab->allow & SANDBOX_FORK); /* what processes need of each other differs by level */
    int r = trial_run(&c->runner, oracle, input, hash_seed, SANDBOX_WALL_NS, &right, c->e);
    c->runner.own = false;
    if (r < 0)
        return r;
    if (right.outcome == GRADE_PASSED) {
        *ret = right.answer;
        buffer_init(&right.answer, 0);
        memo_keep(c->runner.memo, &key, ret);
    } else {
        r = error_set(c->e, EBADMSG, "the lab's own %s failed: %.200s", name, right.why);
    }
    trial_release(&right);
    return r;
}

int check_answer(struct check *c, const struct input *input, uint32_t hash_seed, const struct trial *learner,
    const struct source *oracle, bool *ret_right)
{
    struct buffer right;
    if (c->lab->oracle == GRADE_BY_JUDGE)
        return ask_judge(c, input, learner, ret_right);
    int r = ask_oracle(c, input, hash_seed, oracle, &right);
    if (r < 0)
        return r;
    *ret_right = check_same(c, input, &learner->answer, &right);
    buffer_release(&right);
    return 0;
}

static int try_one(struct check *c, const struct input *input, unsigned number)
{
    struct trial learner;
    uint32_t hash_seed = (uint32_t)check_seed(c, "hash", number, 0);
    bool right = false;
    int r = trial_run(&c->runner, &c->learner, input, hash_seed, CASE_WALL_NS, &learner, c->e);
    if (r < 0)
        return r;
    if (learner.outcome == GRADE_PASSED) {
        r = check_answer(
            c, input, hash_seed, &learner, c->lab->oracle == GRADE_BY_STARTER ? &c->starter : &c->reference, &right);
        c->r->outcome = right ? GRADE_PASSED : GRADE_WRONG;
    } else {
        check_tell_failure(c, input, &learner);
        c->told.late = learner.outcome == GRADE_SLOW;
        c->r->outcome = learner.outcome == GRADE_WRONG ? GRADE_WRONG : GRADE_BROKEN;
    }
    c->r->right += right;
    trial_release(&learner);
    return r;
}

static int by_size(const void *a, const void *b)
{
    size_t x = ((const struct input *)a)->shown_size, y = ((const struct input *)b)->shown_size;
    return (x > y) - (x < y);
}

static int make_cases(struct check *c, struct inputs *ret)
{
    struct input_wish *wishes = calloc(c->lab->case_count, sizeof(*wishes));
    if (!wishes)
        return error_set(c->e, ENOMEM, "out of memory");
    for (unsigned i = 0; i < c->lab->case_count; i++)
        wishes[i] = (struct input_wish){
            .seed = check_seed(c, "case", i, 0), .size = c->lab->case_sizes[i % c->lab->case_size_count]};
    int r = inputs_make(&c->runner, wishes, c->lab->case_count, ret, c->e);
    free(wishes);
    return r;
}

int check_cases(struct check *c)
{
    struct inputs all[2] = {0};
    unsigned done = 0;
    int r = inputs_make_edges(&c->runner, &all[0], c->e);
    if (r == 0)
        r = make_cases(c, &all[1]);
    c->r->cases = (unsigned)(all[0].count + all[1].count);
    uint64_t half = c->deadline_ns - (c->deadline_ns - c->began_ns) / QUICK_PART;
    for (int part = 0; part < 2 && r == 0 && c->r->outcome == GRADE_PASSED; part++) {
        qsort(all[part].items, all[part].count, sizeof(all[part].items[0]), by_size);
        for (size_t i = 0; i < all[part].count && r == 0 && c->r->outcome == GRADE_PASSED; i++) {
            /* A quick check goes as far as half of its time. */
            if (clock_monotonic_ns() > half && c->r->provisional)
                break;
            check_progress(c, "correctness", done++, c->r->cases);
            r = try_one(c, &all[part].items[i], done);
        }
    }
    if (c->r->provisional && c->r->outcome == GRADE_PASSED)
        c->r->cases = done;
    trial_inputs_release(&all[0]);
    trial_inputs_release(&all[1]);
    return r;
}
