/* Feeds files of other profilers to the importers, and what they make to the reports. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile_options options = {.thread = size % 5 == 0 ? "Main" : NULL};
    struct profile *p = NULL;
    struct error e = {""};
    if (profile_read_memory(data, size, "x", &options, &p, &e) < 0) {
        EXPECT(e.text[0] != '\0' && strchr(e.text, '\n') == NULL);
        return 0;
    }
    struct buffer out;
    uint64_t self = 0;
    for (size_t i = 0; i < p->function_count; i++) {
        self += p->functions[i].self.y;
        EXPECT(p->functions[i].total.y <= p->hits && p->functions[i].self.y <= p->functions[i].total.y);
    }
    EXPECT(self == p->hits && p->nodes[0].total == p->hits);
    buffer_init(&out, 64u << 20);
    EXPECT(report_text(&out, p, &(struct report_options){.width = 60}) == 0 || out.failed);
    buffer_clear(&out);
    EXPECT(report_json(&out, p, &(struct report_options){0}) == 0 || out.failed);
    buffer_clear(&out);
    EXPECT(report_collapsed(&out, p, REPORT_FIRST_THREAD, NULL, NULL) == 0 || out.failed);
    buffer_release(&out);
    profile_free(p);
    return 0;
}
