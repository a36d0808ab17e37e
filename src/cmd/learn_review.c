/* `learn review`: three works of others, taken alone; each is reviewed before the reference review is shown. */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "project/project.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20)
#define FAR 2 /* levels apart: one of the two missed something */
#define WORK_FILES_MAX 16u

static int review_path(const struct learner *l, const char *work, char ret[LEARN_PATH_MAX])
{
    return learn_path(&l->course, ret, REVIEWS_FOLDER "/review-%s.md", work) == 0
               ? 0
               : cmd_fail_text(CMD_FAILED, "the name of the course's folder is too long");
}

/* ---- alone ---- */

static void put_next(struct buffer *out, const struct learner *l)
{
    const char *left = NULL;
    for (size_t i = LEARN_WORKS; i-- > 0;)
        if (l->state.work.reviews[i] == NULL)
            left = learn_work_names[i];
    if (left != NULL)
        buffer_printf(out, "\nnext: pitviper learn review check %s\n", left);
    else
        buffer_append_string(out, "\nnext: pitviper learn report\n");
}

static int say_where(const struct learner *l)
{
    CLEANUP(buffer_release) struct buffer out;
    char path[LEARN_PATH_MAX];
    bool laid = false;
    buffer_init(&out, OUTPUT_MAX);
    for (size_t i = 0; i < LEARN_WORKS; i++) {
        int status = review_path(l, learn_work_names[i], path);
        if (status != 0)
            return status;
        bool there = access(path, F_OK) == 0;
        laid = laid || there;
        const struct learn_event *x = l->state.work.reviews[i];
        buffer_printf(&out, "%-7s %s", learn_work_names[i],
            x != NULL ? "reviewed"
            : there   ? "to be reviewed in "
                      : "not laid down");
        if (x != NULL)
            buffer_printf(&out, ", %u anchored sentence%s", x->right, x->right == 1 ? "" : "s");
        else if (there)
            learner_put_path(&out, path);
        buffer_append_byte(&out, '\n');
    }
    buffer_printf(&out, "anchored sentences: %u; two stand for taking part in discussions\n", l->state.work.anchored);
    if (laid || l->state.work.reviewed > 0)
        put_next(&out, l);
    else
        buffer_append_string(&out, "\nnext: pitviper learn review start\n");
    return cmd_print(STDOUT_FILENO, &out);
}

/* ---- start ---- */

