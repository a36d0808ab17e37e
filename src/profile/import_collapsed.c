/*
 * Collapsed stacks: a line a stack, frames from the outermost joined by ';', a space, a number. Frames of pitviper and
 * py-spy are "name (file:line)", austin's "file:name:line" below "P1;T1", and other programs write a name alone.
 */
#include "profile/inside.h"

#include <errno.h>
#include <string.h>

struct piece {
    const char *at;
    size_t size;
};

struct frame {
    struct piece name, file;
    uint32_t line;
};

/* Digits at the end, after `mark`: the number, and the piece without both. */
static bool number_after(struct piece *p, char mark, uint64_t most, uint64_t *ret)
{
    size_t i = p->size;
    uint64_t value = 0, unit = 1;
    while (i > 0 && p->at[i - 1] >= '0' && p->at[i - 1] <= '9') {
        if (p->size - i >= 18)
            return false;
        value += unit * (uint64_t)(p->at[i - 1] - '0');
        unit *= 10;
        i--;
    }
    if (i == p->size || i == 0 || p->at[i - 1] != mark || value > most)
        return false;
    *ret = value;
    p->size = i - 1;
    return true;
}

static bool next_line(struct piece *text, struct piece *ret)
{
    if (text->size == 0)
        return false;
    const char *stop = memchr(text->at, '\n', text->size);
    size_t size = stop == NULL ? text->size : (size_t)(stop - text->at);
    *ret = (struct piece){text->at, size};
    size_t used = size + (stop != NULL);
    text->at += used;
    text->size -= used;
    while (ret->size > 0 && (ret->at[ret->size - 1] == '\r' || ret->at[ret->size - 1] == ' '))
        ret->size--;
    return true;
}

static struct piece next_frame(struct piece *stack)
{
    const char *stop = memchr(stack->at, ';', stack->size);
    struct piece p = {stack->at, stop == NULL ? stack->size : (size_t)(stop - stack->at)};
    size_t used = p.size + (stop != NULL);
    stack->at += used;
    stack->size -= used;
    return p;
}

static bool starts(const struct piece *p, const char *text)
{
    size_t size = strlen(text);
    return p->size >= size && memcmp(p->at, text, size) == 0;
}

/* "name (file:line)", "name (file)". */
static bool split_spaced(struct piece p, struct frame *ret)
{
    uint64_t line = 0;
    if (p.size < 4 || p.at[p.size - 1] != ')')
        return false;
    p.size--;
    const char *open = memmem(p.at, p.size, " (", 2);
    if (open == NULL || open == p.at)
        return false;
    ret->name = (struct piece){p.at, (size_t)(open - p.at)};
    ret->file = (struct piece){open + 2, p.size - ret->name.size - 2};
    (void)number_after(&ret->file, ':', UINT32_MAX, &line);
    ret->line = (uint32_t)line;
    return ret->file.size > 0;
}

/* "file:name:line" */
static bool split_austin(struct piece p, struct frame *ret)
{
    uint64_t line = 0;
    if (!number_after(&p, ':', UINT32_MAX, &line))
        return false;
    const char *colon = memrchr(p.at, ':', p.size);
    if (colon == NULL || colon == p.at || colon + 1 == p.at + p.size)
        return false;
    ret->file = (struct piece){p.at, (size_t)(colon - p.at)};
    ret->name = (struct piece){colon + 1, p.size - ret->file.size - 1};
    ret->line = (uint32_t)line;
    return true;
}

struct shape {
    bool austin;        /* times of its own, in microseconds */
    bool first_threads; /* every stack begins with a frame that is no function */
};

/* What the lines are, and that all of them are that. */
static int look(struct import *m, struct shape *ret)
{
    struct piece text = {m->data, m->size}, line;
    size_t stacks = 0, named = 0, located = 0;
    static const char none[] = "is no file that can be opened: not a recording of pitviper, nor collapsed stacks, "
                               "pstats or speedscope";
    if (memchr(m->data, 0, m->size) != NULL)
        return import_refuse(m, none);
    while (next_line(&text, &line)) {
        uint64_t count;
        struct frame f;
        ret->austin = ret->austin || starts(&line, "# austin:");
        if (line.size == 0 || line.at[0] == '#')
            continue;
        if (!number_after(&line, ' ', IMPORT_HITS_MAX, &count))
            return import_refuse(m, stacks == 0 ? none : "has a line that is no collapsed stack");
        stacks++;
        struct piece first = next_frame(&line);
        named += !split_spaced(first, &f) && first.size > 0 && first.at[0] != '<' && line.size > 0;
        while (line.size > 0)
            located += split_spaced(next_frame(&line), &f);
    }
    if (stacks == 0)
        return import_refuse(m, none);
    ret->first_threads = named == stacks && located > 0;
    return 0;
}

static int put_stack(struct import *m, const struct shape *shape, struct piece stack, uint64_t hits)
{
    uint32_t node = 0, depth = 0;
    int r = 0;
    if (shape->first_threads) {
        struct piece thread = next_frame(&stack);
        r = import_thread(m, thread.at, thread.size);
    } else if (shape->austin) {
        /* "P12;T34" or "P12;T0:34": the process, then the thread */
        struct piece whole = stack, thread = next_frame(&stack);
        if (starts(&thread, "P") && starts(&stack, "T"))
            thread = next_frame(&stack);
        if (starts(&thread, "T"))
            r = import_thread(m, thread.at, thread.size);
        else
            stack = whole;
    }
    while (r == 0 && stack.size > 0) {
        struct piece p = next_frame(&stack);
        struct frame f = {0};
        if (p.size == 0)
            continue;
        if (++depth > IMPORT_DEPTH_MAX)
            return import_refuse(m, "has a stack that is too deep");
        bool placed = shape->austin ? split_austin(p, &f) : split_spaced(p, &f);
        if (!placed)
            f = (struct frame){.name = p};
        r = import_frame(m, node, f.name.at, f.name.size, f.file.at, f.file.size, 0, f.line, &node);
    }
    return r == 0 ? import_hits(m, node, hits) : r;
}

int import_collapsed(struct import *m)
{
    struct piece text = {m->data, m->size}, line;
    struct shape shape = {0};
    int r = look(m, &shape);
    m->l->p->origin = shape.austin ? PROFILE_WEIGHTS : PROFILE_SAMPLES;
    while (r == 0 && next_line(&text, &line)) {
        uint64_t count;
        if (line.size == 0 || line.at[0] == '#' || !number_after(&line, ' ', IMPORT_HITS_MAX, &count))
            continue;
        r = put_stack(m, &shape, line, shape.austin ? count * 1000 : count);
    }
    return r;
}
