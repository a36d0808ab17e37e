/* What checks share: each answer comes back for its own question alone, and a memo that is NULL keeps nothing. */
#include "grade/memo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void put(struct grade_memo *m, const struct memo_key *key, const char *text)
{
    CLEANUP(buffer_release) struct buffer value;
    buffer_init(&value, 100);
    assert_int_equal(buffer_append(&value, text, strlen(text)), 0);
    memo_keep(m, key, &value);
}

static bool recalls(const struct grade_memo *m, const struct memo_key *key, const char *text)
{
    CLEANUP(buffer_release) struct buffer found;
    buffer_init(&found, 100);
    return memo_recall(m, key, &found) && strcmp(buffer_text(&found), text) == 0;
}

static void each_question_has_its_answer(void **state)
{
    struct grade_memo *m = grade_memo_new();
    struct memo_key one, of_other_code, of_other_number, of_other_input, empty;
    char text[16];
    (void)state;
    memo_key("starter", 1, "ab", 2, &one);
    memo_key("reference", 1, "ab", 2, &of_other_code);
    memo_key("starter", 2, "ab", 2, &of_other_number);
    memo_key("starter", 1, "abc", 3, &of_other_input);
    memo_key("starter", 1, NULL, 0, &empty);
    assert_false(recalls(m, &one, "first"));
    put(m, &one, "first");
    put(m, &of_other_number, "second");
    put(m, &empty, "");
    assert_true(recalls(m, &one, "first") && recalls(m, &of_other_number, "second") && recalls(m, &empty, ""));
    assert_false(recalls(m, &of_other_code, "first") || recalls(m, &of_other_input, "first"));
    for (uint64_t i = 0; i < 500; i++) {
        memo_key("many", i, NULL, 0, &one);
        snprintf(text, sizeof(text), "%d", (int)i);
        put(m, &one, text);
    }
    for (uint64_t i = 0; i < 500; i++) {
        memo_key("many", i, NULL, 0, &one);
        snprintf(text, sizeof(text), "%d", (int)i);
        assert_true(recalls(m, &one, text));
    }
    grade_memo_free(m);
}

static void the_machine_is_taken_once(void **state)
{
    struct memo_machine found = {.ladder = {.level = 3}}, again = {.ladder = {.level = 1}};
    struct grade_memo *m = grade_memo_new();
    (void)state;
    assert_null(memo_machine(m));
    assert_true(memo_take_machine(m, &found));
    assert_false(memo_take_machine(m, &again));
    assert_int_equal(memo_machine(m)->ladder.level, 3);
    grade_memo_free(m);
}

static void none_keeps_nothing(void **state)
{
    struct memo_machine found = {.ladder = {.level = 3}};
    struct memo_key key;
    (void)state;
    memo_key("starter", 1, "ab", 2, &key);
    put(NULL, &key, "first");
    assert_false(recalls(NULL, &key, "first"));
    assert_false(memo_take_machine(NULL, &found));
    assert_null(memo_machine(NULL));
    grade_memo_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_question_has_its_answer),
        cmocka_unit_test(the_machine_is_taken_once),
        cmocka_unit_test(none_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
