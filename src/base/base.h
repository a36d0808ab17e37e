/*
 * base: what every other room stands on. Errors, growing buffers, an arena, an integer map, interned strings,
 * varints, checksums, clocks, text that is safe to print, and a JSON writer.
 *
 * Nothing here prints or exits. Functions return 0 or a negative errno; out-parameters are named ret_... and
 * are untouched on failure. No function takes a lock: an object belongs to one thread at a time.
 */
#ifndef PITVIPER_BASE_H
#define PITVIPER_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define CLEANUP(function) __attribute__((cleanup(function)))

/* ---- errors: a line for the user (what failed, on what, what to do), a negative errno for the code ---- */
struct error {
    char text[640];
};

/* Writes the line and returns -number: `return error_set(e, ENOENT, "...")`. e may be NULL. */
int error_set(struct error *e, int number, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts "prefix: " before what e holds already. */
void error_prefix(struct error *e, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- buffer: bytes that grow up to a maximum set at birth. A failed append sets `failed` and every later
 * append fails too, so a sequence of puts may be checked once at its end. ---- */
struct buffer {
    uint8_t *data;
    size_t size, capacity, max;
    bool failed;
};

void buffer_init(struct buffer *b, size_t max);
void buffer_release(struct buffer *b);
void buffer_clear(struct buffer *b); /* size 0, failed false; keeps its memory */
int buffer_reserve(struct buffer *b, size_t extra);
int buffer_append(struct buffer *b, const void *data, size_t size);
int buffer_append_string(struct buffer *b, const char *text);
int buffer_append_byte(struct buffer *b, uint8_t byte);
int buffer_append_varint(struct buffer *b, uint64_t value); /* LEB128, at most 10 bytes */
int buffer_append_zigzag(struct buffer *b, int64_t value);  /* signed, zigzag then LEB128 */
int buffer_append_le32(struct buffer *b, uint32_t value);
int buffer_append_le64(struct buffer *b, uint64_t value);
int buffer_printf(struct buffer *b, const char *format, ...) PRINTF_LIKE(2, 3);
const char *buffer_text(struct buffer *b); /* NUL-terminated view (the NUL is not counted); "" on failure */

/* ---- reader: bounded reading of hostile bytes. A read past the end sets `failed` and yields 0. ---- */
struct reader {
    const uint8_t *at, *end;
    bool failed;
};

uint8_t reader_byte(struct reader *r);
uint64_t reader_varint(struct reader *r);
int64_t reader_zigzag(struct reader *r);
uint32_t reader_le32(struct reader *r);
uint64_t reader_le64(struct reader *r);
const uint8_t *reader_bytes(struct reader *r, size_t size); /* NULL when failed */

/* ---- arena: many small allocations freed at once. NULL on out-of-memory or beyond max. ---- */
struct arena {
    struct arena_block *blocks;
    size_t used, max;
};

void arena_init(struct arena *a, size_t max);
void arena_release(struct arena *a);
void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned to 16 */
char *arena_strndup(struct arena *a, const char *text, size_t size);

/* Grows *array (elements of `size` bytes, *capacity of them) so that `needed` fit; doubles. 0 or -ENOMEM. */
int array_reserve(void *array, size_t *capacity, size_t needed, size_t size);

/* ---- map: uint64 key -> uint64 value, open addressing. Any key is allowed. ---- */
struct map {
    struct map_slot *slots;
    size_t used, capacity;
};

void map_init(struct map *m);
void map_release(struct map *m);
void map_clear(struct map *m);
bool map_get(const struct map *m, uint64_t key, uint64_t *ret_value);
int map_put(struct map *m, uint64_t key, uint64_t value); /* inserts or replaces; 0 or -ENOMEM */
void map_remove(struct map *m, uint64_t key);
uint64_t hash_mix(uint64_t a, uint64_t b); /* a good 64-bit mix of two words */
uint64_t hash_bytes(const void *data, size_t size);

/* ---- strings: each distinct byte string once, numbered from 0 in order of arrival ---- */
struct strings {
    struct arena arena;
    struct string_entry *entries;
    size_t count, capacity;
    struct map index;
};

int strings_init(struct strings *s, size_t max_bytes);
void strings_release(struct strings *s);
int strings_intern(struct strings *s, const char *text, size_t size, uint32_t *ret_id); /* copies text */
/* NUL-terminated; "" if unknown */
const char *strings_get(const struct strings *s, uint32_t id, size_t *ret_size);

/* ---- checksums ---- */
uint32_t crc32c(uint32_t seed, const void *data, size_t size); /* Castagnoli (RFC 3720); first seed 0 */
struct sha256 {
    uint32_t state[8];
    uint64_t size;
    uint8_t block[64]; /* what does not fill one yet */
};
void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *data, size_t size);
void sha256_final(struct sha256 *h, uint8_t ret_digest[32]);
void sha256(const void *data, size_t size, uint8_t ret_digest[32]); /* all three */

/* ---- clocks: nanoseconds ---- */
uint64_t clock_monotonic_ns(void);
uint64_t clock_thread_cpu_ns(void);         /* the calling thread's CPU time */
uint64_t clock_process_cpu_ns(void);        /* this process's CPU time */
uint64_t clock_real_ns(void);               /* since the epoch */
double random_exponential(uint64_t *state); /* mean 1; xorshift state, never 0 */
uint64_t random_next(uint64_t *state);

/* ---- CPUs: numbers of the kernel's ---- */
/* Those that this process may use, ascending: how many there are, of which at most max are put; 0: unknown. */
size_t cpus_allowed(int *cpus, size_t max);
int cpu_for_measuring(void); /* the one of them to measure on; 0 where they are unknown */

/* ---- files ---- */
int file_read_all(int dirfd, const char *path, struct buffer *into); /* -EFBIG beyond the buffer's max */
int file_read_plain(
    int dirfd, const char *path, struct buffer *into); /* -EMEDIUMTYPE: no plain file, or a link to one */
ssize_t file_read_at(int fd, void *into, size_t size, uint64_t offset); /* how much there was; a negative errno */
int file_write_all(int fd, const void *data, size_t size);              /* retries on EINTR and short writes */
void fd_close(int *fd);                                                 /* for CLEANUP; accepts -1 */
void free_pointer(void *pointer_to_pointer);                            /* for CLEANUP */

/* ---- numbers and text from the user and for the user ---- */
int parse_count(const char *text, uint64_t *ret_value); /* "1000", "10k", "1.5M", "2e6"; -EINVAL */
int parse_duration(const char *text, uint64_t *ret_ns); /* "10", "1.5s", "200ms", "2m", "1h"; bare: s */
int parse_percent(const char *text, double *ret_part);  /* "5", "0.5%": 0.05, 0.005; below a million; -EINVAL */
/* Replaces control characters, invalid UTF-8 and bidirectional overrides by '?': text from a stranger, on its
 * way to a terminal. */
int text_append_safe(struct buffer *b, const char *text, size_t size);
/* The same as one word of a shell's command, quoted where it has to be. */
int text_append_word(struct buffer *b, const char *text);
/* Replaces bytes that are not UTF-8 by U+FFFD and nothing else: text from a stranger, on its way to a program. */
int text_append_utf8(struct buffer *b, const char *text, size_t size);
/* As text of HTML or XML, within quotes too: & < > " become entities, and nothing else changes. */
void text_append_markup(struct buffer *b, const char *text, size_t size);
void text_hex(const uint8_t *bytes, size_t size, char *ret); /* 2 * size digits and a NUL */
size_t text_width(const char *text, size_t size);            /* terminal columns of valid UTF-8 */
/* Appends at most `columns` columns, the middle or the end replaced by an ellipsis. */
int text_append_fitted(struct buffer *b, const char *text, size_t columns);

/* ---- JSON writer: streams into a buffer; commas and escapes are its business. Strings that are not UTF-8
 * have their bad bytes replaced by U+FFFD. A NULL name inside an array, a name inside an object. ---- */
/* jansson, which reads JSON, has functions of these names; whoever includes it undefines them. */
#define json_string json_write_string
#define json_integer json_write_integer
#define json_null json_write_null
struct json {
    struct buffer *out;
    bool comma;
};

void json_object_begin(struct json *j, const char *name);
void json_object_end(struct json *j);
void json_array_begin(struct json *j, const char *name);
void json_array_end(struct json *j);
void json_string(struct json *j, const char *name, const char *text, size_t size);
void json_text(struct json *j, const char *name, const char *text); /* NUL-terminated */
void json_integer(struct json *j, const char *name, int64_t value);
void json_number(struct json *j, const char *name, double value); /* NaN and infinities become null */
void json_boolean(struct json *j, const char *name, bool value);
void json_null(struct json *j, const char *name);

#endif
