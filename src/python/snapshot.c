/*
 * A thread's memory as copied at one sample. What the last walks needed is predicted to be needed again, so that one
 * process_vm_readv brings all of it; what was not foreseen is fetched on demand, and foreseen next time.
 *
 * 3.11+: frames lie in the chunks of the data stack (Include/cpython/pystate.h, _PyStackChunk); the _PyCFrame
 * (3.11, 3.12) lies on the C stack, as do entry frames (3.12+), which are read once; generators are objects on the
 * heap.
 */
#include "python/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_CAP = 64 << 20, /* bytes of one chunk; CPython doubles 16 KB until a frame fits */
    CHUNKS_CAP = 1 << 16,
    CHUNK_MARGIN = 512, /* copied beyond the highest frame seen, for a callee that comes next */
    FETCH_SIZE = 1024,
    CFRAME_SIZE = 24,       /* _PyCFrame: a flag, current_frame, previous */
    CFRAMES_SPAN = 8 << 10, /* of the C stack that is copied for them, at most */
    PAGE = 4096,
    HEAP_FRAME_BYTES = 1024, /* of a frame outside the data stack, at most */
    ANEW_SAMPLES = 4096,     /* after so many, what to copy is measured anew */
};

void thread_free(struct thread *t)
{
    if (!t)
        return;
    free(t->snapshot.data);
    free(t->snapshot.regions);
    free(t->chunks);
    free(t->heap);
    map_release(&t->heap_index);
    free(t->steps);
    free(t->kept);
    free(t->code_pointers);
    free(t->frames);
    free(t);
}

static int region_add(struct snapshot *s, uint64_t start, uint32_t size)
{
    if (array_reserve(&s->regions, &s->regions_capacity, s->count + 1, sizeof(*s->regions)) < 0)
        return -ENOMEM;
    if (array_reserve(&s->data, &s->capacity, s->used + size, 1) < 0)
        return -ENOMEM;
    s->regions[s->count++] = (struct region){.start = start, .size = size, .offset = (uint32_t)s->used};
    s->used += size;
    return 0;
}

static bool holds(const struct region *r, uint64_t address, uint32_t size)
{
    return address >= r->start && size <= r->size && address - r->start <= r->size - size;
}

/* The whole page that this lies on, if that is copied. */
static uint32_t page_region(const struct snapshot *s, uint64_t address, uint32_t size)
{
    for (size_t i = s->pages; i < s->pages_end; i++)
        if (holds(&s->regions[i], address, size))
            return (uint32_t)i;
    return REGION_NONE;
}

/* A generator's frame was met there: its page comes first now. */
static void page_met(struct thread *t, uint64_t address)
{
    struct heap_page met = {.address = address & ~(uint64_t)(PAGE - 1)};

    for (size_t i = 0; i < HEAP_PAGES; i++) {
        struct heap_page next = t->pages[i];
        t->pages[i] = met;
        if (!next.address || next.address == t->pages[0].address)
            return;
        met = next;
    }
}

static bool could_be_read(const struct snapshot *s, uint64_t page)
{
    for (size_t i = s->pages; i < s->pages_end; i++)
        if (s->regions[i].start == page)
            return s->regions[i].size == PAGE;
    return true;
}

/* Pages that no generator was met on for long, or that are gone, are no longer read. */
static void pages_age(struct thread *t)
{
    size_t kept = 0;

    for (size_t i = 0; i < HEAP_PAGES && t->pages[i].address; i++) {
        struct heap_page page = t->pages[i];
        if (++page.idle <= HEAP_PAGE_KNOWN && could_be_read(&t->snapshot, page.address))
            t->pages[kept++] = page;
    }
    for (size_t i = kept; i < HEAP_PAGES; i++)
        t->pages[i].address = 0;
}

/* Of a generator's frame its variables and value stack, too: what it calls is judged by them. */
static uint32_t heap_frame_bytes(const struct python_process *p, const struct heap_frame *f)
{
    uint32_t to_page_end = PAGE - (uint32_t)(f->address & (PAGE - 1));
    uint32_t all = !is_old(p) && f->code < p->codes.count ? p->codes.items[f->code]->frame_bytes : 0;

    all = all < HEAP_FRAME_BYTES ? all : HEAP_FRAME_BYTES;
    all = all < to_page_end ? all : to_page_end;
    return all > p->frame_header ? all : p->frame_header;
}

