/* What follows from a log: the one next thing, what stands of several attempts, whose minutes were spent on what; and
 * what a reflection has to have. */
#include "learn/learn.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE UINT64_C(60000000000)
#define RECEIPT "0123456789abcdef0123456789abcdef"
#define OTHER_RECEIPT "01234567ffffffffffffffffffffffff"

/* Modules 1 and 2, two core labs each, and a stretch lab between. */
static const struct grade_lab course[] = {
    {.id = "1.1", .module = 1, .core = true, .kind = GRADE_ANSWERS},
    {.id = "1.2", .module = 1, .core = true},
    {.id = "1.3", .module = 1},
    {.id = "2.1", .module = 2, .core = true},
    {.id = "2.2", .module = 2, .core = true},
};

static struct learn_event events[32];
static size_t count;

static int setup(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

static struct learn_event *put(unsigned minute, enum learn_kind kind, const char *lab)
{
    assert_true(count < ARRAY_SIZE(events));
    struct learn_event *x = &events[count];
    *x = (struct learn_event){.time_ns = (1000 + minute) * MINUTE, .kind = kind, .lab = lab, .receipt = "", .text = ""};
    snprintf(x->id, sizeof(x->id), "%032zx", count);
    snprintf(x->machine, sizeof(x->machine), "aa");
    count++;
    return x;
}

static struct learn_event *work(unsigned minute, enum learn_kind kind, const char *name)
{
    struct learn_event *x = put(minute, kind, "");
    x->work = name;
    return x;
}

static struct learn_event *check(unsigned minute, const char *lab, enum grade_outcome outcome, unsigned points)
{
    struct learn_event *x = put(minute, LEARN_CHECK, lab);
    x->outcome = outcome;
    x->points = points;
    return x;
}

static struct learn_state compute(void)
{
    const struct learn_log log = {.events = events, .count = count};
    struct learn_state s;
    struct error e;
    assert_int_equal(learn_state_compute(&log, course, ARRAY_SIZE(course), "aa", &s, &e), 0);
    return s;
}

static void expect_step(enum learn_step step, const char *lab, unsigned module)
{
    struct learn_state s = compute();
    assert_int_equal(s.step, step);
    assert_int_equal(s.module, module);
    if (lab == NULL)
        assert_null(s.lab);
    else
        assert_string_equal(s.lab->lab->id, lab);
    learn_state_release(&s);
}

static void leads_through_the_course(void **state)
{
    (void)state;
    expect_step(LEARN_STEP_NEXT, "1.1", 1);
    put(0, LEARN_BEGIN, "1.1");
    expect_step(LEARN_STEP_RUN, "1.1", 1);
    put(1, LEARN_RUN, "1.1");
    expect_step(LEARN_STEP_CHECK, "1.1", 1);
    check(2, "1.1", GRADE_SLOW, 0);
    expect_step(LEARN_STEP_CHECK, "1.1", 1);
    check(3, "1.1", GRADE_PASSED, 90);
    expect_step(LEARN_STEP_NEXT, "1.2", 1);
    check(4, "1.2", GRADE_PASSED, 90);
    expect_step(LEARN_STEP_REFLECT, NULL, 1);
    put(5, LEARN_REFLECT, "")->module = 1;
    expect_step(LEARN_STEP_NEXT, "2.1", 2);
    check(6, "2.1", GRADE_PASSED, 90);
    check(7, "2.2", GRADE_PASSED, 90);
    put(8, LEARN_REFLECT, "")->module = 2;
    expect_step(LEARN_STEP_PROJECT, NULL, 9);
    put(9, LEARN_BEGIN, "1.3"); /* a stretch lab, once it is begun */
    expect_step(LEARN_STEP_RUN, "1.3", 1);
}

static void the_lab_that_was_touched_last_comes_first(void **state)
{
    (void)state;
    put(0, LEARN_BEGIN, "1.1");
    put(1, LEARN_BEGIN, "2.1");
    expect_step(LEARN_STEP_RUN, "2.1", 2);
    put(2, LEARN_HINT, "1.1");
    expect_step(LEARN_STEP_RUN, "1.1", 1);
}

static void the_best_resolved_attempt_stands(void **state)
{
    (void)state;
    check(0, "1.2", GRADE_SLOW, 40);
    check(1, "1.2", GRADE_PASSED, 80);
    check(2, "1.2", GRADE_PASSED, 95);
    check(3, "1.2", GRADE_PASSED, 95);
    check(4, "1.2", GRADE_WRONG, 0);
    check(5, "1.2", GRADE_FAULT, 0);
    check(6, "1.2", GRADE_UNRESOLVED, 0);
    check(7, "1.2", GRADE_PASSED, 100)->quick = true; /* provisional: counts for nothing */
    struct learn_state s = compute();
    const struct learn_lab_state *lab = learn_state_find(&s, "1.2");
    assert_true(lab->passed);
    assert_ptr_equal(lab->best, &events[2]);
    assert_ptr_equal(lab->last, &events[4]);
    assert_int_equal(lab->attempts, 5);
    assert_int_equal(lab->unresolved, 2);
    learn_state_release(&s);
}

static void a_fault_of_the_grader_is_no_attempt(void **state)
{
    (void)state;
    put(0, LEARN_BEGIN, "1.2");
    check(1, "1.2", GRADE_FAULT, 0);
    struct learn_state s = compute();
    assert_false(learn_state_find(&s, "1.2")->passed);
    assert_int_equal(learn_state_find(&s, "1.2")->attempts, 0);
    assert_null(learn_state_find(&s, "1.2")->best);
    learn_state_release(&s);
}

static void hints_and_solutions_are_remembered(void **state)
{
    (void)state;
    put(0, LEARN_HINT, "1.1")->step = 2;
    put(1, LEARN_HINT, "1.1")->step = 1;
    put(2, LEARN_SOLUTION, "1.1");
    struct learn_state s = compute();
    assert_int_equal(learn_state_find(&s, "1.1")->hints, 2);
    assert_true(learn_state_find(&s, "1.1")->solution);
    learn_state_release(&s);
}

static void minutes_go_to_what_they_led_to(void **state)
{
    (void)state;
    put(0, LEARN_START, "");
    put(17, LEARN_BEGIN, "1.1"); /* 17 of reading */
    put(20, LEARN_RUN, "1.1");   /* 3, and 5, of the lab */
    check(25, "1.1", GRADE_PASSED, 90);
    put(85, LEARN_BEGIN, "1.2"); /* an hour: a break */
    check(90, "1.2", GRADE_PASSED, 90);
    put(96, LEARN_REFLECT, "")->module = 1;
    struct learn_event *there = check(97, "2.1", GRADE_SLOW, 10); /* on another machine, at the same time */
    snprintf(there->machine, sizeof(there->machine), "bb");
    struct learn_state s = compute();
    assert_int_equal(s.modules[1].spent_ns, (17 + 6) * MINUTE);
    assert_int_equal(learn_state_find(&s, "1.1")->spent_ns, 8 * MINUTE);
    assert_int_equal(learn_state_find(&s, "1.2")->spent_ns, 5 * MINUTE);
    assert_int_equal(learn_state_find(&s, "2.1")->spent_ns, 0);
    assert_int_equal(s.spent_ns, 36 * MINUTE);
    learn_state_release(&s);
}

static void the_questions_are_those_of_this_machine(void **state)
{
    (void)state;
    put(0, LEARN_BEGIN, "1.1")->seed = 5;
    struct learn_event *there = put(1, LEARN_BEGIN, "1.1");
    there->seed = 7;
    snprintf(there->machine, sizeof(there->machine), "bb");
    struct learn_state s = compute();
    assert_int_equal(learn_state_find(&s, "1.1")->seed, 5);
    learn_state_release(&s);
    put(2, LEARN_BEGIN, "1.1")->seed = 9;
    s = compute();
    assert_int_equal(learn_state_find(&s, "1.1")->seed, 9);
    learn_state_release(&s);
}

static void what_the_log_says_of_unknown_labs_is_nothing(void **state)
{
    (void)state;
    check(0, "99.9", GRADE_PASSED, 100);
    check(1, "", GRADE_PASSED, 100);
    put(2, LEARN_REFLECT, ""); /* of module 0 */
    put(3, LEARN_OTHER, "1.1");
    expect_step(LEARN_STEP_NEXT, "1.1", 1);
}

/* ---- reflections ---- */

static const char sixty[] =
    "one two three four five six seven eight nine ten one two three four five six seven eight nine ten one two three "
    "four five six seven eight nine ten one two three four five six seven eight nine ten one two three four five six "
    "seven eight nine ten one two three four five six seven eight nine ten ";

static int reflect(const char *ending, struct error *e)
{
    static const double figures[] = {3.4172, 2.9, 0.35, 10, 0.0211};
    const struct learn_log log = {.events = events, .count = count};
    const struct learn_event *cited = NULL;
    char text[1024];
    for (size_t i = 0; i < count; i++) {
        events[i].figures = figures;
        events[i].figure_count = ARRAY_SIZE(figures);
    }
    snprintf(text, sizeof(text), "%s%s", sixty, ending);
    int r = learn_reflect_check(&log, text, &cited, e);
    assert_true((r == 0) == (cited != NULL));
    return r;
}

static void a_reflection_cites_a_receipt_and_quotes_it(void **state)
{
    (void)state;
    struct error e;
    check(0, "1.1", GRADE_PASSED, 90)->receipt = RECEIPT;
    check(1, "1.1", GRADE_PASSED, 90)->receipt = OTHER_RECEIPT;
    assert_int_equal(reflect("01234567: 3.4x", &e), 0);
    assert_int_equal(reflect(RECEIPT " was 3.42 times as fast", &e), 0);
    assert_int_equal(reflect("(01234567) the peak fell to 35 %", &e), 0);
    assert_int_equal(reflect("01234567 0.35", &e), 0);
    assert_int_equal(reflect("01234567 0.02 of the starter's peak", &e), 0); /* as the check told it */
    assert_int_equal(reflect("01234567 0.00 of the starter's peak", &e), -EINVAL);
    assert_int_equal(reflect("01234567 and 10 of them", &e), 0);
    assert_int_equal(reflect("01234567 about 3x", &e), -EINVAL); /* one digit quotes nothing */
    assert_int_equal(reflect("01234567 3.5", &e), -EINVAL);
    assert_non_null(strstr(e.text, "quotes no figure"));
    assert_int_equal(reflect("0123456 3.42", &e), -EINVAL); /* seven digits */
    assert_non_null(strstr(e.text, "cites no receipt"));
    assert_int_equal(reflect("0123456789abcdefff 3.42", &e), -EINVAL); /* of no receipt */
    assert_int_equal(reflect("ab01234567 3.42", &e), -EINVAL);
    assert_int_equal(reflect("01234567", &e), -EINVAL); /* its own digits are no figure */
}

static void a_reflection_has_sixty_words(void **state)
{
    (void)state;
    const struct learn_log log = {.events = events, .count = 0};
    const struct learn_event *cited;
    struct error e;
    assert_int_equal(learn_reflect_words(sixty), 60);
    assert_int_equal(learn_reflect_words(""), 0);
    assert_int_equal(learn_reflect_words(" -- , 3.4x isn't  \n two-fold\t"), 3);
    assert_int_equal(learn_reflect_words("\xe9\x80\x9f\xe5\xba\xa6 ok"), 3); /* two characters and a word */
    assert_int_equal(learn_reflect_words("\xe9\x80"), 1);                    /* cut in two */
    assert_int_equal(learn_reflect_check(&log, "too short", &cited, &e), -EINVAL);
    assert_non_null(strstr(e.text, "2 words"));
}

static void all_labs_are_done(void)
{
    check(1, "1.1", GRADE_PASSED, 90);
    check(1, "1.2", GRADE_PASSED, 90);
    check(1, "2.1", GRADE_PASSED, 90);
    check(1, "2.2", GRADE_PASSED, 90);
    put(2, LEARN_REFLECT, "")->module = 1;
    put(2, LEARN_REFLECT, "")->module = 2;
}

static void project_and_reviews_come_after_the_labs(void **state)
{
    (void)state;
    all_labs_are_done();
    work(3, LEARN_BEGIN, "weblog");
    expect_step(LEARN_STEP_PROJECT, NULL, 9);
    work(4, LEARN_PROJECT, "weblog")->outcome = GRADE_SLOW;
    expect_step(LEARN_STEP_PROJECT, NULL, 9);
    work(5, LEARN_PROJECT, "weblog")->outcome = GRADE_PASSED;
    expect_step(LEARN_STEP_REVIEW, NULL, 9);
    work(6, LEARN_REVIEW, "first");
    work(7, LEARN_REVIEW, "third");
    work(8, LEARN_REVIEW, "third");
    work(9, LEARN_REVIEW, "somebody's");
    expect_step(LEARN_STEP_REVIEW, NULL, 9);
    work(10, LEARN_REVIEW, "second");
    expect_step(LEARN_STEP_REPORT, NULL, 9);
}

static void the_best_check_of_the_project_stands(void **state)
{
    (void)state;
    work(1, LEARN_BEGIN, "weblog");
    struct learn_event *best = work(2, LEARN_PROJECT, "weblog");
    best->outcome = GRADE_PASSED;
    best->points = 40;
    work(3, LEARN_PROJECT, "weblog")->outcome = GRADE_UNRESOLVED;
    work(4, LEARN_PROJECT, "weblog")->outcome = GRADE_FAULT;
    work(5, LEARN_PROJECT, "weblog")->outcome = GRADE_WRONG;
    struct learn_state s = compute();
    assert_int_equal(s.work.checks, 2);
    assert_ptr_equal(s.work.best, best);
    assert_int_equal(s.work.last->outcome, GRADE_WRONG);
    assert_string_equal(s.work.begun->work, "weblog");
    learn_state_release(&s);
}

static void one_that_cannot_be_shown_is_no_check(void **state)
{
    (void)state;
    all_labs_are_done();
    work(3, LEARN_PROJECT, "own")->quick = true;
    struct learn_state s = compute();
    assert_null(s.work.best);
    assert_non_null(s.work.redacted);
    assert_int_equal(s.step, LEARN_STEP_REVIEW);
    learn_state_release(&s);
}

static void the_first_review_of_a_work_stands(void **state)
{
    (void)state;
    struct learn_event *first = work(1, LEARN_REVIEW, "second");
    first->right = 2;
    work(2, LEARN_REVIEW, "second")->right = 9;
    struct learn_state s = compute();
    assert_int_equal(s.work.reviewed, 1);
    assert_int_equal(s.work.anchored, 2);
    assert_ptr_equal(s.work.reviews[1], first);
    assert_null(s.work.reviews[0]);
    learn_state_release(&s);
}

static void the_weights_of_the_rubric_are_a_hundred(void **state)
{
    (void)state;
    unsigned sum = 0;
    for (size_t i = 0; i < LEARN_CRITERIA; i++)
        sum += learn_criterion_weights[i];
    assert_int_equal(sum, 100);
}

static void the_briefs_questions_are_asked_word_for_word(void **state)
{
    (void)state;
    assert_string_equal(learn_reflect_question(2), "What profiling tools did you find most effective and why?");
    assert_string_equal(learn_reflect_question(4),
        "How did your understanding of algorithms and data structures change after this course?");
    assert_string_equal(learn_reflect_question(7),
        "In what scenarios do you think parallel processing would be most beneficial for your projects?");
    assert_string_equal(learn_reflect_question(9),
        "What strategies can you implement in your workflow to continue optimizing performance?");
    assert_string_equal(learn_reflect_question(10), "");
    for (unsigned module = 1; module <= GRADE_MODULES; module++)
        assert_true(learn_reflect_question(module)[0] != '\0');
}

static void every_question_has_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < learn_question_count; i++) {
        const struct learn_question *q = &learn_questions[i];
        for (unsigned k = 0; k <= q->right; k++)
            assert_non_null(q->choices[k]);
        assert_null(q->choices[3]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(leads_through_the_course),
        TEST(the_lab_that_was_touched_last_comes_first),
        TEST(the_best_resolved_attempt_stands),
        TEST(a_fault_of_the_grader_is_no_attempt),
        TEST(hints_and_solutions_are_remembered),
        TEST(minutes_go_to_what_they_led_to),
        TEST(the_questions_are_those_of_this_machine),
        TEST(what_the_log_says_of_unknown_labs_is_nothing),
        TEST(a_reflection_cites_a_receipt_and_quotes_it),
        TEST(a_reflection_has_sixty_words),
        TEST(project_and_reviews_come_after_the_labs),
        TEST(the_best_check_of_the_project_stands),
        TEST(one_that_cannot_be_shown_is_no_check),
        TEST(the_first_review_of_a_work_stands),
        TEST(the_weights_of_the_rubric_are_a_hundred),
        TEST(the_briefs_questions_are_asked_word_for_word),
        TEST(every_question_has_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
