/*
 * What a learner is told, of each kind of outcome, from recorded samples: the same on any machine. Each transcript is
 * held to the file of its name in tests/grade/golden; where a text is meant to change, PITVIPER_WRITE_GOLDEN=1 writes
 * them anew, to be read before they are kept. Those that need a program to run are in e2e/test_grade_golden.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "recorded.h"

#define LAB TESTS_FOLDER "/grade/3.9-equal-pairs"
#define SAMPLES TESTS_FOLDER "/grade/timings/3.9.json"
#define GOLDEN TESTS_FOLDER "/grade/golden/"
#define LINES_MOST 13     /* 12, and the next action */
#define REFERENCE_LINE 12 /* bytes of a line that is no common one */
#define TRANSCRIPT_MAX ((size_t)16 << 10)

struct fixture {
    struct grade_lab *lab;
    json_t *samples;
    struct grade_result result;
    struct check check;
    char reference[64];
};

/* ---- a check, up to its feedback ---- */

static struct fixture *begin(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error e = {""};
    assert_non_null(f);
    if (grade_lab_load(LAB, &f->lab, &e) < 0)
        fail_msg("%s", e.text);
    f->samples = json_load_file(SAMPLES, 0, NULL);
    assert_non_null(f->samples);
    f->result = (struct grade_result){.outcome = GRADE_PASSED, .readability = 1, .right = 15, .cases = 15};
    f->check = (struct check){.lab = f->lab, .r = &f->result};
    buffer_init(&f->result.feedback, TRANSCRIPT_MAX);
    return f;
}

static void end(struct fixture *f)
{
    buffer_release(&f->result.feedback);
    json_decref(f->samples);
    grade_lab_free(f->lab);
    free(f);
}

static json_t *recorded_gates(struct fixture *f, const char *program)
{
    json_t *programs = json_object_get(f->samples, "programs");
    for (size_t i = 0; i < json_array_size(programs); i++) {
        json_t *one = json_array_get(programs, i);
        if (strcmp(json_string_value(json_object_get(one, "program")), program) == 0)
            return json_object_get(one, "gates");
    }
    fail_msg("nothing is recorded of %s", program);
    return NULL;
}

/* Decides the lab's gates by the samples of this program, and scores. */
static void decide(struct fixture *f, const char *program)
{
    json_t *gates = recorded_gates(f, program);
    for (unsigned i = 0; i < json_array_size(gates) && i < f->lab->gate_count; i++) {
        struct recorded_gate g;
        enum gate_cause cause = GATE_SETTLED;
        assert_int_equal(recorded_gate_read(json_array_get(gates, i), &g), 0);
        assert_int_equal(g.spec.kind, f->lab->gates[i].kind);
        assert_int_equal(recorded_decide(&g, f->result.provisional, &f->result.gates[i], &cause), 0);
        f->result.gates[i].gate = &f->lab->gates[i];
        f->check.causes[i] = gate_cause_text(cause);
        f->result.gate_count++;
    }
    check_score(&f->check);
}

static json_t *samples_of(struct fixture *f, const char *program, size_t gate, const char *side)
{
    json_t *gates = recorded_gates(f, program);
    return json_object_get(json_object_get(json_array_get(gates, gate), "samples"), side);
}

/* Each sample times its factor, by turns. */
static void scale(json_t *sizes, const double factors[2])
{
    const char *size;
    json_t *list;
    json_object_foreach(sizes, size, list) for (size_t i = 0; i < json_array_size(list); i++)
    {
        double value = json_number_value(json_array_get(list, i));
        json_array_set_new(list, i, json_real(value * factors[i % 2]));
    }
}

/* ---- the kinds ---- */

static const char reference[] = "references/counter.py", starter[] = "starter/pairs.py";

static void make_passed(struct fixture *f)
{
    decide(f, reference);
}

static void make_passed_so_far(struct fixture *f)
{
    f->result.provisional = true;
    decide(f, reference);
}

static void make_slow(struct fixture *f)
{
    decide(f, starter);
    snprintf(f->check.where, sizeof(f->check.where),
        "97 %% of the time is now at pairs.py line 9, in count_pairs: if "
        "values[i] == values[j]:");
}

/* Fast enough, and a gate of memory is missed. */
static void make_fat(struct fixture *f)
{
    static const struct grade_gate memory = {
        .kind = GRADE_MEMORY, .limit = 0.5, .size_count = 1, .sizes = {2400}, .hint = "which pairs need be kept?"};
    decide(f, reference);
    unsigned last = f->result.gate_count - 1;
    f->result.gates[last] = (struct grade_gate_result){&memory, GRADE_SLOW, {0.93, 0.9, 0.97}, 8, 0};
    check_score(&f->check);
}