/* Order matters: what changes most (the thread's current frame, the newest chunk, the leaf) is read back to back. */
int snapshot_plan(struct python_process *p, struct thread *t)
{
    struct snapshot *s = &t->snapshot;
    s->used = s->count = s->last_hit = 0;
    int r = region_add(s, t->address + p->thread_low, p->thread_high - p->thread_low);
    /* 3.12 wants only the innermost one, which is read first, and is nearly always the one it was a moment ago. */
    if (t->cframes && r == 0 && (p->layout.version < 0x030c || p->gap_ns >= HURRIED_NS))
        r = region_add(s, t->cframes, (uint32_t)(t->cframes_end - t->cframes));
    for (size_t i = t->chunk_count; i-- > 0 && r == 0;)
        r = region_add(s, t->chunks[i].base, t->chunks[i].read);
    s->pages = s->count;
    if (!is_old(p) && p->gap_ns >= HURRIED_NS)
        for (size_t i = 0; i < HEAP_PAGES && t->pages[i].address && r == 0; i++)
            r = region_add(s, t->pages[i].address, PAGE);
    s->pages_end = s->count;
    /* A call gets the frame that its code used last, or (3.10 always) the one that returned last
     * (Objects/frameobject.c: co_zombieframe, free_list), so those that were met before are met again. */
    size_t spare = is_old(p) ? HEAP_FRAMES_SPARE : 0;
    for (size_t i = 0; i < t->heap_count && r == 0; i++) {
        struct heap_frame *f = &t->heap[i];
        f->region = page_region(s, f->address, p->frame_header);
        if (f->region != REGION_NONE || (f->idle > HEAP_FRAME_PLANNED && spare == 0))
            continue;
        if (f->idle > 0 && spare > 0)
            spare--;
        f->region = (uint32_t)s->count;
        r = region_add(s, f->address, heap_frame_bytes(p, f));
    }
    s->planned = s->count;
    return r;
}

int snapshot_request(struct python_process *p, struct thread *t)
{
    struct snapshot *s = &t->snapshot;
    int r = 0;

    for (size_t i = 0; i < s->planned && r == 0; i++)
        r = batch_add(
            &p->batch, s->regions[i].start, s->regions[i].size, s->data + s->regions[i].offset, &s->regions[i].size);
    return r;
}

static const uint8_t *region_find(struct snapshot *s, uint64_t address, uint32_t size)
{
    size_t i = s->last_hit;

    if (i < s->count && holds(&s->regions[i], address, size))
        return s->data + s->regions[i].offset + (address - s->regions[i].start);
    for (i = 0; i < s->count; i++)
        if (holds(&s->regions[i], address, size)) {
            s->last_hit = i;
            return s->data + s->regions[i].offset + (address - s->regions[i].start);
        }
    return NULL;
}

const uint8_t *snapshot_at(struct python_process *p, struct thread *t, uint64_t address, uint32_t size)
{
    struct snapshot *s = &t->snapshot;
    const uint8_t *found = region_find(s, address, size);

    if (found)
        return found;
    /* To the end of the page at most: the next one may not exist. */
    uint32_t want = FETCH_SIZE, to_page_end = 4096 - (uint32_t)(address & 4095);
    if (want > to_page_end)
        want = to_page_end;
    if (want < size)
        want = size;
    if (address < 4096 || region_add(s, address, want) < 0)
        return NULL;
    p->counters.reads++;
    if (target_read(p->target, address, s->data + s->regions[s->count - 1].offset, want) < 0) {
        s->regions[--s->count].size = 0;
        s->used -= want;
        return NULL;
    }
    return s->data + s->regions[s->count - 1].offset;
}

const uint8_t *snapshot_copied(const struct python_process *p, const struct thread *t, uint64_t address)
{
    for (size_t i = 0; i < t->snapshot.planned; i++) {
        const struct region *r = &t->snapshot.regions[i];
        if (holds(r, address, p->frame_header))
            return t->snapshot.data + r->offset + (address - r->start);
    }
    return NULL;
}

