/* The source texts of the page: all of a file in which time went; of others, what is around the lines with hits. */
#include "report/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_FROM 0.01 /* share of the view: a file with a line of at least this total is shown whole */
#define AROUND 12       /* lines before and after one with hits */

struct place {
    const char *path;
    uint32_t line;
    uint64_t total;
};
struct piece {
    uint32_t first; /* from 1 */
    const char *text, *end;
};

static int compare(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    int r = strcmp(p->path, q->path);
    return r != 0 ? r : (p->line > q->line) - (p->line < q->line);
}

static int places_of(const struct profile *p, struct place **ret, size_t *ret_count)
{
    struct place *places = calloc(p->line_count + 1, sizeof(*places));
    size_t count = 0;
    if (places == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < p->line_count; i++) {
        const struct profile_line *line = &p->lines[i];
        if (line->total.y > 0 && line->line > 0)
            places[count++] = (struct place){p->functions[line->function].file, line->line, line->total.y};
    }
    qsort(places, count, sizeof(*places), compare);
    *ret = places;
    *ret_count = count;
    return 0;
}

static size_t first_of(const struct place *places, size_t count, const char *path)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(places[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const char *line_end(const char *at, const char *end)
{
    const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    return stop != NULL ? stop + 1 : end;
}

/* The stretches of lines to show, in order; at most one more than there are places. */
static size_t cut(const struct profile_source *s, const struct place *places, size_t count, struct piece *pieces)
{
    const char *at = s->text, *end = s->text + s->size;
    uint32_t line = 1;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t first = places[i].line > AROUND ? places[i].line - AROUND : 1;
        if (found > 0 && first <= line)
            first = line; /* goes on from the piece before */
        for (; line < first && at < end; line++)
            at = line_end(at, end);
        if (at == end)
            break;
        if (found == 0 || at != pieces[found - 1].end)
            pieces[found++] = (struct piece){.first = line, .text = at};
        for (; line <= (uint64_t)places[i].line + AROUND && at < end; line++)
            at = line_end(at, end);
        pieces[found - 1].end = at;
    }
    return found;
}

static size_t pieces_of(const struct profile *p, const struct profile_source *s, const struct place *places,
    size_t count, struct piece *pieces)
{
    uint64_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = places[i].total > most ? places[i].total : most;
    if (most == 0 || s->size == 0)
        return 0;
    if ((double)most < WHOLE_FROM * (double)p->hits)
        return cut(s, places, count, pieces);
    pieces[0] = (struct piece){.first = 1, .text = s->text, .end = s->text + s->size};
    return 1;
}

/* By source: its number of pieces; by piece its first line, its size, its text. */
int report_put_excerpts(struct buffer *out, const struct profile *p)
{
    struct place *places = NULL;
    size_t count;
    int r = places_of(p, &places, &count);
    if (r < 0)
        return r;
    struct piece *pieces = calloc(count + 1, sizeof(*pieces));
    r = pieces == NULL ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < p->source_count; i++) {
        const struct profile_source *s = &p->sources[i];
        size_t first = first_of(places, count, s->path), last = first;
        while (last < count && strcmp(places[last].path, s->path) == 0)
            last++;
        size_t found = pieces_of(p, s, places + first, last - first, pieces);
        buffer_append_varint(out, found);
        for (size_t k = 0; k < found; k++) {
            buffer_append_varint(out, pieces[k].first);
            buffer_append_varint(out, (uint64_t)(pieces[k].end - pieces[k].text));
            buffer_append(out, pieces[k].text, (size_t)(pieces[k].end - pieces[k].text));
        }
    }
    free(places);
    free(pieces);
    return r;
}
