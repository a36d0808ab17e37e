/* What the files of this room share. Private to src/project. */
#ifndef PITVIPER_PROJECT_INSIDE_H
#define PITVIPER_PROJECT_INSIDE_H

#include "project/project.h"

#define PATH_MOST 1024u
#define INPUTS_MAX 16u
#define INPUT_MAX ((size_t)64 << 20)
#define CASES_MAX 6u
#define BROKEN_MAX 3u

/* Breaks and slows sources; it runs nothing of them. */
extern const char project_harness_alter[];

/* ---- files.c: the files of a folder, in memory; links, hidden files and __pycache__ left out ---- */
struct file {
    char *name; /* below the folder: "lib/heap.py" */
    char *data; /* a NUL behind it */
    size_t size;
    uint8_t sha256[32];
};
struct files {
    struct file *items; /* by name */
    size_t count, capacity;
};
/* depth 1: its own files alone. most: bytes of one file; with skip_large a larger one is left out where it is no
 * Python, else -EFBIG. */
int files_read(const char *folder, int depth, size_t most, bool skip_large, struct files *ret, struct error *e);
void files_release(struct files *f);
const struct file *files_find(const struct files *f, const char *name);
bool files_has_hash(const struct files *f, const uint8_t sha256[32]);
/* Into a folder that is there; `instead`: the text of one of them, by index. */
int files_write(const struct files *f, const char *folder, size_t instead, const char *text, struct error *e);
#define FILES_ALL SIZE_MAX
/* All Python of it, one after the other. */
void files_join(const struct files *f, struct buffer *into);

/* ---- what is known of a project while it is checked ---- */
enum side { BEFORE, AFTER, SIDES };
struct input {
    char name[PROJECT_WORD_MAX + 1];
    struct buffer data;
};
struct input_set { /* what a run finds in its folder */
    struct input items[INPUTS_MAX];
    size_t count;
};
struct case_result {
    uint64_t seed;
    double size; /* NAN: the input has neither */
    char digests[SIDES][17];
    bool same;
};
struct experiment_result {
    bool done;     /* false: see why */
    char why[300]; /* "" where it was not tried */
    double size;
    struct prove_result result;
};
struct tried {
    bool run;
    int status; /* exit status; -1: it did not end by itself */
    char last[200];
};
struct project {
    const struct project_options *o;
    struct project_result *r;
    struct error *e;
    struct arena arena;
    struct project_manifest manifest;
    struct project_report report;
    struct files sides[SIDES], tools; /* tools: what lies beside them */
    bool own, has_seed, has_size;
    uint64_t seed, random; /* as written in project.json, and the state of what is drawn */
    double size;

    struct prove_runner *runner;
    struct sandbox_ladder ladder;
    struct sandbox_interpreter python;
    char place[512]; /* a temporary folder */

    /* findings */
    char refused[400]; /* why nothing could be run: what is missing or wrong; "" */
    struct case_result cases[CASES_MAX];
    size_t case_count;
    bool right, compared;
    char wrong[400]; /* which case differs or fails, and how */
    struct tried check;
    unsigned broken, caught; /* copies that behave differently, and those that the check refused */
    char escaped[200];       /* what was changed in one that it let pass */
    char unbroken[200];      /* why no copy could be broken; "" */
    struct experiment_result verdict, second, same;
    struct tried gate_equal, gate_slow;
    bool planted;
    double readability; /* NAN: not measured */
    char readability_why[200];
    unsigned of_before, of_after, of_neither;
    char recordings[600];
    char second_tool[300]; /* what it was taken for; "" none */
};
void project_progress(const struct project *p, const char *stage);
bool project_stopped(const struct project *p);

/* ---- place.c: the temporary folder, and one run in it ---- */
int place_open(struct project *p);
void place_close(struct project *p);
struct ran {
    int status;    /* exit status; -1: ended by a signal or a limit */
    char why[300]; /* one line, where it is not 0 */
    char digest[17];
    struct buffer out; /* what it printed, at most 64 KB of it where it ran as the user */
};
void ran_release(struct ran *r);
struct job {
    const char *script;       /* "after/weblog.py", below the place */
    const char *const *words; /* after it, NULL at the end */
    const struct input_set *inputs;
    const struct project_words *files; /* what is hashed besides what it prints; NULL: nothing */
    uint64_t wall_ns;
    uint32_t allow, hash_seed;
    bool as_user;
};
/* 0 where it ran, whatever came of it. */
int place_run(struct project *p, const struct job *job, struct ran *ret);
int place_try(struct project *p, const struct job *job, struct tried *ret); /* what it printed is not wanted */
int place_path(const struct project *p, char ret[PATH_MOST], const char *name);
/* Empties run/, and writes the inputs there. */
int place_inputs(struct project *p, const struct input_set *inputs);
int place_read_inputs(struct project *p, struct input_set *ret); /* what lies in run/ */
void input_set_release(struct input_set *s);
int place_folder(struct project *p, const char *name, const struct files *f, size_t instead, const char *text);
/* Runs the harness on a source: `mode` "break" or "plant". Its answer is JSON. -EBADMSG: it could not be read. */
int place_alter(struct project *p, const char *mode, const char *source, size_t size, struct buffer *ret);

/* ---- behaviour.c ---- */
int behaviour_make(struct project *p, uint64_t seed, double size, struct input_set *ret);
int behaviour_check(struct project *p);

/* ---- timing.c: the verdict, a second size, the A/A run, the gate ---- */
int timing_check(struct project *p);

/* ---- evidence.c: recordings, the second tool ---- */
int evidence_check(struct project *p);

/* ---- rubric.c, receipt.c ---- */
void rubric_fill(struct project *p);
void receipt_write(struct project *p);

#endif
