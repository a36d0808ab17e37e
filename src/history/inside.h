/* What the store's files share. Private to src/history. */
#ifndef PITVIPER_HISTORY_INSIDE_H
#define PITVIPER_HISTORY_INSIDE_H

#include "history/history.h"

#include <sqlite3.h>

#define STORE_MARK 0x50566831 /* application_id in SQLite's header, big endian: "PVh1" */

struct history {
    sqlite3 *db;
    char *path;
    uint64_t give_up_ns; /* statements that run past it are stopped: a damaged file can make one endless */
};

/* The line for a failure of SQLite, and its errno: -EBUSY locked, -EBADMSG damaged, -EROFS and -EACCES, -ENOSPC ... */
int store_fail(struct history *h, int code, struct error *e);
/* Opens, and makes the schema where there is none. -ENOTSUP newer format, -EMEDIUMTYPE no store of ours. */
int store_open(const char *path, bool write, struct history **ret, struct error *e);
int store_prepare(struct history *h, const char *sql, sqlite3_stmt **ret, struct error *e);
int store_run(struct history *h, const char *sql, struct error *e);
int store_insert(struct history *h, const struct history_result *results, size_t count, struct error *e);
void store_finalize(sqlite3_stmt **statement); /* for CLEANUP */
/* Is it surely ours, so that it may be moved? By its name, or the mark in its header. */
bool store_is_ours(const char *path);
int store_move_aside(const char *path, char **ret_name, struct error *e);

/* ---- pending: one JSON object a line ---- */
/* Opened and locked; -ENOENT without `make`; -EAGAIN: another process holds it past `until_ns`. */
int pending_lock(const char *store, bool make, uint64_t until_ns, int *ret_fd);
int pending_append(const char *store, const struct history_result *results, size_t count, struct error *e);
int pending_parse(const char *line, size_t size, struct arena *a, struct history_result *ret);
/* All that is pending into the store, inside the caller's transaction; it goes away by pending_done once that is
 * committed. */
struct pending {
    int fd;     /* -1: nothing */
    size_t bad; /* lines that could not be read */
};
int pending_take(struct history *h, struct pending *ret, struct error *e);
void pending_done(const char *store, struct pending *p, bool committed);

/* ---- JSON from outside ---- */
struct json_t;
const char *input_text(const struct json_t *object, const char *key, struct arena *a); /* "" where there is none */
double input_number(const struct json_t *object, const char *key);                     /* NaN where there is none */
uint64_t input_count(const struct json_t *object, const char *key);                    /* 0 where there is none */
/* Numbers of an array, at most HISTORY_SAMPLES_MAX; -EINVAL for anything else in it. */
int input_numbers(const struct json_t *array, struct arena *a, const double **ret, size_t *ret_count);

struct foreign {
    const char *name;
    struct arena *arena;
    struct history_result *results;
    size_t count, capacity;
    struct error *e;
};
int foreign_refuse(struct foreign *m, const char *what);
struct history_result *foreign_add(struct foreign *m); /* zeroed, texts ""; NULL: too many, or no memory */
int foreign_pyperf(struct foreign *m, const struct json_t *root);
int foreign_pytest_benchmark(struct foreign *m, const struct json_t *root);
/* "2024-05-01 12:00:00.123456" or "2024-05-01T12:00:00+00:00"; without a zone it is taken for UTC. 0: no time. */
uint64_t foreign_time(const char *text);
/* The id of a machine of which only these facts are known. */
void machine_name(struct history_machine *m, const char *secret, const char *architecture);

#endif
