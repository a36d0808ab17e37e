/* The SQLite file: opened with care, since it may come from anyone, made where there is none. */
#include "history/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STORE_FORMAT 1 /* user_version */
#define PATIENCE_NS UINT64_C(30000000000)
#define PROGRESS_STEPS 100000

static const char machine_table[] = "CREATE TABLE machine(id INTEGER PRIMARY KEY, key TEXT NOT NULL, cpu TEXT NOT "
                                    "NULL, kernel TEXT NOT NULL, cores INTEGER NOT NULL, memory INTEGER NOT NULL, "
                                    "UNIQUE(key, cpu, kernel, cores, memory)) STRICT";
static const char result_table[] =
    "CREATE TABLE result(id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, time INTEGER NOT NULL, kind TEXT NOT NULL, "
    "subject TEXT NOT NULL, metric TEXT NOT NULL, unit TEXT NOT NULL, value REAL NOT NULL, low REAL, high REAL, runs "
    "INTEGER NOT NULL, verdict TEXT NOT NULL, machine INTEGER NOT NULL REFERENCES machine(id), python TEXT NOT NULL, "
    "revision TEXT NOT NULL, dirty INTEGER NOT NULL, samples BLOB) STRICT";
static const char result_index[] = "CREATE INDEX result_series ON result(subject, metric, time)";
static const char *const schema[] = {machine_table, result_table, result_index};

