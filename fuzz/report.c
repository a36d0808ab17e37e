/* Feeds a recording of any bytes, with its checksums put right, to the profile, and all reports to their own rules. */
#include "report/report.h"

#include "put_right.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static void check_text(struct buffer *out, const struct profile *p, size_t width)
{
    buffer_clear(out);
    EXPECT(report_text(out, p, &(struct report_options){.width = width}) == 0);
    const char *text = buffer_text(out);
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        EXPECT(text_width(text, line) <= width);
        text += line + (text[line] == '\n');
    }
}

static void check_sums(const struct profile *p)
{
    uint64_t self = 0;
    for (size_t i = 0; i < p->function_count; i++) {
        struct profile_share s = profile_share(p, &p->functions[i].total);
        self += p->functions[i].self.y;
        EXPECT(p->functions[i].total.y <= p->hits && p->functions[i].self.y <= p->functions[i].total.y);
        EXPECT(s.low >= 0 && s.low <= s.share && s.share <= s.high && s.high <= 1);
    }
    EXPECT(self == p->hits && p->nodes[0].total == p->hits);
}

/* The page's markup is ours alone, whatever is in the data. */
static void check_page(struct buffer *out, const uint8_t *data, size_t size)
{
    struct report_timeline *t = NULL;
    struct profile *p = NULL;
    EXPECT(report_timeline_new(&t) == 0);
    struct profile_options options = {.span = report_timeline_span, .span_context = t};
    if (profile_read_memory(data, size, "x", &options, &p, NULL) == 0) {
        buffer_clear(out);
        EXPECT(report_html(out, p, t, PROFILE_WALL) == 0);
        const char *text = buffer_text(out), *block = strstr(text, "id=\"data\">");
        EXPECT(block != NULL);
        block += strlen("id=\"data\">");
        EXPECT(block[strspn(block, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] == '<');
        profile_free(p);
    }
    report_timeline_free(t);
}

static int drop(void *context, struct buffer *out)
{
    (void)context;
    buffer_clear(out);
    return 0;
}

static void check_exports(struct buffer *out, const struct profile *p, const struct report_spans *spans)
{
    for (const struct report_format *f = report_formats; f->name != NULL; f++) {
        buffer_clear(out);
        EXPECT(f->write(&(struct report_export){.out = out, .p = p, .spans = spans, .flush = drop}) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t *copy = malloc(size);
    struct profile *p = NULL;
    struct profile_options options = {
        .mode = data[0] % 3, .thread = data[0] & 64 ? "Main" : NULL, .pid = data[0] & 128 ? 7 : 0};
    struct report_spans *spans = NULL;
    if (copy == NULL || report_spans_new(&spans) < 0) {
        free(copy);
        return 0;
    }
    options.span = report_spans_add;
    options.span_context = spans;
    memcpy(copy, data, size);
    put_right(copy, size);
    copy[0] = 0x8b; /* the first byte of the magic chooses the view */
    if (size >= 16)
        put_le32(copy + 12, crc32c(0, copy, 12));
    if (profile_read_memory(copy, size, "x", &options, &p, NULL) == 0) {
        struct buffer out;
        buffer_init(&out, 64u << 20);
        check_sums(p);
        check_text(&out, p, 80);
        check_text(&out, p, 40);
        buffer_clear(&out);
        EXPECT(report_json(&out, p, &(struct report_options){0}) == 0);
        buffer_clear(&out);
        EXPECT(report_collapsed(&out, p, REPORT_FIRST_THREAD, NULL, NULL) == 0 || out.failed);
        check_page(&out, copy, size);
        check_exports(&out, p, spans);
        buffer_release(&out);
        profile_free(p);
    }
    report_spans_free(spans);
    free(copy);
    return 0;
}
