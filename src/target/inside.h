/*
 * What the files of this room share. Nothing outside the room (its tests and fuzzers apart) includes it.
 */
#ifndef PITVIPER_TARGET_INSIDE_H
#define PITVIPER_TARGET_INSIDE_H

#include "target/target.h"

/* Caps on what a hostile process or file can make us hold. */
#define TARGET_MAPS_BYTES_MAX                                                                                          \
    (64u << 20) /* text of /proc/PID/maps: 65530 maps (vm.max_map_count) of 1 KB                                       \
                 */
#define TARGET_MAPS_MAX (1u << 20)
#define TARGET_PATH_MAX 4096
#define TARGET_LINKS_MAX 40 /* symbolic links followed in one path, as the kernel's own MAXSYMLINKS */
#define ELF_LOADS_MAX 64
#define ELF_SECTIONS_MAX 65536
#define ELF_TABLES_MAX 2                 /* symbol tables of one kind: the format allows one */
#define ELF_DYNAMIC_MAX 1024             /* entries of PT_DYNAMIC */
#define ELF_CHAIN_MAX (1u << 16)         /* symbols looked at behind one hash bucket */
#define ELF_TABLE_BYTES_MAX (256u << 20) /* a symbol table and, separately, its strings */

/* What changes while a `const struct target *` is used. */
struct target_live {
    /* The task whose id process_vm_readv is given: the leader's, or another thread's once the leader has left
     * the others behind by pthread_exit (its mm is gone then, the process is not). */
    pid_t memory_tid;
    struct target_stopped {
        pid_t tid;
        int signal; /* was about to be delivered when it stopped: handed over again when it goes on */
        bool stopped;
    } * stopped;
    size_t stopped_count, stopped_capacity;
    int pid_levels; /* pid namespaces from ours down to its own; 1: it is ours, 0: not read yet */
};

struct target {
    pid_t pid;
    int pidfd; /* -1 on kernels before 5.3 */
    int proc_fd, root_fd;
    uint64_t start_time;
    char *root_path; /* its root as we see it, "" if that is "/" */
    struct target_live *live;
};

/* ---- proc.c: small files below /proc ---- */
/* Reads at most size-1 bytes and ends them with a NUL. The number of bytes or a negative errno. */
ssize_t proc_read(int dirfd, const char *path, char *into, size_t size);
ssize_t proc_pread(int fd, char *into, size_t size);
/* Calls back for each entry whose name is a number; a non-zero return ends it and is returned. */
int proc_each_number(int dirfd, const char *path, int (*each)(void *context, pid_t number), void *context);
/* "Key:\tvalue" of a status file: a pointer behind the blanks after the colon, or NULL. */
const char *proc_status_field(const char *text, const char *key);
/* The next number of such a value, moving *at (may be NULL) behind it; false: its line has no more. */
bool proc_status_number(const char **at, long *ret);

/* How many entries a listing of task/ has to have. It ends early, and silently, where it meets a thread that
 * is just ending (next_tid, fs/proc/base.c): look again, up to LISTINGS_MAX times. -1 if unknown. */
int64_t proc_thread_count(const struct target *t);
#define LISTINGS_MAX 3

#define PROC_STAT_FIELDS 52
struct proc_stat {
    char name[64];                       /* field 2 without its parentheses; kernel threads have long ones */
    char state;                          /* field 3 */
    int64_t field[PROC_STAT_FIELDS + 1]; /* by its number in proc(5); what is missing is 0 */
};
enum {
    PROC_STAT_PPID = 4,
    PROC_STAT_FLAGS = 9,
    PROC_STAT_THREADS = 20,
    PROC_STAT_START = 22,
    PROC_STAT_CODE = 26,
    PROC_STAT_STACK = 28,
    PROC_STAT_PROCESSOR = 39,
    PROC_STAT_ARGUMENTS = 48
};
int proc_stat_parse(const char *text, size_t size, struct proc_stat *ret);
/* Only state and processor: the sampler's fast path. */
int proc_stat_parse_state(const char *text, size_t size, char *ret_state, int *ret_processor);
uint64_t proc_syscall_futex(const char *text); /* of /proc/PID/task/TID/syscall: the futex waited at, or 0 */

/* Below proc_fd, where the kernel shows `name` of a thread that is still there: once the first thread has
 * left by pthread_exit, its own maps, exe and root are empty. */
struct proc_path {
    char text[96];
};
struct proc_path proc_living(const struct target *t, const char *name);

/* ---- memory.c ---- */
/* Says what process_vm_readv may do with a process, without needing an address: 0, EPERM, ENOSYS, ESRCH. */
int memory_probe(pid_t pid);

/* ---- files.c ---- */
/* An O_PATH handle of path as a process with that root sees it. by_hand: without openat2. */
int files_open_in_root(int root_fd, const char *path, bool by_hand);

/* ---- maps.c ---- */
/* `root` is the prefix to take off paths, "" for none. ret must have been zeroed and its arena initialised.
 */
int maps_parse(struct target_maps *ret, const char *text, size_t size, const char *root);
bool maps_same_file(const struct target_map *a, const struct target_map *b);

/* ---- elf.c: one ELF file, over a descriptor that stays the caller's ---- */
struct elf_segment {
    uint64_t address, offset, file_size, memory_size;
    bool writable, executable;
};
struct elf_value {
    uint64_t address, size; /* as linked, without load bias */
};
struct elf_file {
    struct Elf *elf;
    int fd;
    uint64_t size;
    bool fixed; /* ET_EXEC: runs where it was linked */
    struct elf_segment loads[ELF_LOADS_MAX];
    size_t load_count;
    uint64_t dynamic_offset, dynamic_size;
};
bool elf_read(int fd, void *into, size_t size, uint64_t offset); /* all of it */
/* A value that lies outside of what the program loads is refused, one that reaches out of it is cut. */
int elf_take_value(const struct elf_file *f, uint64_t address, uint64_t size, struct elf_value *ret);
int elf_file_open(int fd, struct elf_file *ret); /* -ENOEXEC: no ELF file of this machine's kind, or a broken one */
void elf_file_close(struct elf_file *f);
int elf_file_symbol(struct elf_file *f, const char *name, struct elf_value *ret);  /* -ENOENT */
int elf_file_section(struct elf_file *f, const char *name, struct elf_value *ret); /* NULL: the writable segments */
/* dynamic.c: a symbol through PT_DYNAMIC alone, for files without section headers. */
int elf_file_dynamic_symbol(const struct elf_file *f, const char *name, struct elf_value *ret);

/* ---- children.c ---- */
int children_scan(const struct target *t, pid_t *pids, size_t max, size_t *ret_count); /* by every parent in /proc */

/* ---- image.c ---- */
/* What to add to a linked address, for the object of which `map` is a part. -ENOENT if map is no part of it.
 */
int image_bias(const struct elf_segment *loads, size_t count, bool fixed, const struct target_maps *maps,
    const struct target_map *map, uint64_t *ret_bias);

/* ---- explain.c ---- */
/* Looks for the rule that refused pid, writes it to e and returns -number. */
int target_refuse(pid_t pid, int number, struct error *e);

#endif