int store_fail(struct history *h, int code, struct error *e)
{
    const char *path = h->path;
    int system = h->db != NULL ? sqlite3_system_errno(h->db) : 0;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(e, EBUSY, "the store %s is locked by another process", path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(e, EBADMSG, "the store %s is damaged", path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return error_set(e, EROFS, "the store %s cannot be written", path);
    case SQLITE_CANTOPEN:
        system = system != 0 ? system : EACCES;
        return error_set(e, system, "the store %s cannot be opened: %s", path, strerror(system));
    case SQLITE_FULL:
        return error_set(e, ENOSPC, "there is no space left for the store %s", path);
    case SQLITE_NOMEM:
        return error_set(e, ENOMEM, "out of memory at the store %s", path);
    case SQLITE_INTERRUPT:
        return error_set(e, EBADMSG, "the store %s is damaged: reading it does not end", path);
    default:
        return error_set(
            e, EIO, "the store %s fails: %s", path, h->db != NULL ? sqlite3_errmsg(h->db) : sqlite3_errstr(code));
    }
}

static int watch_time(void *context)
{
    const struct history *h = context;
    return clock_monotonic_ns() > h->give_up_ns;
}

void store_finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

int store_prepare(struct history *h, const char *sql, sqlite3_stmt **ret, struct error *e)
{
    h->give_up_ns = clock_monotonic_ns() + PATIENCE_NS;
    int code = sqlite3_prepare_v2(h->db, sql, -1, ret, NULL);
    return code == SQLITE_OK ? 0 : store_fail(h, code, e);
}

int store_run(struct history *h, const char *sql, struct error *e)
{
    h->give_up_ns = clock_monotonic_ns() + PATIENCE_NS;
    int code = sqlite3_exec(h->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : store_fail(h, code, e);
}

static int read_number(struct history *h, const char *sql, int64_t *ret, struct error *e)
{
    CLEANUP(store_finalize) sqlite3_stmt *s = NULL;
    int r = store_prepare(h, sql, &s, e);
    if (r < 0)
        return r;
    int code = sqlite3_step(s);
    if (code != SQLITE_ROW)
        return store_fail(h, code == SQLITE_DONE ? SQLITE_CORRUPT : code, e);
    *ret = sqlite3_column_int64(s, 0);
    return 0;
}

/* Nothing but what we made: no trigger, view or table that would do something when ours are used. */
static int check_schema(struct history *h, struct error *e)
{
    CLEANUP(store_finalize) sqlite3_stmt *s = NULL;
    unsigned found = 0, code;
    int r = store_prepare(h, "SELECT sql, name FROM sqlite_schema", &s, e);
    if (r < 0)
        return r;
    while ((code = (unsigned)sqlite3_step(s)) == SQLITE_ROW) {
        const char *sql = (const char *)sqlite3_column_text(s, 0), *name = (const char *)sqlite3_column_text(s, 1);
        size_t i = 0;
        if (sql == NULL && name != NULL && strncmp(name, "sqlite_autoindex_", 17) == 0)
            continue;
        while (i < ARRAY_SIZE(schema) && (sql == NULL || strcmp(sql, schema[i]) != 0))
            i++;
        if (i == ARRAY_SIZE(schema))
            return error_set(e, EMEDIUMTYPE, "%s holds what pitviper has not made: name another with --store", h->path);
        found |= 1u << i;
    }
    if (code != SQLITE_DONE)
        return store_fail(h, (int)code, e);
    return found == (1u << ARRAY_SIZE(schema)) - 1 ? 0 : store_fail(h, SQLITE_CORRUPT, e);
}

static int check(struct history *h, bool *ret_empty, struct error *e)
{
    int64_t mark = 0, format = 0, entries = 0;
    /* Another process may be making it: what it has made is seen no later than its mark, which is looked at last. */
    int r = read_number(h, "SELECT count(*) FROM sqlite_schema", &entries, e);
    if (r == 0)
        r = read_number(h, "PRAGMA user_version", &format, e);
    if (r == 0)
        r = read_number(h, "PRAGMA application_id", &mark, e);
    if (r < 0)
        return r;
    *ret_empty = mark == 0 && format == 0 && entries == 0;
    if (*ret_empty)
        return 0;
    if (mark != STORE_MARK)
        return error_set(e, EMEDIUMTYPE, "%s is a database of another program: name another with --store", h->path);
    if (format > STORE_FORMAT)
        return error_set(e, ENOTSUP, "the store %s is of format %lld, and this pitviper knows %d: use a newer one",
            h->path, (long long)format, STORE_FORMAT);
    return check_schema(h, e);
}

/* In one transaction, and not yet in WAL mode: whoever looks at the file sees it whole, its mark in its header. */
static int make_schema(struct history *h, struct error *e)
{
    bool empty = true;
    int r = store_run(h, "BEGIN EXCLUSIVE", e);
    if (r == 0)
        r = check(h, &empty, e); /* another process may have made it since */
    if (r == 0 && empty) {
        char marks[96];
        snprintf(marks, sizeof(marks), "PRAGMA application_id=%d; PRAGMA user_version=%d", STORE_MARK, STORE_FORMAT);
        r = store_run(h, marks, e);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(schema); i++)
            r = store_run(h, schema[i], e);
    }
    return r == 0 ? store_run(h, "COMMIT", e) : r;
}

/* SQLite's own advice on files that may be hostile (its page "Defense Against The Dark Arts"). */
static void harden(struct history *h)
{
    static const int off[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
        SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION};
    for (size_t i = 0; i < ARRAY_SIZE(off); i++)
        (void)sqlite3_db_config(h->db, off[i], 0, NULL);
    (void)sqlite3_db_config(h->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(h->db, SQLITE_LIMIT_LENGTH, 1 << 20);
    sqlite3_limit(h->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_progress_handler(h->db, PROGRESS_STEPS, watch_time, h);
    sqlite3_busy_timeout(h->db, (int)(HISTORY_WAIT_NS / 3 / 1000000));
    (void)sqlite3_exec(
        h->db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
}

/* A log that cannot be opened beside a file in a folder that cannot be written: the file alone is then all there is. */
static char *immutable_name(const char *path)
{
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 8 * strlen(path) + 64);
    buffer_append_string(&b, "file:");
    for (const char *at = path; *at != '\0'; at++)
        buffer_printf(&b, strchr("?#%", *at) != NULL ? "%%%02x" : "%c", (unsigned char)*at);
    buffer_append_string(&b, "?immutable=1");
    return b.failed ? NULL : strdup(buffer_text(&b));
}

static int open_database(struct history *h, bool write)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(
        h->path, &h->db, flags | (write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY), NULL);
    if (code == SQLITE_OK && !write) {
        code = sqlite3_exec(h->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
        CLEANUP(free_pointer) char *name = immutable_name(h->path);
        if ((code & 0xff) == SQLITE_CANTOPEN && name != NULL) {
            sqlite3_close(h->db);
            code = sqlite3_open_v2(name, &h->db, flags | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
        }
        code = code == SQLITE_OK || (code & 0xff) == SQLITE_CANTOPEN ? code : SQLITE_OK; /* the rest is told by check */
    }
    return code;
}

static int open_checked(struct history *h, bool write, struct error *e)
{
    struct stat is;
    bool empty = false;
    if (lstat(h->path, &is) == 0 && S_ISLNK(is.st_mode) && store_is_ours(h->path) && stat(h->path, &is) < 0)
        return error_set(e, ELOOP, "the store %s is a link to nothing", h->path);
    int code = open_database(h, write);
    if (code != SQLITE_OK)
        return store_fail(h, code, e);
    harden(h);
    int r = check(h, &empty, e);
    if (r == -EBADMSG && !store_is_ours(h->path))
        return error_set(e, EMEDIUMTYPE, "%s is no store of pitviper: name another with --store", h->path);
    if (r < 0 || !empty)
        return r;
    if (!write)
        return error_set(e, ENOENT, "nothing is stored in %s yet", h->path);
    r = make_schema(h, e);
    /* Another process at work: then it, or the next one, does this. */
    if (r == 0)
        (void)sqlite3_exec(h->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    return r;
}

int store_open(const char *path, bool write, struct history **ret, struct error *e)
{
    struct history *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return error_set(e, ENOMEM, "out of memory");
    h->path = strdup(path);
    int r = h->path == NULL ? error_set(e, ENOMEM, "out of memory") : open_checked(h, write, e);
    if (r < 0) {
        history_close(h);
        return r;
    }
    *ret = h;
    return 0;
}

void history_close(struct history *h)
{
    if (h == NULL)
        return;
    sqlite3_close(h->db);
    free(h->path);
    free(h);
}

/* ---- putting results in ---- */

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    size_t size = strlen(text);
    if (size > HISTORY_TEXT_MAX)
        for (size = HISTORY_TEXT_MAX; size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80;)
            size--; /* not in the middle of a character */
    sqlite3_bind_text(s, at, text, (int)size, SQLITE_TRANSIENT);
}

static void bind_number(sqlite3_stmt *s, int at, double value)
{
    if (isfinite(value))
        sqlite3_bind_double(s, at, value);
    else
        sqlite3_bind_null(s, at);
}

static int64_t as_integer(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

static void bind_machine(sqlite3_stmt *s, const struct history_machine *m)
{
    bind_text(s, 1, m->id);
    bind_text(s, 2, m->cpu);
    bind_text(s, 3, m->kernel);
    sqlite3_bind_int64(s, 4, as_integer(m->cores));
    sqlite3_bind_int64(s, 5, as_integer(m->memory));
}

/* The same result has the same one, so that what is pending, or imported, twice is there once. */
static void bind_uid(sqlite3_stmt *s, int at, const struct history_result *x)
{
    CLEANUP(buffer_release) struct buffer b;
    uint8_t digest[32];
    const char *const texts[] = {x->kind, x->subject, x->metric, x->unit, x->machine->id, x->python, x->revision};
    buffer_init(&b, 1u << 20);
    buffer_append_le64(&b, x->time_ns);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        buffer_append(&b, texts[i], strlen(texts[i]) + 1);
    buffer_append(&b, &x->value, sizeof(x->value));
    sha256(b.data, b.size, digest);
    sqlite3_bind_blob(s, at, digest, 16, SQLITE_TRANSIENT);
}

static int insert_one(
    struct history *h, sqlite3_stmt *machine, sqlite3_stmt *result, const struct history_result *x, struct error *e)
{
    static const char blank[1] = "";
    bind_machine(machine, x->machine);
    int code = sqlite3_step(machine);
    sqlite3_reset(machine);
    if (code != SQLITE_DONE)
        return store_fail(h, code, e);
    bind_machine(result, x->machine);
    bind_uid(result, 6, x);
    sqlite3_bind_int64(result, 7, as_integer(x->time_ns));
    const char *const texts[] = {x->kind, x->subject, x->metric, x->unit, x->verdict, x->python, x->revision};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        bind_text(result, 8 + (int)i, texts[i]);
    bind_number(result, 15, x->value);
    bind_number(result, 16, x->low);
    bind_number(result, 17, x->high);
    sqlite3_bind_int64(result, 18, as_integer(x->runs));
    sqlite3_bind_int(result, 19, x->dirty);
    size_t samples = x->sample_count < HISTORY_SAMPLES_MAX ? x->sample_count : HISTORY_SAMPLES_MAX;
    sqlite3_bind_blob(
        result, 20, samples > 0 ? (const void *)x->samples : blank, (int)(samples * sizeof(double)), SQLITE_STATIC);
    code = sqlite3_step(result);
    sqlite3_reset(result);
    return code == SQLITE_DONE ? 0 : store_fail(h, code, e);
}

int store_insert(struct history *h, const struct history_result *results, size_t count, struct error *e)
{
    CLEANUP(store_finalize) sqlite3_stmt *machine = NULL;
    CLEANUP(store_finalize) sqlite3_stmt *result = NULL;
    int r = store_prepare(
        h, "INSERT OR IGNORE INTO machine(key, cpu, kernel, cores, memory) VALUES(?1, ?2, ?3, ?4, ?5)", &machine, e);
    if (r == 0)
        r = store_prepare(h,
            "INSERT OR IGNORE INTO result(uid, time, kind, subject, metric, unit, verdict, python, revision, value, "
            "low, high, runs, dirty, samples, machine) VALUES(?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
            "?18, ?19, ?20, (SELECT id FROM machine WHERE key=?1 AND cpu=?2 AND kernel=?3 AND cores=?4 AND memory=?5))",
            &result, e);
    for (size_t i = 0; r == 0 && i < count; i++)
        if (isfinite(results[i].value))
            r = insert_one(h, machine, result, &results[i], e);
    return r;
}
