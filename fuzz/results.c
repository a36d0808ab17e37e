/* Feeds files of pyperf and pytest-benchmark to their readers, what they make to the export, and lines to the reader of
 * what is pending. */
#include "history/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "history/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static void expect_result(const struct history_result *x)
{
    const char *const texts[] = {x->kind, x->subject, x->metric, x->unit, x->verdict, x->python, x->revision};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        EXPECT(texts[i] != NULL && strlen(texts[i]) <= 2 * HISTORY_TEXT_MAX);
    EXPECT(isfinite(x->value) && x->machine != NULL && x->sample_count <= HISTORY_SAMPLES_MAX);
    EXPECT(strlen(x->machine->id) < sizeof(x->machine->id) && strlen(x->machine->cpu) < sizeof(x->machine->cpu));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct history_batch batch;
    struct history_result x;
    struct error e = {""};
    struct arena a;
    arena_init(&a, 1u << 20);
    if (pending_parse((const char *)data, size, &a, &x) == 0)
        expect_result(&x);
    arena_release(&a);
    if (history_import((const char *)data, size, "x", &batch, &e) < 0) {
        EXPECT(e.text[0] != '\0' && strchr(e.text, '\n') == NULL);
        return 0;
    }
    struct buffer out;
    size_t left;
    for (size_t i = 0; i < batch.count; i++)
        expect_result(&batch.results[i]);
    buffer_init(&out, 64u << 20);
    EXPECT(history_export_pyperf(&out, batch.results, batch.count, &left) == 0 || out.failed);
    EXPECT(left <= batch.count);
    buffer_release(&out);
    history_batch_release(&batch);
    return 0;
}