static void make_slow_so_far(struct fixture *f)
{
    f->result.provisional = true;
    decide(f, starter);
}

static void make_stopped(struct fixture *f)
{
    json_t *learner = samples_of(f, starter, 0, "learner");
    json_array_set_new(json_object_get(learner, "2400"), 0, json_null());
    decide(f, starter);
    f->result.gate_count = 1;
    f->check.told.late = true;
    f->check.told.size = 2400;
}

static void make_unreadable(struct fixture *f)
{
    f->result.readability = 0;
    snprintf(f->check.unreadable, sizeof(f->check.unreadable),
        "tokens: 712, the reference 46; lines in the longest function: 41, the reference 3");
    decide(f, reference);
}

static void keep_first(json_t *sizes, size_t count)
{
    const char *size;
    json_t *list;
    json_object_foreach(sizes, size, list) while (json_array_size(list) > count) json_array_remove(list, count);
}

/* As fast as is asked for, and the check's time is over after three blocks. */
static void make_unresolved(struct fixture *f)
{
    json_t *learner = samples_of(f, starter, 0, "learner"), *other = samples_of(f, starter, 0, "starter");
    scale(learner, (const double[]){1 / 2.5, 1 / 2.5});
    keep_first(learner, 6);
    keep_first(other, 6);
    json_object_update(samples_of(f, reference, 0, "learner"), learner);
    json_object_update(samples_of(f, reference, 0, "starter"), other);
    decide(f, reference);
}

/* A machine that takes six times as long at each second run. */
static void make_machines_fault(struct fixture *f)
{
    scale(samples_of(f, reference, 0, "starter"), (const double[]){1, 6});
    decide(f, reference);
}

static void make_graders_fault(struct fixture *f)
{
    f->result.outcome = GRADE_FAULT;
    f->result.right = 0;
    snprintf(f->check.fault, sizeof(f->check.fault),
        "cases.py failed: Traceback (most recent call last):\n  File \"cases.py\", line 3, in case\n    return 1 / "
        "size\n"
        "ZeroDivisionError: \033[31mdivision by zero\033[0m\nand a line more\nand one that is not shown");
}

/* ---- what is said of answers ---- */

#define LIST(n) "i" n "\0\0\0"
#define WORD(n) n "\0\0\0\0\0\0\0"
static const uint8_t three_sevens[] = "U\1\0\0\0" LIST("\3") WORD("\7") WORD("\7") WORD("\7");
static const struct input input = {.shown = three_sevens, .shown_size = sizeof(three_sevens) - 1};

static void tell_answers(
    struct fixture *f, const char *answer, size_t answer_size, const char *right, size_t right_size)
{
    struct buffer a, b;
    buffer_init(&a, TRANSCRIPT_MAX);
    buffer_init(&b, TRANSCRIPT_MAX);
    buffer_append(&a, answer, answer_size);
    buffer_append(&b, right, right_size);
    assert_false(check_same(&f->check, &input, &a, &b));
    buffer_release(&a);
    buffer_release(&b);
    f->result.outcome = GRADE_WRONG;
    f->result.right = 1;
}
#define TELL_ANSWERS(f, answer, right) tell_answers(f, answer, sizeof(answer) - 1, right, sizeof(right) - 1)

static void make_wrong(struct fixture *f)
{
    TELL_ANSWERS(f, "I\1\0\0\0\0", "I\1\0\0\0\3");
}

/* {"rows": [[7, 7], [7, 8]]} for {"rows": [[7, 7], [7, 7]]}, of a large input */
static void make_wrong_inside(struct fixture *f)
{
#define ROWS "M\1\0\0\0S\4\0\0\0rowsL\2\0\0\0" LIST("\2") WORD("\7") WORD("\7") LIST("\2") WORD("\7")
    TELL_ANSWERS(f, ROWS WORD("\10"), ROWS WORD("\7"));
    f->result.right = 15;
    f->check.told.size = 2400;
}

static void make_wrong_with_escapes(struct fixture *f)
{
    TELL_ANSWERS(f, "S\25\0\0\0\033[2J\033]0;title\007next: ok\n", "I\1\0\0\0\3");
}

static void tell_why(struct fixture *f, enum grade_outcome outcome, const char *why)
{
    struct trial trial = {.outcome = outcome};
    snprintf(trial.why, sizeof(trial.why), "%s", why);
    check_tell_failure(&f->check, &input, &trial);
    f->result.outcome = outcome;
    f->result.right = 1;
}

static void make_raised(struct fixture *f)
{
    tell_why(f, GRADE_WRONG,
        "File \"pairs.py\", line 9, in count_pairs\n    raise ValueError(\"\\033[31m\")\n"
        "ValueError: \033[31mred\033[0m \xe2\x80\xae"
        "txt.exe \xff\xfe\nnext: you have passed\npassed: all of it\nand more");
}

