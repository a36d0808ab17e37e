/* Files of other profilers: which one it is, by its content, and what all of them share. */
#include "profile/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* By the first bytes only: a recording's magic, or what may have been one (the reader then says what is wrong). */
bool import_is_foreign(const uint8_t *head, size_t size)
{
    static const uint8_t magic[4] = {0x8b, 'P', 'I', 'T'};
    return size > 0 && memcmp(head, magic, size < sizeof(magic) ? size : sizeof(magic)) != 0;
}

int import_refuse(struct import *m, const char *what)
{
    return error_set(m->e, EINVAL, "%s %s", m->name, what);
}

int import_thread(struct import *m, const char *name, size_t size)
{
    char text[256];
    uint32_t id;
    size = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
    memcpy(text, name, size);
    text[size] = '\0';
    int r = strings_intern(&m->thread_names, text, size, &id);
    if (r == 0 && id == m->threads) {
        const char *asked = m->l->p->options.thread;
        if (asked != NULL && strcmp(asked, text) == 0)
            r = map_put(&m->l->named, id, 1);
        if (r == 0)
            r = load_events.thread(m->l, &(struct record_thread){.id = id, .name = text});
        m->threads++;
    }
    m->thread = id;
    return r;
}

int import_frame(struct import *m, uint32_t parent, const char *name, size_t name_size, const char *file,
    size_t file_size, uint32_t first_line, uint32_t line, uint32_t *ret_node)
{
    static const char *const pseudo[] = {"<garbage collector>", "<unknown callers>", "<no Python frame>"};
    CLEANUP(buffer_release) struct buffer text;
    enum profile_kind kind = PROFILE_PYTHON;
    uint32_t function, line_index;
    buffer_init(&text, 4u << 20);
    buffer_append(&text, name, name_size);
    buffer_append_byte(&text, 0);
    size_t file_at = text.size;
    if (file_size > 0)
        buffer_append(&text, file, file_size);
    buffer_append_byte(&text, 0);
    if (text.failed)
        return import_refuse(m, "has a name that is too long");
    const char *named = (const char *)text.data;
    for (size_t i = 0; i < ARRAY_SIZE(pseudo); i++)
        if (file_size == 0 && strcmp(named, pseudo[i]) == 0)
            kind = (enum profile_kind)(PROFILE_GC + i);
    int r = load_function(m->l, kind, named, named + file_at, first_line, &function);
    if (r == 0)
        r = load_line(m->l, function, line, 0, &line_index);
    return r < 0 ? r : load_node(m->l, parent, line_index, ret_node);
}

int import_hits(struct import *m, uint32_t node, uint64_t hits)
{
    struct load *l = m->l;
    if (hits == 0 || node == 0)
        return 0;
    if (hits > IMPORT_HITS_MAX - l->p->ticks)
        return import_refuse(m, "holds more samples, or time, than can be counted");
    int r = m->threads == 0 ? import_thread(m, "", 0) : 0;
    if (r == 0)
        r = track_state(l, m->thread, node, RECORD_PRESENT);
    if (r == 0)
        r = track_ticks(l, hits);
    return r < 0 ? r : track_state(l, m->thread, 0, 0);
}

/* A dict of a tuple: JSON cannot begin so. */
static bool is_pstats(const struct import *m)
{
    const uint8_t *at = (const uint8_t *)m->data;
    return m->size > 2 && (at[0] & 0x7f) == '{' && ((at[1] & 0x7f) == '(' || (at[1] & 0x7f) == ')' || at[1] == '0');
}

static bool is_json(const struct import *m)
{
    size_t i = 0;
    while (i < m->size && (m->data[i] == ' ' || m->data[i] == '\n' || m->data[i] == '\t' || m->data[i] == '\r'))
        i++;
    return i < m->size && m->data[i] == '{';
}

int import_read(struct load *l, const struct input *in, struct record_summary *summary, struct error *e)
{
    struct import m = {.l = l, .name = in->name, .data = in->data, .size = in->size, .e = e};
    if (l->p->options.mode != PROFILE_WALL)
        return import_refuse(&m, "does not say what was on a CPU or held the GIL: only --mode wall can show it");
    map_init(&m.flat);
    int r = strings_init(&m.thread_names, SIZE_MAX);
    if (r == 0)
        r = load_events.process(l, &(struct record_process){.python = "", .command = ""});
    if (r == 0)
        r = is_pstats(&m) ? import_pstats(&m) : is_json(&m) ? import_speedscope(&m) : import_collapsed(&m);
    strings_release(&m.thread_names);
    l->flat = m.flat;
    summary->complete = true;
    summary->bytes = in->size;
    return r;
}

int import_finish(struct load *l)
{
    struct profile *p = l->p;
    /* Where a hit is a nanosecond, ticks are time. */
    p->wall_ns = p->origin == PROFILE_SAMPLES ? 0 : p->ticks;
    for (uint32_t i = 0; i < p->function_count; i++) {
        uint64_t total;
        struct profile_sums *s = &l->w->functions[i].total;
        if (!map_get(&l->flat, i, &total) || total <= s->y)
            continue;
        s->y = total < p->hits ? total : p->hits;
        s->yy = s->yn = (double)s->y;
    }
    return 0;
}
