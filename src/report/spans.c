/*
 * What each thread did when. A span is five to ten bytes: a byte that says which fields follow, the node as its
 * distance from the last, the duration; the gap before it, the ticks and the state only where they are not 0, 1 and as
 * before. A thread's last span is held back until one comes that is not its continuation.
 */
#include "report/export.h"

#include <errno.h>
#include <stdlib.h>

enum { HAS_GAP = 1, HAS_TICKS = 2, HAS_STATE = 4 };

struct thread_spans {
    struct buffer bytes;
    struct profile_span before; /* the last one in `bytes` */
    struct profile_span held;   /* ticks 0: none */
};

struct report_spans {
    struct thread_spans *threads;
    size_t count, capacity;
};

int report_spans_new(struct report_spans **ret)
{
    struct report_spans *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return -ENOMEM;
    *ret = s;
    return 0;
}

void report_spans_free(struct report_spans *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        buffer_release(&s->threads[i].bytes);
    free(s->threads);
    free(s);
}

static int put_held(struct thread_spans *t)
{
    const struct profile_span *h = &t->held, *before = &t->before;
    uint64_t gap = h->from_ns - before->to_ns;
    uint8_t has = (uint8_t)((gap != 0 ? HAS_GAP : 0) | (h->ticks != 1 ? HAS_TICKS : 0) |
                            (h->state != before->state ? HAS_STATE : 0));
    buffer_append_byte(&t->bytes, has);
    buffer_append_zigzag(&t->bytes, (int64_t)h->node - (int64_t)before->node);
    buffer_append_varint(&t->bytes, h->to_ns - h->from_ns);
    if ((has & HAS_GAP) != 0)
        buffer_append_varint(&t->bytes, gap);
    if ((has & HAS_TICKS) != 0)
        buffer_append_varint(&t->bytes, h->ticks);
    if ((has & HAS_STATE) != 0)
        buffer_append_varint(&t->bytes, h->state);
    t->before = t->held;
    t->held.ticks = 0;
    return t->bytes.failed ? -ENOMEM : 0;
}

int report_spans_add(void *spans, const struct profile_span *span)
{
    struct report_spans *s = spans;
    while (s->count <= span->thread) {
        int r = array_reserve(&s->threads, &s->capacity, s->count + 1, sizeof(*s->threads));
        if (r < 0)
            return r;
        s->threads[s->count] = (struct thread_spans){0};
        buffer_init(&s->threads[s->count++].bytes, SIZE_MAX);
    }
    struct thread_spans *t = &s->threads[span->thread];
    struct profile_span new = *span;
    new.state &= EXPORT_STATES;
    if (t->held.ticks > 0) {
        if (t->held.node == new.node && t->held.state == new.state && t->held.to_ns == new.from_ns) {
            t->held.to_ns = new.to_ns;
            t->held.ticks += new.ticks;
            return 0;
        }
        int r = put_held(t);
        if (r < 0)
            return r;
    }
    t->held = new;
    return 0;
}

bool export_spans_any(const struct report_spans *s, uint32_t thread)
{
    return s != NULL && thread < s->count && s->threads[thread].held.ticks > 0;
}

void export_spans_start(struct export_spans_reader *r, const struct report_spans *s, uint32_t thread)
{
    *r = (struct export_spans_reader){.at = {.thread = thread}};
    if (!export_spans_any(s, thread))
        return;
    const struct thread_spans *t = &s->threads[thread];
    r->bytes = (struct reader){.at = t->bytes.data, .end = t->bytes.data + t->bytes.size};
    r->held = &t->held;
}

bool export_spans_next(struct export_spans_reader *r, struct profile_span *ret)
{
    if (r->bytes.at == r->bytes.end) {
        if (r->held == NULL)
            return false;
        *ret = *r->held;
        r->held = NULL;
        return true;
    }
    uint8_t has = reader_byte(&r->bytes);
    r->at.node = (uint32_t)((int64_t)r->at.node + reader_zigzag(&r->bytes));
    uint64_t duration = reader_varint(&r->bytes);
    r->at.from_ns = r->at.to_ns + ((has & HAS_GAP) != 0 ? reader_varint(&r->bytes) : 0);
    r->at.to_ns = r->at.from_ns + duration;
    r->at.ticks = (has & HAS_TICKS) != 0 ? reader_varint(&r->bytes) : 1;
    if ((has & HAS_STATE) != 0)
        r->at.state = (uint32_t)reader_varint(&r->bytes);
    *ret = r->at;
    return true;
}

void export_pieces_start(struct export_pieces *s, const struct report_spans *from, uint32_t thread)
{
    *s = (struct export_pieces){0};
    export_spans_start(&s->reader, from, thread);
    s->have = export_spans_next(&s->reader, &s->next);
    s->at_ns = s->next.from_ns;
}

bool export_pieces_next(struct export_pieces *s, struct profile_span *ret)
{
    if (!s->have)
        return false;
    if (s->next.from_ns > s->at_ns) {
        *ret = (struct profile_span){.thread = s->next.thread, .from_ns = s->at_ns, .to_ns = s->next.from_ns};
        s->at_ns = ret->to_ns;
        return true;
    }
    *ret = s->next;
    s->at_ns = ret->to_ns;
    s->have = export_spans_next(&s->reader, &s->next);
    return true;
}
