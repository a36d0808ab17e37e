/* Feeds a gate's file, and Python sources that functions are looked for in. */
#include "cmd/gate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static void expect_inside(void *context, const char *name, size_t size)
{
    const struct buffer *all = context;
    const uint8_t *at = (const uint8_t *)name;
    EXPECT(size > 0 && at >= all->data && at + size < all->data + all->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gate_subjects subjects;
    struct gate_config config;
    struct error e = {""};
    struct buffer all = {.data = (uint8_t *)(uintptr_t)data, .size = size};
    gate_scan_functions((const char *)data, size, expect_inside, &all);
    gate_subjects_init(&subjects);
    if (gate_config_parse((const char *)data, size, "x", &config, &subjects, &e) < 0) {
        EXPECT(e.text[0] != '\0' && strchr(e.text, '\n') == NULL);
    } else {
        EXPECT(subjects.count <= GATE_SUBJECTS_MAX);
        for (size_t i = 0; i < subjects.count; i++)
            EXPECT(subjects.items[i].run != NULL && subjects.items[i].name != NULL);
        arena_release(&config.arena);
    }
    gate_subjects_release(&subjects);
    return 0;
}
