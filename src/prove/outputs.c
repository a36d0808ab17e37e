/* Whether two runs said the same, and where they first did not. */
#include "prove/experiment.h"

#include <errno.h>
#include <string.h>

enum { SHOWN = 60 }; /* columns of a line that differs */

bool outputs_same(const struct prove_subject *s, const struct block_turn *a, const struct block_turn *b)
{
    if (s->kind == PROVE_FUNCTION && a->batches.value_hash != b->batches.value_hash)
        return false;
    return s->kind == PROVE_FUNCTION || (a->run.out.size == b->run.out.size && a->run.out.hash == b->run.out.hash);
}

struct view {
    const char *at;
    size_t size;
};

static struct view line_of(const struct view *v, size_t from)
{
    const char *end = from < v->size ? memchr(v->at + from, '\n', v->size - from) : NULL;
    return (struct view){v->at + (from < v->size ? from : v->size),
        end ? (size_t)(end - v->at) - from : v->size - (from < v->size ? from : v->size)};
}

static void append_line(struct buffer *into, const struct view *v, size_t from, bool ends_here)
{
    CLEANUP(buffer_release) struct buffer safe;
    struct view line = line_of(v, from);

    buffer_init(&safe, 1 << 20);
    if (line.size == 0 && ends_here && from >= v->size) {
        buffer_append_string(into, "nothing more");
        return;
    }
    text_append_safe(&safe, line.at, line.size);
    buffer_append_byte(into, '\'');
    text_append_fitted(into, buffer_text(&safe), SHOWN);
    buffer_append_byte(into, '\'');
}

int outputs_blame(const struct prove_subject *s, const char *name_a, const struct block_turn *a, const char *name_b,
    const struct block_turn *b, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    bool value = s->kind == PROVE_FUNCTION;
    struct view va = {a->run.out.head, a->run.out.kept}, vb = {b->run.out.head, b->run.out.kept};
    const char *verb = value ? "returns" : "prints";
    size_t at = 0, line = 1, begin = 0;

    buffer_init(&text, 4096);
    if (value) {
        va = (struct view){a->batches.value, strlen(a->batches.value)};
        vb = (struct view){b->batches.value, strlen(b->batches.value)};
    }
    for (; at < va.size && at < vb.size && va.at[at] == vb.at[at]; at++)
        if (va.at[at] == '\n') {
            line++;
            begin = at + 1;
        }
    bool all = !value && va.size == a->run.out.size && vb.size == b->run.out.size;
    if (at == va.size && at == vb.size)
        return error_set(
            e, EXDEV, "%s and %s differ in what each %s, behind the first %zu bytes", name_a, name_b, verb, at);
    if (value && at > SHOWN / 2)
        begin = at - SHOWN / 2;
    append_line(&text, &va, begin, all);
    buffer_printf(&text, ", %s ", name_b);
    append_line(&text, &vb, begin, all);
    if (value)
        return error_set(e, EXDEV, "the answers differ: %s returns %s", name_a, buffer_text(&text));
    return error_set(e, EXDEV, "the outputs differ in line %zu: %s prints %s", line, name_a, buffer_text(&text));
}