static int start(struct learner *l)
{
    CLEANUP(buffer_release) struct buffer out;
    struct learn_laid laid = {.written = 0};
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    if (project_lay_reviews(&l->course, &laid, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    buffer_append_string(&out, "three works are in ");
    learner_put_path(&out, laid.folder);
    buffer_printf(&out, ": %u file%s written", laid.written, laid.written == 1 ? "" : "s");
    if (laid.kept > 0)
        buffer_printf(&out, ", %u that lay there stayed", laid.kept);
    buffer_append_string(&out,
        "\nthey are not equally good. Read the report, run before/ and after/, measure, and fill in "
        "review-first.md\n");
    put_next(&out, l);
    return cmd_print(STDOUT_FILENO, &out);
}

/* ---- check ---- */

static void put_differences(
    struct buffer *out, const int8_t given[LEARN_REVIEW_CRITERIA], const struct learn_review *reference)
{
    unsigned far = 0;
    for (size_t i = 0; i < LEARN_REVIEW_CRITERIA; i++) {
        int apart = given[i] - reference->levels[i];
        if (given[i] < 0 || reference->levels[i] < 0 || abs(apart) < FAR)
            continue;
        buffer_printf(out, "%s%s: you %d, the reference %d\n",
            far++ == 0 ? "\nfar apart: one of you missed something\n" : "", learn_criteria[i], given[i],
            reference->levels[i]);
    }
    if (far == 0)
        buffer_append_string(out, "\nno level is two or more apart from the reference's\n");
}

static void put_reference(struct buffer *out, const char *work, const int8_t given[LEARN_REVIEW_CRITERIA])
{
    const struct grade_file *f = project_reference(work);
    struct learn_work_file files[WORK_FILES_MAX];
    struct learn_review reference;
    if (f == NULL)
        return;
    buffer_append_byte(out, '\n');
    buffer_append(out, f->data, f->size);
    learn_review_read(f->data, f->size, files, project_work_files(work, files, WORK_FILES_MAX), NULL, &reference);
    put_differences(out, given, &reference);
}

static int keep(struct learner *l, const char *work, const struct learn_review *review, struct buffer *text)
{
    struct learn_event x = {
        .kind = LEARN_REVIEW,
        .work = work,
        .right = review->anchored,
        .of = review->sentences,
        .text = buffer_text(text),
    };
    memset(x.levels, -1, sizeof(x.levels));
    memcpy(x.levels, review->levels, sizeof(review->levels));
    return learner_add(l, &x);
}

/* The first that was kept stands, because its author had not seen the reference. */
static int check(struct learner *l, size_t index)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(buffer_release) struct buffer text;
    CLEANUP(buffer_release) struct buffer missing;
    const char *work = learn_work_names[index];
    struct learn_work_file files[WORK_FILES_MAX];
    struct learn_review review;
    char path[LEARN_PATH_MAX];
    bool again = l->state.work.reviews[index] != NULL;
    buffer_init(&out, OUTPUT_MAX);
    buffer_init(&text, LEARN_TEXT_MAX);
    buffer_init(&missing, OUTPUT_MAX);
    int status = review_path(l, work, path);
    if (status != 0)
        return status;
    char folder[LEARN_PATH_MAX], name[32];
    if (learn_path(&l->course, folder, REVIEWS_FOLDER) < 0)
        return cmd_fail_text(CMD_FAILED, "the name of the course's folder is too long");
    snprintf(name, sizeof(name), "review-%s.md", work);
    int r = project_file_read(folder, name, &text);
    if (r < 0)
        return r == -EFBIG ? cmd_fail_text(CMD_FAILED, "a review has %zu KB at most", LEARN_TEXT_MAX >> 10)
               : r == -ENOENT
                   ? cmd_fail_text(CMD_FAILED, "there is no %s: 'pitviper learn review start' lays a form down", path)
                   : cmd_fail_text(CMD_FAILED, "cannot read %s: %s", path, strerror(-r));
    size_t count = project_work_files(work, files, WORK_FILES_MAX);
    learn_review_read((const char *)text.data, text.size, files, count, &l->log, &review);
    learn_review_missing(&review, &missing);
    if (missing.size > 0) {
        buffer_printf(&out, "the review of %s is not whole:\n", work);
        for (const char *at = buffer_text(&missing); *at != '\0'; at += strcspn(at, "\n") + 1)
            buffer_printf(&out, "  %.*s\n", (int)strcspn(at, "\n"), at);
        buffer_printf(&out, "\nnext: fill that in, then pitviper learn review check %s\n", work);
        int printed = cmd_print(STDOUT_FILENO, &out);
        return printed != 0 ? printed : CMD_NO;
    }
    status = keep(l, work, &review, &text);
    if (status != 0)
        return status;
    buffer_printf(&out, "the review of %s is kept: %u of %u sentences have an anchor%s\n", work, review.anchored,
        review.sentences, again ? "; the first one, written before you saw the reference, stands" : "");
    put_reference(&out, work, review.levels);
    put_next(&out, l);
    return cmd_print(STDOUT_FILENO, &out);
}

/* ---- the verb ---- */

static int learn_review_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    size_t work = 0;
    int used = cmd_options_parse(verb, NULL, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    argc -= used;
    argv += used;
    bool checks = argc == 2 && strcmp(argv[0], "check") == 0;
    while (checks && work < LEARN_WORKS && strcmp(argv[1], learn_work_names[work]) != 0)
        work++;
    if (argc > 0 && !(argc == 1 && strcmp(argv[0], "start") == 0) && !(checks && work < LEARN_WORKS))
        return cmd_fail_text(CMD_USAGE, "learn review: alone, 'start', or 'check first', 'second' or 'third'");
    int status = learner_open(NULL, &l);
    if (status != 0)
        return status;
    return argc == 0 ? say_where(&l) : checks ? check(&l, work) : start(&l);
}

const struct cmd_verb learn_review_verb = {
    .name = "learn review",
    .synopsis = "[start | check first|second|third]",
    .summary = "review three works of others, then see the reference review",
    .details =
        "'start' lays the works down, with a form for each. 'check' reads review-NAME.md: a level from 0 to 3 for "
        "each\n"
        "criterion, a sentence that names a place, and what the author should do first. A whole one is kept, and the\n"
        "reference is shown beside it. Sentences with an anchor (after/weblog.py:117, a receipt, NAME.pit) are "
        "counted.",
    .run = learn_review_run,
};
