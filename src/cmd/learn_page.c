/* The completion report as one page: no script, nothing from elsewhere, readable without its colours. */
#include "cmd/learner.h"

#include <string.h>
#include <time.h>

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Completion report: Performance Optimization and Profiling</title>\n<style>\n"
    ":root { color-scheme: light dark; }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }\n"
    "h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.15rem; margin-top: 2rem; }\n"
    "table { border-collapse: collapse; width: 100%; } caption { text-align: left; font-weight: 600; }\n"
    "th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8888; "
    "}\n"
    "td.number, th.number { text-align: right; } code { font-size: .85em; overflow-wrap: anywhere; }\n"
    "blockquote { margin: .5rem 0; padding-left: 1rem; border-left: 3px solid #8888; white-space: pre-wrap; }\n"
    "@media print { body { margin: 0; font-size: 11pt; } h2 { break-after: avoid; } }\n"
    "</style>\n</head>\n<body>\n<main>\n";

static void put_text(struct buffer *out, const char *text)
{
    CLEANUP(buffer_release) struct buffer utf8;
    buffer_init(&utf8, 8 * LEARN_TEXT_MAX);
    text_append_utf8(&utf8, text, strlen(text));
    for (size_t i = 0; i < utf8.size; i++)
        if (utf8.data[i] >= ' ' || utf8.data[i] == '\n' || utf8.data[i] == '\t')
            text_append_markup(out, (const char *)utf8.data + i, 1);
}

static void put_element(struct buffer *out, const char *tag, const char *text)
{
    buffer_printf(out, "<%s>", tag);
    put_text(out, text);
    buffer_printf(out, "</%.*s>", (int)strcspn(tag, " "), tag);
}

static void put_day(struct buffer *out, uint64_t time_ns)
{
    char day[32];
    time_t seconds = (time_t)(time_ns / 1000000000u);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) != NULL && strftime(day, sizeof(day), "%Y-%m-%d", &tm) > 0)
        buffer_printf(out, "<time datetime=\"%s\">%s</time>", day, day);
}

static void put_lab(struct buffer *out, const struct learn_lab_state *s)
{
    const struct learn_event *x = s->best;
    buffer_printf(out, "<tr><th scope=\"row\">%s ", s->lab->kind == GRADE_PROGRAM ? "" : s->lab->id);
    put_text(out, s->lab->title);
    buffer_append_string(out, s->lab->core || s->lab->kind == GRADE_PROGRAM ? "</th>" : " (beyond the core)</th>");
    if (x == NULL) {
        buffer_printf(out, "<td>%s</td><td></td><td class=\"number\">%u</td><td class=\"number\">%u</td>",
            s->begun ? "begun" : "open", s->attempts, s->hints);
        buffer_printf(out, "<td class=\"number\">%.0f</td><td></td></tr>\n", (double)s->spent_ns / 60e9);
        return;
    }
    put_element(out, "td", grade_outcome_text(x->outcome));
    buffer_printf(out, "<td class=\"number\">%u</td><td class=\"number\">%u</td><td class=\"number\">%u</td>",
        x->points, s->attempts, s->hints);
    buffer_printf(out, "<td class=\"number\">%.0f</td><td>", (double)s->spent_ns / 60e9);
    put_element(out, "code", x->receipt);
    buffer_append_string(out, "<br>");
    put_day(out, x->time_ns);
    buffer_printf(out, ", sandbox level %d", x->level);
    unsigned first = s->lab->kind == GRADE_PROGRAM ? LEARN_CAPSTONE_FIGURES : 0;
    for (unsigned i = first; i < x->figure_count; i++)
        buffer_printf(out, "%s%.3g", i == first ? "; measured " : ", ", x->figures[i]);
    buffer_append_string(out, "</td></tr>\n");
}

static const char table_head[] =
    "</caption>\n<thead><tr><th scope=\"col\">lab</th><th scope=\"col\">best attempt</th>"
    "<th scope=\"col\" class=\"number\">points</th><th scope=\"col\" class=\"number\">attempts</th>"
    "<th scope=\"col\" class=\"number\">hints</th><th scope=\"col\" class=\"number\">minutes</th>"
    "<th scope=\"col\">receipt</th></tr></thead>\n<tbody>\n";

