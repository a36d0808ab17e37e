/* The experiment's files share this. Private to prove. */
#ifndef PITVIPER_PROVE_EXPERIMENT_H
#define PITVIPER_PROVE_EXPERIMENT_H

#include "prove/inside.h"

enum { SIDE_A, SIDE_B, SIDES };
#define TURNS 2 /* runs of a side in a block */

/* ---- block.c ---- */
struct block_plan {
    const struct prove_subject *subjects[SIDES];
    uint64_t loops[SIDES]; /* functions: calls a batch; 0: calibrate */
    uint32_t batches;
    uint64_t timeout_ns;
    enum prove_mode mode;
    int cpu; /* where mode is not interleaved */
    bool value, watched;
};
struct block_turn {
    struct prove_run run;
    struct prove_batches batches;
    double values[PROVE_METRICS]; /* seconds a call, seconds a call, bytes */
};
struct block {
    struct block_turn turns[SIDES][TURNS];
    bool done[SIDES][TURNS];
    double seconds;
    double steal;       /* of the CPUs' time, taken by other guests */
    double pressure;    /* of the time, in which something waited for a CPU; NAN: the kernel does not tell */
    double involuntary; /* switches away from a run that wanted to go on, a second */
};
/* One run of a side. */
int block_turn_run(struct prove_runner *r, const struct block_plan *plan, int side, int turn, uint64_t *random,
    uint32_t hash_seed, struct block *b, struct error *e);
/* A B B A or B A A B by a coin, one after the other; of a duet started in this order and run at once, so that what
 * disturbs one disturbs all. Released also after a failure. */
int block_run(
    struct prove_runner *r, const struct block_plan *plan, uint64_t *random, struct block *b, struct error *e);
void block_release(struct block *b);
/* NAN where a value is not positive. */
struct stats_block block_compare(const struct block *b, enum prove_metric metric);
/* The value of a process: of its batches from where it is steady the least, which others disturbed least; of a duet
 * the mean of all, since what disturbs the one then disturbs the other. */
double batches_value(const double *times, size_t count, enum prove_mode mode);

/* ---- machine.c ---- */
struct machine_clock { /* since boot, of the CPUs asked for */
    uint64_t at_ns;
    uint64_t steal_ticks, pressure_us;
    bool has_pressure;
    size_t cpus;
};
void machine_read(const int *cpus, size_t count, struct machine_clock *ret); /* count 0: all that we may use */
double machine_steal(const struct machine_clock *from, const struct machine_clock *to);
double machine_pressure(const struct machine_clock *from, const struct machine_clock *to);
uint64_t machine_memory_available(void); /* bytes; 0: unknown */
/* "cpu3 1 2 3 4 5 6 7 STEAL" of a /proc/stat: the sum over the CPUs named. */
uint64_t machine_steal_parse(const char *text, const int *cpus, size_t count);

/* ---- outputs.c: what the two sides say ---- */
bool outputs_same(const struct prove_subject *s, const struct block_turn *a, const struct block_turn *b);
/* The first line that differs, of stdout or of the value, as one line of text. -EXDEV. */
int outputs_blame(const struct prove_subject *s, const char *name_a, const struct block_turn *a, const char *name_b,
    const struct block_turn *b, struct error *e);

/* ---- inputs.c: files that the runs may read, and that none of them is to change ---- */
#define INPUTS_MAX 512
#define INPUTS_HASHED_MAX (64u << 20) /* bytes of all; of what is beyond only size and time are looked at */
struct inputs {
    struct input {
        char *path;
        uint64_t size, mtime_ns, hash;
        bool hashed;
        bool named; /* in a command, and not only in its folder */
    } * items;
    size_t count, capacity;
    uint64_t bytes_left; /* to be hashed */
    size_t folder_files; /* in the folders */
    const char *folders[SIDES];
    size_t folder_count;
};
void inputs_init(struct inputs *in);
int inputs_note(struct inputs *in, const struct prove_subject *s); /* adds those of one side */
const struct input *inputs_changed(const struct inputs *in);       /* one that has another content now, or NULL */
/* Whether anything of it was written, or a file came into one of the folders, be it with the same content. */
bool inputs_written(const struct inputs *in);
void inputs_release(struct inputs *in);

#endif
