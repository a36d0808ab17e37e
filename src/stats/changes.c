/*
 * Change points of a series: E-divisive (Matteson and James 2014) finds places by energy distance, and a t-test, not
 * permutations, says which count, so that the same series has the same changes (Hunter: Fleming et al., ICPE 2023).
 *
 * The series is first split as far as it goes, each part at its best place, since a bump shows only when both of its
 * ends are there. Then the weakest place is taken out, again and again, until all that are left count.
 */
#include "stats/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ranked {
    double value;
    size_t at;
};

struct series {
    const double *x;
    size_t least;
    struct ranked *order; /* of a part, by value */
    size_t *rank;         /* of a part's values, from 1 */
    double *all;          /* of a part's values: the sum of distances to all others in it */
    double *sums;         /* Fenwick trees over ranks of those left of the place: of values, and how many */
    size_t *counts;
    size_t *cuts, cut_count, cut_capacity; /* ascending once done */
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value) : (x->at > y->at) - (x->at < y->at);
}

/* Ranks and distances of x[from, from + n), whose values are taken from `middle` so that sums keep their digits. */
static void part_start(struct series *s, size_t from, size_t n, double middle)
{
    double below = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        s->order[i] = (struct ranked){s->x[from + i] - middle, i};
        total += s->order[i].value;
    }
    qsort(s->order, n, sizeof(*s->order), by_rank);
    for (size_t r = 0; r < n; r++) {
        double v = s->order[r].value;
        s->rank[s->order[r].at] = r + 1;
        s->all[s->order[r].at] = v * (double)r - below + (total - below) - v * (double)(n - r);
        below += v;
    }
    memset(s->sums, 0, (n + 1) * sizeof(*s->sums));
    memset(s->counts, 0, (n + 1) * sizeof(*s->counts));
}

/* The place, counted from `from`, where the energy distance of both sides, weighted by their sizes, is largest. */
static size_t part_split(struct series *s, size_t from, size_t n)
{
    double middle = stats_mean(s->x + from, n).value;
    double left_sum = 0, inside_left = 0, between = 0, inside_right = 0, best = -INFINITY;
    size_t place = s->least;
    part_start(s, from, n, middle);
    for (size_t i = 0; i < n; i++)
        inside_right += s->all[i] / 2;
    for (size_t k = 0; k + 1 < n; k++) { /* value k goes to the left side */
        double v = s->x[from + k] - middle, below = 0;
        size_t count_below = 0;
        for (size_t r = s->rank[k]; r > 0; r -= r & -r) {
            below += s->sums[r];
            count_below += s->counts[r];
        }
        double to_left = v * (double)count_below - below + (left_sum - below) - v * (double)(k - count_below);
        double to_right = s->all[k] - to_left;
        inside_left += to_left;
        inside_right -= to_right;
        between += to_right - to_left;
        left_sum += v;
        for (size_t r = s->rank[k]; r <= n; r += r & -r) {
            s->sums[r] += v;
            s->counts[r]++;
        }
        if (k + 1 < s->least || n - k - 1 < s->least)
            continue;
        double a = (double)(k + 1), b = (double)(n - k - 1);
        double energy = 2 * between / (a * b);
        energy -= a > 1 ? 2 * inside_left / (a * (a - 1)) : 0;
        energy -= b > 1 ? 2 * inside_right / (b * (b - 1)) : 0;
        if (a * b / (a + b) * energy > best) {
            best = a * b / (a + b) * energy;
            place = k + 1;
        }
    }
    return place;
}