static void put_capstone(struct buffer *out, const struct learn_lab_state *s)
{
    const double *f = s->best == NULL ? NULL : s->best->figures;
    buffer_append_string(out, "<section>\n<h2>Capstone</h2>\n<table>\n<caption>");
    if (f != NULL && s->best->figure_count >= LEARN_CAPSTONE_FIGURES && f[LEARN_CAPSTONE_OF_SCENARIOS] >= 1)
        buffer_printf(out,
            "%.0f of %.0f bottlenecks found; of %.0f named, %.0f right; %.0f of %.0f scenarios meet their limits; of "
            "the "
            "whole day, %.0f of %.0f",
            f[LEARN_CAPSTONE_FOUND], f[LEARN_CAPSTONE_PLANTS], f[LEARN_CAPSTONE_NAMED], f[LEARN_CAPSTONE_RIGHT],
            f[LEARN_CAPSTONE_SCENARIOS], f[LEARN_CAPSTONE_OF_SCENARIOS], f[LEARN_CAPSTONE_DAY],
            f[LEARN_CAPSTONE_OF_DAY]);
    buffer_append_string(out, table_head);
    put_lab(out, s);
    buffer_append_string(out, "</tbody>\n</table>\n</section>\n");
}

static void put_module(struct buffer *out, const struct learner *l, unsigned module)
{
    const struct grade_module *m = grade_module(module);
    const struct learn_module_state *s = &l->state.modules[module];
    buffer_printf(out, "<section>\n<h2>%02u · ", module);
    put_text(out, m->title);
    buffer_append_string(out, "</h2>\n<table>\n<caption>");
    buffer_printf(out, "%u of %u core labs passed; reading and writing %.0f minutes", s->core_passed, s->core,
        (double)s->spent_ns / 60e9);
    buffer_append_string(out, table_head);
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab->module == module && l->state.labs[i].lab->kind != GRADE_PROGRAM)
            put_lab(out, &l->state.labs[i]);
    buffer_append_string(out, "</tbody>\n</table>\n");
    put_element(out, "p", learn_reflect_question(module));
    buffer_append_byte(out, '\n');
    if (s->reflection == NULL)
        put_element(out, "p", "Not written yet.");
    else
        put_element(out, "blockquote", s->reflection->text);
    buffer_append_string(out, "\n</section>\n");
}

void learner_put_page(struct buffer *out, const struct learner *l, const char *name)
{
    unsigned core = 0, passed = 0, written = 0;
    for (unsigned module = 1; module <= GRADE_MODULES; module++) {
        core += l->state.modules[module].core;
        passed += l->state.modules[module].core_passed;
        written += l->state.modules[module].reflection != NULL;
    }
    buffer_append_string(out, head);
    buffer_append_string(out, "<h1>Performance Optimization and Profiling: completion report</h1>\n<p>");
    if (name != NULL) {
        put_element(out, "strong", name);
        buffer_append_string(out, ", ");
    }
    buffer_append_string(out, "taken alone, checked on the learner's own machine</p>\n<p>");
    buffer_printf(out, "%u of %u core labs passed, %u of %u reflections written, %.0f minutes", passed, core, written,
        GRADE_MODULES, (double)l->state.spent_ns / 60e9);
    if (l->log.count > 0) {
        buffer_append_string(out, ", from ");
        put_day(out, l->log.events[0].time_ns);
        buffer_append_string(out, " to ");
        put_day(out, l->log.events[l->log.count - 1].time_ns);
    }
    buffer_append_string(out, "</p>\n");
    if (l->state.start != NULL && l->state.start->version[0] != '\0') {
        buffer_append_string(out, "<p>Python ");
        put_text(out, l->state.start->version);
        buffer_append_string(out, "</p>\n");
    }
    for (unsigned module = 1; module <= GRADE_MODULES; module++)
        if (grade_module(module) != NULL)
            put_module(out, l, module);
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab->kind == GRADE_PROGRAM)
            put_capstone(out, &l->state.labs[i]);
    learner_put_work_page(out, l);
    buffer_append_string(out,
        "<p>Each receipt is a file <code>receipts/ID.json</code> of the course's folder. A check that a learner runs "
        "proves nothing to others: a grade is what somebody else's run of the same source says.</p>\n"
        "</main>\n</body>\n</html>\n");
}
