/* Feeds sheets of findings to their reader: what it takes keeps to its caps, and no bytes of it are unsafe to print. */
#include "grade/findings.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static const char key[] =
    "{\"plants\": [{\"id\": \"B1\", \"scenario\": \"places\", \"function\": \"places.nearest\", "
    "\"also\": [\"places.all\"]}], \"decoys\": [{\"id\": \"D1\", \"kind\": \"leave\", \"scenario\": "
    "\"day\", \"function\": \"places.ugly\", \"also\": []}]}";
static const char names[] = "[\"places.nearest\", \"places.all\", \"places.ugly\"]";
static const char rules[] =
    "{\"scoring\": {\"recall\": 0.75, \"precision\": 0.75, \"evidence\": {\"share\": 0.02, "
    "\"recording_is_enough\": [\"places\"]}, \"scenario_gates\": 6}, \"plants\": [{\"scenario\": "
    "\"places\"}], \"decoys\": [{\"scenario\": \"day\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source_file file = {"parcelflow/places.py", "", 0};
    const struct findings_task task = {.sheet = {(const char *)data, size},
        .key = {key, sizeof(key) - 1},
        .names = {names, sizeof(names) - 1},
        .rules = {rules, sizeof(rules) - 1},
        .variant = {&file, 1},
        .folder = "/proc/self/no-such-folder"};
    struct findings f;
    struct error e = {""};
    EXPECT(findings_judge(&task, &f, &e) == 0);
    EXPECT(f.repair.right <= f.repair.named && f.repair.named <= FINDINGS_MAX && f.found <= f.plants);
    EXPECT(f.refused <= FINDINGS_MAX && !f.told.failed);
    for (size_t i = 0; i < f.told.size; i++)
        EXPECT(f.told.data[i] == '\n' || f.told.data[i] >= ' ');
    findings_release(&f);
    return 0;
}