struct chunk *snapshot_chunk_of(const struct thread *t, uint64_t address)
{
    for (size_t i = t->chunk_count; i-- > 0;)
        if (address - t->chunks[i].base < t->chunks[i].size)
            return &t->chunks[i];
    return NULL;
}

/* Follows the chunks from the newest down to one already known. */
int snapshot_chunks_refresh(struct python_process *p, struct thread *t, uint64_t top)
{
    const struct python_layout *l = &p->layout;
    struct chunk fresh[64], *list = fresh;
    size_t count = 0, capacity = 0, known = 0;
    int r = 0;

    if (l->chunk_previous == PYTHON_FIELD_NONE)
        return 0;
    for (uint64_t at = top; at; count++) {
        uint8_t header[64];
        for (known = t->chunk_count; known > 0 && t->chunks[known - 1].base != at; known--)
            ;
        if (known)
            break;
        if (count >= ARRAY_SIZE(fresh)) { /* rare: hundreds of KB of frames met at once */
            struct chunk *grown = list == fresh ? NULL : list;
            if (count >= CHUNKS_CAP || array_reserve(&grown, &capacity, count + 1, sizeof(*grown)) < 0) {
                r = -EAGAIN;
                break;
            }
            if (list == fresh)
                memcpy(grown, fresh, sizeof(fresh));
            list = grown;
        }
        p->counters.reads++;
        if (target_read(p->target, at, header, l->chunk_data) < 0) {
            r = -EAGAIN;
            break;
        }
        uint64_t size = load64(header + l->chunk_size), used = load64(header + l->chunk_top) * 8 + l->chunk_data;
        if (size < 1024 || size > CHUNK_CAP) {
            r = -EAGAIN;
            break;
        }
        bool newest = count == 0;
        list[count] = (struct chunk){.base = at,
            .size = (uint32_t)size,
            .read = newest || used > size ? (uint32_t)(size < 2048 ? size : 2048) : (uint32_t)used};
        at = load64(header + l->chunk_previous);
    }
    if (r == 0 && array_reserve(&t->chunks, &t->chunk_capacity, known + count, sizeof(*t->chunks)) < 0)
        r = -ENOMEM;
    if (r == 0) {
        t->chunk_count = known;
        while (count > 0)
            t->chunks[t->chunk_count++] = list[--count];
    }
    if (list != fresh)
        free(list);
    return r;
}

static struct heap_frame heap_frame_of(const struct step *s)
{
    return (struct heap_frame){.address = s->address, .previous = s->previous, .code = s->code, .region = REGION_NONE};
}

const uint8_t *snapshot_heap_frame(const struct python_process *p, const struct thread *t, const struct heap_frame *f)
{
    if (f->region == REGION_NONE)
        return NULL;
    const struct region *r = &t->snapshot.regions[f->region];
    return holds(r, f->address, p->frame_header) ? t->snapshot.data + r->offset + (f->address - r->start) : NULL;
}

/* One sample later: is a frame that was not in its stack still worth knowing? */
static bool heap_frame_age(const struct python_process *p, const struct thread *t, struct heap_frame *f)
{
    bool gone = f->region != REGION_NONE && t->snapshot.regions[f->region].size < p->frame_header;

    return ++f->idle <= (is_old(p) ? HEAP_SPARE_KNOWN : HEAP_FRAME_KNOWN) && !gone;
}

/* Frames outside the data stack, those of this stack first: they are read in that order, the leaf right behind the
 * thread's pointer to it. Older ones follow until they have not been seen for a while. */
