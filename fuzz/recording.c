/* Feeds a recording of any bytes to the reader. Checksums stand in a fuzzer's way, so they are put right
 * first: chunk by chunk where the lengths allow it. The corpus is in fuzz/corpus/recording. */
#include "record/record.h"

#include "put_right.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint32_t processes, threads, codes, frames, stacks;
    uint64_t time_ns;
};

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

/* The callbacks hold the reader to its promise: no id that was not defined. */
static int see_process(void *context, const struct record_process *p)
{
    struct seen *s = context;
    EXPECT(p->id <= s->processes && p->parent <= p->id && strlen(p->command) + strlen(p->python) < 4u << 20);
    s->processes += p->id == s->processes;
    return 0;
}

static int see_thread(void *context, const struct record_thread *t)
{
    struct seen *s = context;
    EXPECT(t->id <= s->threads && t->process < s->processes && strlen(t->name) < 4u << 20);
    s->threads += t->id == s->threads;
    return 0;
}

static int see_code(void *context, const struct record_code *c)
{
    struct seen *s = context;
    EXPECT(c->id == s->codes && c->process < s->processes && strlen(c->qualname) + strlen(c->file) < 4u << 20);
    s->codes++;
    return 0;
}

static int see_frame(void *context, const struct record_frame *f)
{
    struct seen *s = context;
    EXPECT(f->id == s->frames && (f->kind != RECORD_FRAME_PYTHON || f->code < s->codes));
    s->frames++;
    return 0;
}

static int see_stack(void *context, uint32_t id, uint32_t parent, uint32_t frame)
{
    struct seen *s = context;
    EXPECT(id == s->stacks && parent < id && frame < s->frames);
    s->stacks++;
    return 0;
}

static int see_state(void *context, uint32_t thread, uint32_t stack, uint32_t state)
{
    struct seen *s = context;
    EXPECT(thread < s->threads && stack < s->stacks && state < 256);
    return 0;
}

static int see_tick(void *context, uint64_t time_ns)
{
    struct seen *s = context;
    EXPECT(time_ns >= s->time_ns);
    s->time_ns = time_ns;
    return 0;
}

static int see_source(
    void *context, const char *path, const uint8_t digest[32], const uint8_t *text, size_t size, bool whole)
{
    (void)context;
    (void)whole;
    uint32_t sum = crc32c(0, digest, 32);
    EXPECT(strlen(path) < 4u << 20 && (size == 0 || crc32c(sum, text, size) + 1 != sum));
    return 0;
}

static int see_restart(void *context)
{
    struct seen *s = context;
    s->codes = s->frames = 0;
    s->stacks = 1;
    s->time_ns = 0;
    return 0;
}

static const struct record_events see_events = {
    .process = see_process,
    .thread = see_thread,
    .code = see_code,
    .frame = see_frame,
    .stack = see_stack,
    .state = see_state,
    .tick = see_tick,
    .source = see_source,
    .restart = see_restart,
};

/* In pieces the same is read as at once, whatever is damaged. */
static void in_pieces(const uint8_t *data, size_t size, size_t piece, const struct record_summary *at_once)
{
    struct record_reader *g;
    struct record_summary summary;
    struct seen seen = {.stacks = 1};
    int r = record_reader_new("pieces", &see_events, &seen, &g);
    for (size_t at = 0; r == 0 && at < size; at += piece)
        r = record_reader_feed(g, data + at, size - at < piece ? size - at : piece, NULL);
    if (r == 0)
        r = record_reader_end(g, &summary, NULL);
    record_reader_free(g);
    EXPECT(r == 0 && summary.chunks == at_once->chunks && summary.bytes_lost == at_once->bytes_lost &&
           summary.complete == at_once->complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_summary summary;
    struct error e;
    struct seen seen = {.stacks = 1};
    record_read_memory(data, size, "as it came", &see_events, &seen, &summary, &e);
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    put_right(copy, size);
    seen = (struct seen){.stacks = 1};
    int r = record_read_memory(copy, size, "put right", &see_events, &seen, &summary, &e);
    EXPECT(r != 0 || summary.complete || summary.damage[0] != '\0');
    if (r == 0)
        in_pieces(copy, size, 1 + size % 97, &summary);
    /* One byte wrong in the middle: what comes after a restart is found again. */
    if (r == 0 && size > 40) {
        copy[16 + size / 2 % (size - 16)] ^= 1;
        seen = (struct seen){.stacks = 1};
        EXPECT(record_read_memory(copy, size, "flipped", &see_events, &seen, &summary, &e) == 0);
    }
    free(copy);
    return 0;
}