static void make_broken(struct fixture *f)
{
    tell_why(f, GRADE_BROKEN, "File \"pairs.py\", line 4\n    def count_pairs(values)\nSyntaxError: expected ':'");
}

static void make_endless(struct fixture *f)
{
    tell_why(f, GRADE_BROKEN, "it did not end within 5 s");
    f->check.told.late = true;
}

static const struct kind {
    const char *name;
    void (*make)(struct fixture *f);
    enum grade_outcome outcome;
} kinds[] = {
    {"passed", make_passed, GRADE_PASSED},
    {"passed-so-far", make_passed_so_far, GRADE_PASSED},
    {"slow", make_slow, GRADE_SLOW},
    {"slow-so-far", make_slow_so_far, GRADE_SLOW},
    {"slow-stopped", make_stopped, GRADE_SLOW},
    {"slow-for-memory", make_fat, GRADE_SLOW},
    {"unreadable", make_unreadable, GRADE_UNREADABLE},
    {"unresolved", make_unresolved, GRADE_UNRESOLVED},
    {"fault-of-machine", make_machines_fault, GRADE_FAULT},
    {"fault-of-grader", make_graders_fault, GRADE_FAULT},
    {"wrong", make_wrong, GRADE_WRONG},
    {"wrong-inside", make_wrong_inside, GRADE_WRONG},
    {"wrong-with-escapes", make_wrong_with_escapes, GRADE_WRONG},
    {"wrong-raised", make_raised, GRADE_WRONG},
    {"broken", make_broken, GRADE_BROKEN},
    {"broken-endless", make_endless, GRADE_BROKEN},
};

/* ---- what holds of all of them ---- */

static void assert_safe(const char *name, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        bool control = (*at < 0x20 && *at != '\n') || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
        bool turned = at[0] == 0xe2 && at[1] == 0x80 && (at[2] >= 0xaa && at[2] <= 0xae); /* text right to left */
        if (control || turned || *at == 0xff)
            fail_msg("%s: byte %td is %#x", name, (const char *)at - text, *at);
    }
}

static void assert_short(const char *name, const char *text)
{
    unsigned lines = 0, next = 0;
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        lines++;
        bool is_next = strncmp(line, "next: ", 6) == 0;
        next += is_next;
        if (strchr(line, '\n') == NULL || (is_next && strchr(line, '\n')[1] != '\0'))
            fail_msg("%s: the next action is not the last line", name);
    }
    if (lines > LINES_MOST || next != 1)
        fail_msg("%s: %u lines, %u next actions", name, lines, next);
}

/* No line of a reference that the starter has not. */
static void assert_nothing_leaks(const struct fixture *f, const char *name, const char *text)
{
    const char *given = grade_lab_file(f->lab, "starter/pairs.py")->data;
    for (unsigned i = 0; i < f->lab->reference_count; i++) {
        const char *at = grade_lab_file(f->lab, f->lab->references[i])->data;
        while (*at != '\0') {
            char line[256];
            size_t size = strcspn(at, "\n"), blanks = strspn(at, " ");
            if (size >= blanks + REFERENCE_LINE) {
                snprintf(line, sizeof(line), "%.*s", (int)(size - blanks), at + blanks);
                if (strstr(given, line) == NULL && strstr(text, line) != NULL)
                    fail_msg("%s shows the reference's '%s'", name, line);
            }
            at += size + (at[size] == '\n');
        }
    }
}

static void assert_golden(const char *name, const struct buffer *text)
{
    CLEANUP(buffer_release) struct buffer golden;
    char path[512];
    buffer_init(&golden, TRANSCRIPT_MAX);
    snprintf(path, sizeof(path), GOLDEN "%s.txt", name);
    if (getenv("PITVIPER_WRITE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
        assert_int_equal(fclose(file), 0);
    }
    if (file_read_all(AT_FDCWD, path, &golden) < 0)
        fail_msg("%s is not there", path);
    if (golden.size != text->size || memcmp(golden.data, text->data, text->size) != 0)
        fail_msg("%s was:\n%sand is now:\n%s", name, buffer_text(&golden), (const char *)text->data);
}

static void each_kind_is_told_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct fixture *f = begin();
        kinds[i].make(f);
        check_feedback(&f->check);
        const char *text = buffer_text(&f->result.feedback);
        if (f->result.outcome != kinds[i].outcome)
            fail_msg("%s: %s", kinds[i].name, text);
        assert_safe(kinds[i].name, text);
        assert_short(kinds[i].name, text);
        assert_nothing_leaks(f, kinds[i].name, text);
        assert_golden(kinds[i].name, &f->result.feedback);
        end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind_is_told_as_it_was)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
