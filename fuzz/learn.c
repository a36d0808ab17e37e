/* Feeds lines to the learner's log, and what it makes of them to the state and the reflections. What is written again
 * has to be read as the same. */
#include "learn/learn.h"

#include <stdlib.h>
#include <string.h>

#include "learn/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static const struct grade_lab course[] = {
    {.id = "1.1", .module = 1, .core = true, .kind = GRADE_ANSWERS},
    {.id = "1.2", .module = 1},
    {.id = "3.1", .module = 3, .core = true},
};

static void expect_event(const struct learn_event *x)
{
    const char *const texts[] = {x->lab, x->receipt, x->recording, x->version, x->work};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        EXPECT(strlen(texts[i]) <= LEARN_SHORT_MAX);
    EXPECT(strlen(x->text) <= LEARN_TEXT_MAX && strlen(x->python) <= LEARN_PATH_MAX);
    EXPECT(learn_id_valid(x->id) && (x->receipt[0] == '\0' || learn_id_valid(x->receipt)));
    EXPECT(x->module <= GRADE_MODULES && x->points <= 100 && x->figure_count <= LEARN_FIGURES_MAX);
    EXPECT(x->kind < LEARN_KINDS && x->outcome <= GRADE_FAULT);
}

static void expect_written_alike(const struct learn_event *x)
{
    struct learn_event again;
    struct buffer line;
    struct arena a;
    arena_init(&a, 1u << 20);
    buffer_init(&line, 4 * LEARN_LINE_MAX);
    EXPECT(learn_event_put(&line, x) == 0);
    EXPECT(memchr(line.data, '\n', line.size) == line.data + line.size - 1);
    if (line.size <= LEARN_LINE_MAX) {
        EXPECT(learn_event_parse((const char *)line.data, line.size - 1, &a, &again) == 0);
        EXPECT(again.kind == x->kind && again.time_ns == x->time_ns && strcmp(again.id, x->id) == 0);
        EXPECT(strcmp(again.lab, x->lab) == 0 && strcmp(again.text, x->text) == 0);
        EXPECT(x->kind != LEARN_CHECK || (again.outcome == x->outcome && again.figure_count == x->figure_count));
    }
    buffer_release(&line);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct learn_log l = {.count = 0};
    struct learn_state s;
    struct error e = {""};
    arena_init(&l.arena, 256u << 20);
    buffer_init(&l.text, LEARN_LOG_MAX);
    if (size > 0)
        buffer_append(&l.text, data, size);
    EXPECT(log_parse(&l) == 0);
    for (size_t i = 0; i < l.count; i++) {
        const struct learn_event *cited;
        expect_event(&l.events[i]);
        EXPECT(i == 0 || l.events[i - 1].time_ns <= l.events[i].time_ns);
        if (l.events[i].kind != LEARN_OTHER)
            expect_written_alike(&l.events[i]);
        if (i < 8)
            (void)learn_reflect_check(&l, l.events[i].text, &cited, &e);
    }
    EXPECT(learn_state_compute(&l, course, ARRAY_SIZE(course), "aa", &s, &e) == 0);
    EXPECT(s.module >= 1 && s.module <= GRADE_MODULES && (s.lab != NULL || s.step >= LEARN_STEP_REFLECT));
    learn_state_release(&s);
    learn_log_release(&l);
    return 0;
}
