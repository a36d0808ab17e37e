#include "report/inside.h"

#include <errno.h>

static int put_view(struct page *g, enum report_sort sort)
{
    int r = 0;
    if (sort != REPORT_TOTAL)
        r = report_functions(g, false);
    if (r == 0 && sort != REPORT_SELF)
        r = report_functions(g, true);
    if (r == 0)
        r = report_lines(g);
    if (r == 0)
        r = report_path(g);
    return r < 0 ? r : report_threads(g);
}

int report_text(struct buffer *out, const struct profile *p, const struct report_options *options)
{
    struct page g = {
        .out = out,
        .p = p,
        .width = options->width == 0   ? 80
                 : options->width < 40 ? 40
                                       : options->width,
        .rows = options->rows == 0 ? 12 : options->rows,
        .colour = options->colour,
    };
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
        page_title(&g, none[p->options.mode]);
    }
    if (r < 0)
        return r;
    report_foot(&g);
    return out->failed ? -ENOMEM : 0;
}