static void heap_learn(struct python_process *p, struct thread *t)
{
    size_t n = 0, count = 0;
    bool same = true;

    pages_age(t);
    for (size_t i = 0; i < t->step_count; i++)
        if (t->steps[i].heap) {
            page_met(t, t->steps[i].address);
            same = same && n < t->heap_count && t->heap[n].address == t->steps[i].address;
            if (same)
                t->heap[n] = heap_frame_of(&t->steps[i]);
            n++;
        }
    bool expired = false;
    for (size_t i = n; same && i < t->heap_count; i++)
        expired = !heap_frame_age(p, t, &t->heap[i]) || expired;
    if (same && !expired)
        return;
    size_t old = t->heap_count;
    if (array_reserve(&t->heap, &t->heap_capacity, 2 * old + n, sizeof(*t->heap)) < 0)
        return;
    /* The new order is built behind the old one, then moved down over it. */
    struct heap_frame *fresh = t->heap + old;
    for (size_t i = 0; i < t->step_count; i++) {
        const struct step *s = &t->steps[i];
        uint64_t at;
        if (!s->heap)
            continue;
        fresh[count++] = heap_frame_of(s);
        if (map_get(&t->heap_index, s->address, &at) && at < old)
            t->heap[at].address = 0;
    }
    for (size_t i = 0; i < old; i++)
        if (t->heap[i].address && !heap_frame_age(p, t, &t->heap[i]))
            t->heap[i].address = 0;
    /* What was met lately comes before the spare ones, whatever their order was. */
    for (int spare = 0; spare < 2; spare++)
        for (size_t i = 0; i < old; i++) {
            struct heap_frame *f = &t->heap[i];
            if (f->address && (f->idle > HEAP_FRAME_KNOWN) == spare && (!spare || count < n + HEAP_FRAMES_SPARE))
                fresh[count++] = *f;
        }
    memmove(t->heap, t->heap + old, count * sizeof(*t->heap));
    t->heap_count = count;
    map_clear(&t->heap_index);
    for (size_t i = 0; i < count; i++)
        (void)map_put(&t->heap_index, t->heap[i].address, i);
}

void snapshot_foresee(struct thread *t, uint64_t address)
{
    uint64_t at;

    page_met(t, address);
    if (map_get(&t->heap_index, address, &at) && at < t->heap_count) {
        t->heap[at].idle = 0;
        return;
    }
    if (array_reserve(&t->heap, &t->heap_capacity, t->heap_count + 1, sizeof(*t->heap)) < 0)
        return;
    t->heap[t->heap_count] = (struct heap_frame){.address = address, .code = UINT32_MAX, .region = REGION_NONE};
    if (map_put(&t->heap_index, address, t->heap_count) == 0)
        t->heap_count++;
}

void snapshot_cframe_met(struct thread *t, uint64_t address)
{
    uint64_t low = t->cframes && t->cframes < address ? t->cframes : address;
    uint64_t end = t->cframes_end > address + CFRAME_SIZE ? t->cframes_end : address + CFRAME_SIZE;

    if (end - low > CFRAMES_SPAN) { /* too far from those that were met before */
        low = address;
        end = address + CFRAME_SIZE;
    }
    t->cframes = low;
    t->cframes_end = end;
}

uint64_t snapshot_last_caller(const struct thread *t, uint64_t address, uint32_t code)
{
    uint64_t at;

    return map_get(&t->heap_index, address, &at) && at < t->heap_count && t->heap[at].code == code
               ? t->heap[at].previous
               : 0;
}

void snapshot_learn(struct python_process *p, struct thread *t)
{
    bool anew = t->learnt++ % ANEW_SAMPLES == ANEW_SAMPLES - 1;

    if (anew)
        t->cframes = t->cframes_end = 0;
    heap_learn(p, t);
    for (size_t i = 0; i < t->step_count; i++) {
        const struct step *s = &t->steps[i];
        struct chunk *c = s->heap ? NULL : snapshot_chunk_of(t, s->address);
        if (!c)
            continue;
        uint64_t end = s->address - c->base + p->codes.items[s->code]->frame_bytes + CHUNK_MARGIN;
        uint32_t need = end > c->size ? c->size : (uint32_t)end;
        if (need > c->peak)
            c->peak = need;
        if (need > c->read)
            c->read = need;
        if (anew) { /* a stack that was deep for a moment is not copied for ever */
            c->read = c->peak;
            c->peak = need;
        }
        if (c == &t->chunks[t->chunk_count - 1])
            break; /* all below is lower in chunks that were measured when they were left */
    }
}
