/* The page of a comparison: the numbers of diff's JSON, and one call tree with both sides' times. docs/html.md has the
 * layout of its data. */
#include "report/inside.h"

static void put_side(struct json *j, const struct report_side *side)
{
    json_object_begin(j, NULL);
    json_text(j, "command", side->command == NULL ? "" : side->command);
    json_text(j, "python", side->python == NULL ? "" : side->python);
    json_text(j, "host", side->host == NULL ? "" : side->host);
    json_integer(j, "damaged", (int64_t)side->damaged);
    json_object_end(j);
}

static void put_facts(
    struct buffer *data, const struct diff *d, const struct report_side sides[2], enum profile_mode mode)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, PAGE_DATA_MAX);
    struct json j = {.out = &text};
    json_object_begin(&j, NULL);
    report_diff_facts(&j, d, true);
    json_array_begin(&j, "sides");
    put_side(&j, &sides[0]);
    put_side(&j, &sides[1]);
    json_array_end(&j);
    json_text(&j, "mode", report_mode_name(mode));
    json_number(&j, "hit_a", d->counted ? d->hit_a : 0);
    json_number(&j, "hit_b", d->counted ? d->hit_b : 0);
    json_object_begin(&j, "counts");
    json_integer(&j, "lines", (int64_t)d->line_count);
    json_integer(&j, "nodes", (int64_t)d->node_count);
    json_object_end(&j);
    json_object_end(&j);
    page_put_facts(data, &text);
}

/* Nanoseconds, or billionths of the whole. */
static uint64_t whole_number(const struct diff *d, double amount)
{
    amount *= d->unit == DIFF_SHARE ? 1e9 : 1;
    return amount > 0 ? (uint64_t)(amount < 9e18 ? amount + 0.5 : 9e18) : 0;
}

int report_diff_html(
    struct buffer *out, const struct diff *d, const struct report_side sides[2], enum profile_mode mode)
{
    CLEANUP(buffer_release) struct buffer data;
    buffer_init(&data, PAGE_DATA_MAX);
    put_facts(&data, d, sides, mode);
    PAGE_PUT_COLUMN(&data, d->line_count, d->lines[i].function);
    PAGE_PUT_NODES(&data, d->nodes, d->node_count);
    PAGE_PUT_COLUMN(&data, d->node_count, whole_number(d, d->nodes[i].self_a));
    PAGE_PUT_COLUMN(&data, d->node_count, whole_number(d, d->nodes[i].self_b));
    return page_write(out, html_diff_head, html_diff_tail, &data);
}
