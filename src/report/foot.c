/* The foot: how far to trust the rest. */
#include "report/inside.h"

#include <stdio.h>
#include <string.h>

enum { LABEL = 9 };

static double ratio(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (double)part / (double)whole;
}

static void put_samples(struct page *g, const struct record_counters *c)
{
    char text[400], due[NUMBER_TEXT], taken[NUMBER_TEXT], late[NUMBER_TEXT], missed[NUMBER_TEXT], gap[NUMBER_TEXT];
    char late_share[NUMBER_TEXT], missed_share[NUMBER_TEXT], rate[NUMBER_TEXT] = "";
    const char *asked = profile_meta(g->p, "rate_hz");
    uint64_t hz;
    if (asked != NULL && parse_count(asked, &hz) == 0)
        number_text(rate, hz);
    snprintf(text, sizeof(text), "%s asked for%s%s%s, %s taken, %s late (%s), %s missed (%s); longest gap %s",
        number_text(due, c->ticks_due), rate[0] != '\0' ? " at " : "", rate, rate[0] != '\0' ? " Hz" : "",
        number_text(taken, c->ticks_taken), number_text(late, c->ticks_late),
        share_text(late_share, ratio(c->ticks_late, c->ticks_due)), number_text(missed, c->ticks_missed),
        share_text(missed_share, ratio(c->ticks_missed, c->ticks_due)), time_text(gap, (double)c->longest_gap_ns));
    page_entry(g, "ticks", LABEL, text);
}

static void put_stacks(struct page *g, uint64_t samples, uint64_t repaired, uint64_t rejected)
{
    char text[300], all[NUMBER_TEXT], mended[NUMBER_TEXT], refused[NUMBER_TEXT], share[NUMBER_TEXT],
        share2[NUMBER_TEXT];
    snprintf(text, sizeof(text), "%s samples, %s repaired (%s), %s rejected (%s)", number_text(all, samples),
        number_text(mended, repaired), share_text(share, ratio(repaired, samples)), number_text(refused, rejected),
        share_text(share2, ratio(rejected, samples + rejected)));
    page_entry(g, "stacks", LABEL, text);
}

static void put_cost(struct page *g, const struct record_counters *c)
{
    char text[300], cpu[NUMBER_TEXT], share[NUMBER_TEXT], cost[NUMBER_TEXT];
    uint64_t wall = c->profiler_wall_ns != 0 ? c->profiler_wall_ns : g->p->wall_ns;
    snprintf(text, sizeof(text),
        "the profiler used %s of CPU, %s of one core; the program was slowed by an estimated %s",
        time_text(cpu, (double)c->profiler_cpu_ns), share_text(share, ratio(c->profiler_cpu_ns, wall)),
        share_text(cost, (double)c->target_cost_ppm / 1e6));
    page_entry(g, "cost", LABEL, text);
}

static void put_reconciliation(struct page *g)
{
    struct profile_reconciliation r = profile_reconcile(g->p);
    char text[400], sampled[NUMBER_TEXT], kernel[NUMBER_TEXT], wait[NUMBER_TEXT];
    double known = r.kernel_cpu + r.kernel_wait;
    if (r.threads == 0)
        return;
    int size = snprintf(text, sizeof(text), "%s by samples; the kernel has %s on a CPU and %s waiting for one",
        time_text(sampled, r.sampled), time_text(kernel, r.kernel_cpu), time_text(wait, r.kernel_wait));
    if (known > 0 && size > 0)
        snprintf(
            text + size, sizeof(text) - (size_t)size, ": a difference of %+.1f %%", 100 * (r.sampled - known) / known);
    page_entry(g, "CPU time", LABEL, text);
}

static void put_children(struct page *g, const struct record_counters *c)
{
    char text[200], found[NUMBER_TEXT], late[NUMBER_TEXT];
    if (c->children_found == 0 && c->children_late == 0)
        return;
    snprintf(text, sizeof(text), "%s found, %s of them too late to be sampled", number_text(found, c->children_found),
        number_text(late, c->children_late));
    page_entry(g, "children", LABEL, text);
}

static uint64_t meta_count(const struct profile *p, const char *key)
{
    const char *text = profile_meta(p, key);
    uint64_t count;
    return text != NULL && parse_count(text, &count) == 0 ? count : 0;
}

/* The counters are of the whole run, the ticks of what was kept of it. */
struct report_kept report_kept(const struct profile *p)
{
    return (struct report_kept){.one_in = meta_count(p, "thinned"),
        .last_ns = meta_count(p, "last_ns"),
        .dropped = p->has_counters && p->counters.ticks_taken > p->ticks};
}

static void put_kept(struct page *g)
{
    const struct profile *p = g->p;
    struct report_kept k = report_kept(p);
    char text[200], n[NUMBER_TEXT], kept[NUMBER_TEXT], all[NUMBER_TEXT];
    if (k.one_in > 0) {
        snprintf(text, sizeof(text),
            "thinned to 1 tick in %s, evenly over the run, to keep the recording small; the counts here are of all "
            "that was sampled",
            number_text(n, k.one_in));
        page_entry(g, "kept", LABEL, text);
    }
    if (k.last_ns == 0)
        return;
    time_text(n, (double)k.last_ns);
    if (k.dropped)
        snprintf(text, sizeof(text),
            "the last %s of %s, recorded with --last %s; the counts here are of all that was sampled",
            time_text(kept, (double)p->wall_ns), time_text(all, (double)p->counters.profiler_wall_ns), n);
    else
        snprintf(text, sizeof(text), "recorded with --last %s%s", n, p->has_counters ? "; nothing was dropped" : "");
    page_entry(g, "kept", LABEL, text);
}

static void put_lost(struct page *g)
{
    const struct record_summary *s = &g->p->summary;
    char text[200], lost[NUMBER_TEXT];
    if (s->bytes_lost == 0)
        return;
    snprintf(text, sizeof(text),
        "%s bytes of the recording are damaged or missing, from byte %llu on: no figure has them",
        number_text(lost, s->bytes_lost), (unsigned long long)s->damaged_at);
    page_entry(g, "lost", LABEL, text);
}

void report_foot(struct page *g)
{
    const struct profile *p = g->p;
    if (p->origin != PROFILE_RECORDING)
        return; /* nothing is known of it */
    page_title(g, "how far to trust this");
    if (p->has_counters) {
        put_samples(g, &p->counters);
        put_stacks(g, p->counters.samples, p->counters.repaired, p->counters.rejected);
        put_cost(g, &p->counters);
    } else {
        page_entry(g, "ticks", LABEL, "the recording ends before its first count of late and missed ones");
        put_stacks(g, p->present, p->repaired, p->rejected);
    }
    put_kept(g);
    put_reconciliation(g);
    put_lost(g);
    if (p->has_counters) {
        put_children(g, &p->counters);
        if (p->counters.bytes_lost > 0) {
            char text[100], lost[NUMBER_TEXT];
            snprintf(text, sizeof(text), "%s bytes could not be written", number_text(lost, p->counters.bytes_lost));
            page_entry(g, "lost", LABEL, text);
        }
    }
    for (size_t i = 0; i < p->meta_count; i++)
        if (strncmp(p->metas[i].key, "note.", 5) == 0)
            page_entry(g, "note", LABEL, p->metas[i].value);
}