static int by_place(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The parts that wait are kept in the list of cuts itself: what has been cut is done from its end. */
static int split_all(struct series *s, size_t n)
{
    struct part {
        size_t from, n;
    } *todo = NULL;
    size_t capacity = 0, left = 0;
    int r = array_reserve(&todo, &capacity, 1, sizeof(*todo));
    if (r == 0)
        todo[left++] = (struct part){0, n};
    while (r == 0 && left > 0) {
        struct part p = todo[--left];
        if (p.n < 2 * s->least)
            continue;
        size_t place = part_split(s, p.from, p.n);
        r = array_reserve(&s->cuts, &s->cut_capacity, s->cut_count + 1, sizeof(*s->cuts));
        if (r == 0)
            r = array_reserve(&todo, &capacity, left + 2, sizeof(*todo));
        if (r < 0)
            break;
        s->cuts[s->cut_count++] = p.from + place;
        todo[left++] = (struct part){p.from, place};
        todo[left++] = (struct part){p.from + place, p.n - place};
    }
    free(todo);
    if (s->cut_count > 0)
        qsort(s->cuts, s->cut_count, sizeof(*s->cuts), by_place);
    return r;
}

/* Student's test with one variance of both sides, as Hunter has it: a new level of five values says little about its
 * own spread. */
static double student(struct stats_mean a, struct stats_mean b)
{
    double na = a.freedom + 1, nb = b.freedom + 1, freedom = a.freedom + b.freedom;
    double variance = (a.variance * na * a.freedom + b.variance * nb * b.freedom) / freedom * (1 / na + 1 / nb);
    if (!(variance > 0))
        return a.value == b.value;
    return stats_student_tail((a.value - b.value) / sqrt(variance), freedom);
}

/* The i-th cut against its neighbours. Alone, it could have been at any place of the series; where its neighbours were
 * found too, it is one of all pairs of places. */
static struct stats_change change_at(
    const struct series *s, const struct stats_change *c, size_t count, size_t i, size_t n)
{
    size_t from = i > 0 ? c[i - 1].at : 0, at = c[i].at, to = i + 1 < count ? c[i + 1].at : n;
    struct stats_mean before = stats_mean(s->x + from, at - from), after = stats_mean(s->x + at, to - at);
    double places = (double)(n - 2 * s->least + 1);
    places *= count > 1 ? (places + 1) / 2 : 1;
    return (struct stats_change){at, before.value, after.value, fmin(1, places * student(before, after))};
}

static int weed(const struct series *s, size_t n, double level, struct stats_change **ret, size_t *ret_count)
{
    size_t count = s->cut_count;
    struct stats_change *c = calloc(count + 1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        c[i].at = s->cuts[i];
    for (size_t i = 0; i < count; i++)
        c[i] = change_at(s, c, count, i, n);
    while (count > 0) {
        size_t weakest = 0;
        double step = INFINITY;
        /* Of equally weak ones (p is 1 of many) the smallest step. */
        for (size_t i = 0; i < count; i++) {
            double of = fabs(c[i].after - c[i].before);
            if (c[i].p > c[weakest].p || (c[i].p == c[weakest].p && of < step)) {
                weakest = i;
                step = of;
            }
        }
        if (c[weakest].p < level)
            break;
        memmove(c + weakest, c + weakest + 1, (count - weakest - 1) * sizeof(*c));
        count--;
        for (size_t i = count == 1 || weakest == 0 ? 0 : weakest - 1; i <= weakest && i < count; i++)
            c[i] = change_at(s, c, count, i, n);
    }
    *ret = c;
    *ret_count = count;
    return 0;
}

int stats_changes(const double *x, size_t n, size_t least, double level, struct stats_change **ret, size_t *ret_count)
{
    if (least < 2 || n > STATS_SERIES_MAX || !stats_level_valid(level))
        return -EINVAL;
    struct series s = {.x = x, .least = least};
    s.order = calloc(n + 1, sizeof(*s.order));
    s.rank = calloc(n + 1, sizeof(*s.rank));
    s.all = calloc(n + 1, sizeof(*s.all));
    s.sums = calloc(n + 1, sizeof(*s.sums));
    s.counts = calloc(n + 1, sizeof(*s.counts));
    int r = s.order != NULL && s.rank != NULL && s.all != NULL && s.sums != NULL && s.counts != NULL ? 0 : -ENOMEM;
    if (r == 0)
        r = split_all(&s, n);
    if (r == 0)
        r = weed(&s, n, level, ret, ret_count);
    free(s.order);
    free(s.rank);
    free(s.all);
    free(s.sums);
    free(s.counts);
    free(s.cuts);
    return r;
}
