#include "report/inside.h"

#include <errno.h>

static int put_view(struct page *g, enum report_sort sort)
{
    int r = 0;
    if (sort != REPORT_TOTAL)
        r = report_functions(g, false);
    if (r == 0 && sort != REPORT_SELF)
        r = report_functions(g, true);
    bool stacks = g->p->origin != PROFILE_CALLS, threads = g->p->origin == PROFILE_RECORDING;
    if (r == 0 && stacks)
        r = report_lines(g);
    if (r == 0 && stacks)
        r = report_path(g);
    if (r == 0 && threads)
        r = report_tasks(g);
    return r < 0 || !threads ? r : report_threads(g);
}

int report_text(struct buffer *out, const struct profile *p, const struct report_options *options)
{
    struct page g = page_of(out, p, options);
    int r = 0;
    report_head(&g);
    if (p->hits > 0) {
        r = put_view(&g, options->sort);
    } else {
        static const char *const none[] = {
            [PROFILE_WALL] = "no sample was taken",
            [PROFILE_CPU] = "no sample was on a CPU",
            [PROFILE_GIL] = "no sample held the GIL",
        };
        page_title(&g, p->present == 0 && p->rejected > 0 ? "no stack could be believed" : none[p->options.mode]);
    }
    if (r < 0)
        return r;
    report_foot(&g);
    return out->failed ? -ENOMEM : 0;
}
