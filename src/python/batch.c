/*
 * Many pieces of the target's memory in one process_vm_readv. Each remote segment costs the kernel more than the bytes
 * in it (0.5 us against 0.1 us for a page), so pieces on the same or on neighbouring pages are asked for as one
 * segment, with what lies between them, and taken out of it on our side (to have the kernel scatter them cost more).
 *
 * The order of the first pieces is kept: what must be read back to back is added back to back.
 */
#include "python/inside.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEGMENTS_CAP = IOV_MAX, /* local and remote ones, each */
    SPAN_CAP = 16 << 10,
    WHOLE_CAP = 1 << 20, /* bytes of spans with several pieces, in one call */
    LOOK_BACK = 24,      /* spans that a new piece is compared with: a stack's, not all of 200 threads' */
    PAGE = 4096,
};

void batch_clear(struct batch *b)
{
    b->piece_count = b->span_count = 0;
}

void batch_release(struct batch *b)
{
    free(b->pieces);
    free(b->spans);
    free(b->local);
    free(b->remote);
    free(b->whole);
    *b = (struct batch){0};
}

/* Puts the piece among the span's, which are in order of address. False if it does not fit: too far, or it overlaps. */
static bool span_take(struct batch *b, struct batch_span *s, uint32_t at)
{
    struct batch_piece *piece = &b->pieces[at];
    uint64_t end = piece->start + piece->size;

    if (s->alone)
        return false;
    /* No page lies between that holds nothing of ours: it might not be there. */
    if (piece->start / PAGE > (s->end - 1) / PAGE + 1 || s->start / PAGE > (end - 1) / PAGE + 1)
        return false;
    if ((end > s->end ? end : s->end) - (piece->start < s->start ? piece->start : s->start) > SPAN_CAP)
        return false;
    uint32_t *link = &s->first;
    while (*link != UINT32_MAX && b->pieces[*link].start < piece->start) {
        if (b->pieces[*link].start + b->pieces[*link].size > piece->start)
            return false;
        link = &b->pieces[*link].next;
    }
    if (*link != UINT32_MAX && b->pieces[*link].start < end)
        return false;
    piece->next = *link;
    *link = at;
    if (piece->start < s->start)
        s->start = piece->start;
    if (end > s->end)
        s->end = end;
    s->piece_count++;
    return true;
}

static int piece_add(struct batch *b, uint64_t start, uint32_t size, uint8_t *to, uint32_t *ret_size, bool alone)
{
    if (array_reserve(&b->pieces, &b->piece_capacity, b->piece_count + 1, sizeof(*b->pieces)) < 0 ||
        array_reserve(&b->spans, &b->span_capacity, b->span_count + 1, sizeof(*b->spans)) < 0)
        return -ENOMEM;
    if (start + size < start) { /* hostile: it would wrap round */
        *ret_size = 0;
        return 0;
    }
    uint32_t at = (uint32_t)b->piece_count++;
    b->pieces[at] =
        (struct batch_piece){.start = start, .size = size, .next = UINT32_MAX, .to = to, .ret_size = ret_size};
    for (size_t i = b->span_count; !alone && i-- > 0 && b->span_count - i <= LOOK_BACK;)
        if (span_take(b, &b->spans[i], at))
            return 0;
    b->spans[b->span_count++] =
        (struct batch_span){.start = start, .end = start + size, .first = at, .piece_count = 1, .alone = alone};
    return 0;
}

int batch_add(struct batch *b, uint64_t start, uint32_t size, uint8_t *to, uint32_t *ret_size)
{
    return piece_add(b, start, size, to, ret_size, false);
}

int batch_add_alone(struct batch *b, uint64_t start, uint32_t size, uint8_t *to, uint32_t *ret_size)
{
    return piece_add(b, start, size, to, ret_size, true);
}

/* The pieces of a span, out of where it was read to as a whole. */
static void span_scatter(const struct batch *b, const struct batch_span *s, const uint8_t *whole)
{
    for (uint32_t i = s->first; i != UINT32_MAX; i = b->pieces[i].next) {
        const struct batch_piece *piece = &b->pieces[i];
        memcpy(piece->to, whole + (piece->start - s->start), piece->size);
    }
}

/* The span could not be read whole: each of its pieces on its own, so that one that is gone takes no other with it. */
static int span_apart(struct python_process *p, const struct batch_span *s)
{
    for (uint32_t i = s->first; i != UINT32_MAX; i = p->batch.pieces[i].next) {
        struct batch_piece *piece = &p->batch.pieces[i];
        struct iovec local = {piece->to, piece->size};
        struct iovec remote = {(void *)(uintptr_t)piece->start, piece->size};
        p->counters.reads++;
        ssize_t r = target_readv(p->target, &local, 1, &remote, 1);
        if (r == -ESRCH || r == -EPERM)
            return (int)r;
        *piece->ret_size = r < 0 ? 0 : (uint32_t)r;
    }
    return 0;
}

int batch_read(struct python_process *p)
{
    struct batch *b = &p->batch;

    if (array_reserve(&b->local, &b->local_capacity, SEGMENTS_CAP, sizeof(*b->local)) < 0 ||
        array_reserve(&b->remote, &b->remote_capacity, SEGMENTS_CAP, sizeof(*b->remote)) < 0 ||
        array_reserve(&b->whole, &b->whole_capacity, WHOLE_CAP, 1) < 0)
        return -ENOMEM;
    for (size_t done = 0; done < b->span_count;) {
        size_t count = 0, used = 0;
        for (; done + count < b->span_count && count < SEGMENTS_CAP; count++) {
            const struct batch_span *s = &b->spans[done + count];
            size_t size = s->end - s->start;
            bool one = s->piece_count == 1;
            if (!one && used + size > WHOLE_CAP)
                break;
            b->local[count] = (struct iovec){one ? b->pieces[s->first].to : b->whole + used, size};
            b->remote[count] = (struct iovec){(void *)(uintptr_t)s->start, size};
            used += one ? 0 : size;
        }
        p->counters.reads++;
        ssize_t r = target_readv(p->target, b->local, count, b->remote, count);
        if (r == -ESRCH || r == -EPERM)
            return (int)r;
        /* A short read ends at the first bad page. */
        size_t got = r < 0 ? 0 : (size_t)r, i = 0;
        for (; i < count && got >= b->remote[i].iov_len; i++) {
            got -= b->remote[i].iov_len;
            if (b->spans[done + i].piece_count > 1)
                span_scatter(b, &b->spans[done + i], b->local[i].iov_base);
        }
        done += i;
        if (i < count) {
            int bad = span_apart(p, &b->spans[done++]);
            if (bad < 0)
                return bad;
        }
    }
    return 0;
}
