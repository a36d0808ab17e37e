/*
 * `gate`: is anything slower than it was? What is judged (gate_subjects.c, gate_config.c), how it is written
 * (gate_report.c, gate_files.c), and the verb (gate.c). Private to src/cmd.
 */
#ifndef PITVIPER_CMD_GATE_H
#define PITVIPER_CMD_GATE_H

#include "cmd/keep.h"
#include "growth/growth.h"
#include "prove/prove.h"

#define GATE_CONFIG "pitviper-gate.json"
#define GATE_SUBJECTS_MAX 1000
#define GATE_CONFIG_MAX ((size_t)1 << 20)

/* ---- what is judged ---- */
struct gate_subject {
    const char *name;            /* in the report */
    const char *run;             /* a command or a function */
    const char *setup, *args;    /* of functions; NULL: none */
    const char *file, *function; /* of a function in a file: it is new where the base has no such one. NULL: not so */
};
struct gate_subjects {
    struct arena arena; /* of the texts */
    struct gate_subject *items;
    size_t count, capacity;
};
void gate_subjects_init(struct gate_subjects *s);
void gate_subjects_release(struct gate_subjects *s);
/* One more, its texts copied; its name is `run` without one. -EEXIST: the name is there already. */
int gate_subjects_add(struct gate_subjects *s, const struct gate_subject *one, struct error *e);
/* Functions perf_NAME of files perf_*.py at or below the folder (NULL: ours), at the left margin; setup_NAME() beside
 * one makes its argument. In the order of their names; folders that begin with a dot, and those of environments and
 * caches, are passed over. */
int gate_subjects_discover(struct gate_subjects *s, const char *folder, struct error *e);
/* The file has this function at its left margin. */
bool gate_has_function(const char *folder, const char *file, const char *function);
/* For each `def NAME(` at the left margin, outside of strings that go over lines. */
void gate_scan_functions(
    const char *text, size_t size, void (*found)(void *context, const char *name, size_t size), void *context);

struct gate_config { /* NULL, 0: not said */
    struct arena arena;
    const char *base, *claim, *budget, *unsettled, *prepare, *python, *metric, *work;
    bool discover;
};
/* Subjects are added. */
int gate_config_parse(const char *text, size_t size, const char *name, struct gate_config *ret,
    struct gate_subjects *subjects, struct error *e);

/* ---- what came of it ---- */
enum gate_verdict { GATE_SAME, GATE_FASTER, GATE_SLOWER, GATE_UNSETTLED, GATE_NEW, GATE_FAILED };
enum gate_work { GATE_WORK_NONE, GATE_WORK_SAME, GATE_WORK_LESS, GATE_WORK_MORE, GATE_WORK_DIFFERS };
struct gate_row {
    const struct gate_subject *subject;
    enum gate_verdict verdict; /* of time, or what the metric is */
    bool measured;
    struct prove_result result;
    char why[512]; /* failed: what went wrong; new, unsettled: a word to it */
    /* Work: NONE where it was not counted, DIFFERS where two runs of one side are not the same. */
    enum gate_work work;
    bool counted[2];
    struct growth_counts counts[2]; /* of the base, of the head */
};
struct gate_report {
    struct gate_row *rows;
    size_t count;
    char base[65], head[65]; /* commits; head is what the tree stands on */
    const char *base_name;
    bool stored; /* the base was not run: what the history has of it */
    bool tree;   /* the tree itself was judged, with its changes */
    enum prove_metric metric;
    double claim, work_claim; /* as parts */
    bool unsettled_fails, unsettled_passes;
    uint64_t spent_ns;
    bool interrupted;
};
bool gate_row_fails(const struct gate_report *g, const struct gate_row *row);
size_t gate_count(const struct gate_report *g, enum gate_verdict verdict);
const char *gate_verdict_name(enum gate_verdict verdict);
const char *gate_work_name(enum gate_work work);
const char *gate_count_name(int count);   /* "calls", "lines", "instructions", "peak bytes" */
const char *gate_count_metric(int count); /* in the history: "calls" ..., "peak" */
const char *gate_count_unit(int count);
/* "slower by at least 5.1 %", without its end. */
void gate_put_words(struct buffer *out, const struct gate_report *g, const struct gate_row *row);
void gate_put_work(struct buffer *out, const struct gate_row *row);

void gate_put_text(struct buffer *out, const struct gate_report *g, size_t width, bool colour);
void gate_put_json(struct buffer *out, const struct gate_report *g);
void gate_put_junit(struct buffer *out, const struct gate_report *g);
void gate_put_markdown(struct buffer *out, const struct gate_report *g);

/* ---- gate_stored.c ---- */
/* Measures the subject alone, keeps its times, and fills in the row: counts[0] with what is stored of the base, the
 * result (measured) where this machine has times of it. */
int gate_stored_measure(struct prove_runner *r, const struct prove_subject *s, const struct gate_report *g,
    const struct keep *k, uint64_t budget_ns, uint64_t timeout_ns, size_t family, struct gate_row *row,
    struct error *e);

#endif
