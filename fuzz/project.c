/* Feeds bytes to what reads the files of a project and of a review: project.json, report.md, review-NAME.md. */
#include "project/project.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static void expect_words(const struct project_words *w)
{
    EXPECT(w->count <= PROJECT_WORDS_MAX && w->items[w->count] == NULL);
    for (size_t i = 0; i < w->count; i++)
        EXPECT(strlen(w->items[i]) <= PROJECT_WORD_MAX);
}

static void feed_manifest(const char *text, size_t size)
{
    struct project_manifest m;
    struct arena arena;
    struct error e;
    arena_init(&arena, 1u << 20);
    if (project_manifest_parse(text, size, &arena, &m, &e) == 0) {
        expect_words(&m.command);
        expect_words(&m.make);
        expect_words(&m.inputs);
        expect_words(&m.gate);
        EXPECT(m.command.count > 0 && m.command.items[0][0] != '/');
        EXPECT(strcmp(m.program, "own") == 0 || learn_project_supplied(m.program));
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct learn_work_file files[] = {{"after/a.py", "import json\nprint(1)\n", 21}};
    const char *text = (const char *)data;
    struct project_report report;
    struct learn_review review;
    struct buffer missing;
    feed_manifest(text, size);
    project_report_read(text, size, &report);
    EXPECT(report.recording_count <= PROJECT_RECORDINGS_MAX && report.claim_count <= PROJECT_CLAIMS_MAX);
    for (size_t i = 0; i < report.recording_count; i++)
        EXPECT(strlen(report.recordings[i]) > 4);
    learn_review_read(text, size, files, ARRAY_SIZE(files), NULL, &review);
    EXPECT(review.anchored <= review.sentences);
    for (size_t i = 0; i < LEARN_REVIEW_CRITERIA; i++)
        EXPECT(review.levels[i] >= -1 && review.levels[i] <= 3);
    buffer_init(&missing, 1u << 16);
    learn_review_missing(&review, &missing);
    EXPECT(!missing.failed);
    buffer_release(&missing);
    return 0;
}
