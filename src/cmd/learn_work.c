/* The final project and the reviews in the completion report, as text and on the page. */
#include "cmd/learner.h"

#include <stdio.h>
#include <string.h>

static void put_levels(struct buffer *out, const struct learn_event *x)
{
    for (size_t i = 0; i < LEARN_CRITERIA; i++) {
        buffer_printf(out, "      %s (%u): ", learn_criteria[i], learn_criterion_weights[i]);
        if (x->levels[i] >= 0)
            buffer_printf(out, "level %d computed", x->levels[i]);
        else
            buffer_append_string(out, "to be judged");
        if (x->most[i] >= 0)
            buffer_printf(out, ", %d at most", x->most[i]);
        buffer_append_byte(out, '\n');
    }
}

/* "weblog: passed, 45 of 45 points that are computed" */
static void put_project_line(struct buffer *out, const struct learn_event *x)
{
    text_append_safe(out, x->work, strlen(x->work));
    buffer_printf(out, ": %s, %u of %u points that are computed", grade_outcome_text(x->outcome), x->points, x->of);
}

static void put_ratio(struct buffer *out, const struct learn_event *x)
{
    if (x->figure_count >= 3)
        buffer_printf(out, "time after over before %.3g (%.3g to %.3g)", x->figures[0], x->figures[1], x->figures[2]);
}

static void put_project_stand(struct buffer *out, const struct learn_work_state *w)
{
    if (w->best != NULL)
        put_project_line(out, w->best);
    else if (w->redacted != NULL)
        buffer_append_string(out, "of their own, not reproduced");
    else
        buffer_append_string(out, w->begun != NULL ? "begun" : "open");
}

void learner_put_work_line(struct buffer *out, const struct learner *l)
{
    const struct learn_work_state *w = &l->state.work;
    buffer_append_string(out, "final project: ");
    put_project_stand(out, w);
    buffer_printf(out, "; reviews: %u of %u\n", w->reviewed, LEARN_WORKS);
}

void learner_put_work(struct buffer *out, const struct learner *l)
{
    const struct learn_work_state *w = &l->state.work;
    buffer_append_string(out, "\nFinal project: ");
    put_project_stand(out, w);
    if (w->best == NULL && w->redacted != NULL) {
        buffer_append_string(out, ": it cannot be run or shown here\n      receipt ");
        text_append_safe(out, w->redacted->receipt, strlen(w->redacted->receipt));
        buffer_append_byte(out, '\n');
        put_levels(out, w->redacted);
    } else if (w->best == NULL) {
        buffer_append_byte(out, '\n');
    } else {
        buffer_printf(out, ", %u check%s\n      receipt ", w->checks, w->checks == 1 ? "" : "s");
        text_append_safe(out, w->best->receipt, strlen(w->best->receipt));
        buffer_append_string(out, w->best->figure_count >= 3 ? "; " : "");
        put_ratio(out, w->best);
        buffer_append_byte(out, '\n');
        put_levels(out, w->best);
    }
    buffer_printf(out,
        "\nReviews: %u of %u, taken alone; %u anchored sentence%s (two stand for taking part in discussions)\n",
        w->reviewed, LEARN_WORKS, w->anchored, w->anchored == 1 ? "" : "s");
    for (size_t i = 0; i < LEARN_WORKS; i++) {
        const struct learn_event *x = w->reviews[i];
        buffer_printf(out, "  %s: ", learn_work_names[i]);
        if (x == NULL) {
            buffer_append_string(out, "open\n");
            continue;
        }
        buffer_append_string(out, "levels");
        for (size_t k = 0; k < LEARN_REVIEW_CRITERIA; k++)
            buffer_printf(out, " %d", x->levels[k]);
        buffer_printf(out, ", %u of %u sentences anchored\n", x->right, x->of);
    }
}

/* ---- the page ---- */

static void put_text(struct buffer *out, const char *text)
{
    CLEANUP(buffer_release) struct buffer safe;
    buffer_init(&safe, 8 * LEARN_TEXT_MAX);
    for (const char *at = text; *at != '\0';) { /* its lines are kept; what a page should not get is not */
        size_t size = strcspn(at, "\n");
        text_append_safe(&safe, at, size);
        at += size;
        if (*at == '\n') {
            buffer_append_byte(&safe, '\n');
            at++;
        }
    }
    text_append_markup(out, (const char *)safe.data, safe.size);
}

static void put_project_page(struct buffer *out, const struct learn_work_state *w)
{
    const struct learn_event *x = w->best;
    if (x == NULL) {
        buffer_printf(out, "<p>%s</p>\n",
            w->redacted != NULL ? "Of their own, not reproduced: it cannot be run or shown here."
            : w->begun != NULL  ? "Begun."
                                : "Open.");
        return;
    }
    buffer_append_string(out, "<table>\n<caption>");
    put_text(out, x->work);
    buffer_printf(out, ": %s, %u of %u points that are computed; receipt <code>", grade_outcome_text(x->outcome),
        x->points, x->of);
    put_text(out, x->receipt);
    buffer_append_string(out, "</code>");
    buffer_append_string(out, x->figure_count >= 3 ? "; " : "");
    put_ratio(out, x);
    buffer_append_string(out,
        "</caption>\n<thead><tr><th scope=\"col\">criterion</th><th scope=\"col\" class=\"number\">weight"
        "</th><th scope=\"col\">level computed</th><th scope=\"col\">at most</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < LEARN_CRITERIA; i++) {
        buffer_printf(out, "<tr><th scope=\"row\">%s</th><td class=\"number\">%u</td>", learn_criteria[i],
            learn_criterion_weights[i]);
        if (x->levels[i] >= 0)
            buffer_printf(out, "<td>%d</td>", x->levels[i]);
        else
            buffer_append_string(out, "<td>to be judged</td>");
        if (x->most[i] >= 0)
            buffer_printf(out, "<td>%d</td></tr>\n", x->most[i]);
        else
            buffer_append_string(out, "<td></td></tr>\n");
    }
    buffer_append_string(out, "</tbody>\n</table>\n");
}

void learner_put_work_page(struct buffer *out, const struct learner *l)
{
    const struct learn_work_state *w = &l->state.work;
    buffer_append_string(out, "<section>\n<h2>Final project</h2>\n");
    put_project_page(out, w);
    buffer_printf(out,
        "</section>\n<section>\n<h2>Reviews</h2>\n<p>%u of %u, taken alone; %u anchored sentence%s (two stand for "
        "taking part in discussions)</p>\n",
        w->reviewed, LEARN_WORKS, w->anchored, w->anchored == 1 ? "" : "s");
    for (size_t i = 0; i < LEARN_WORKS; i++)
        if (w->reviews[i] != NULL) {
            buffer_printf(out, "<h3>%s</h3>\n<blockquote>", learn_work_names[i]);
            put_text(out, w->reviews[i]->text);
            buffer_append_string(out, "</blockquote>\n");
        }
    buffer_append_string(out, "</section>\n");
}
