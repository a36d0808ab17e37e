/* The reader against files that are cut, flipped, made up or from the future. */
#include "record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "recording_log.h"

struct fixture {
    struct buffer file;  /* a sound recording of a few chunks */
    struct buffer whole; /* its log */
    struct buffer log;
    struct record_summary summary;
    struct error e;
};

static void put_all(struct record_writer *w)
{
    uint8_t digest[32] = {1};
    record_put_meta(w, "command", "python3 app.py");
    record_put_process(w, &(struct record_process){.pid = 70, .start_ns = 5, .python = "3.12.1", .command = "a"});
    record_put_thread(w, &(struct record_thread){.tid = 70, .name = "MainThread"});
    for (int part = 0; part < 2; part++) {
        record_put_code(w, &(struct record_code){.qualname = "f", .file = "/a.py", .first_line = 1});
        for (uint32_t i = 0; i < 3; i++) {
            record_put_frame(w, &(struct record_frame){.id = i, .line = 10 + i, .end_line = 10 + i});
            record_put_stack(w, i + 1, i, i);
        }
        for (uint64_t t = 1; t < 6; t++) {
            record_put_state(w, 0, 1 + (uint32_t)t % 3, RECORD_PRESENT);
            record_put_tick(w, t * 300000000);
        }
        record_put_source(w, "/a.py", digest, "x = 1\n", 6, true);
        record_put_counters(w, &(struct record_counters){.ticks_due = 5, .ticks_taken = 5});
        if (part == 0)
            record_put_restart(w);
    }
    record_put_process_end(w, &(struct record_process_end){.time_ns = 9, .cpu_ns = 10});
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct record_writer *w = NULL;
    char path[64];
    *state = f;
    buffer_init(&f->file, 1u << 20);
    buffer_init(&f->whole, 1u << 20);
    buffer_init(&f->log, 1u << 20);
    if (record_writer_open(log_temporary(path), &w, &f->e) < 0)
        return -1;
    put_all(w);
    if (record_writer_close(w, &f->e) < 0 || file_read_all(AT_FDCWD, path, &f->file) < 0)
        return -1;
    unlink(path);
    return record_read_memory(f->file.data, f->file.size, "whole", &log_events, &f->whole, &f->summary, &f->e);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buffer_release(&f->file);
    buffer_release(&f->whole);
    buffer_release(&f->log);
    free(f);
    return 0;
}

static int read_again(struct fixture *f, const void *data, size_t size)
{
    buffer_clear(&f->log);
    f->e.text[0] = '\0';
    /* A copy of the exact size, so that the address sanitizer sees one byte too many. */
    void *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, data, size);
    int r = record_read_memory(copy, size, "x.pit", &log_events, &f->log, &f->summary, &f->e);
    free(copy);
    return r;
}

static bool is_start_of_whole(struct fixture *f)
{
    return f->log.size == 0 || (f->log.size <= f->whole.size && memcmp(f->log.data, f->whole.data, f->log.size) == 0);
}

static void gives_all_before_a_cut_at_any_byte(void **state)
{
    struct fixture *f = *state;
    assert_true(f->summary.complete);
    assert_true(f->summary.chunks >= 5);
    size_t last = 0;
    for (size_t cut = 0; cut < f->file.size; cut++) {
        int r = read_again(f, f->file.data, cut);
        if (cut < 16) {
            assert_int_equal(r, -EINVAL);
            assert_non_null(strstr(f->e.text, "x.pit"));
            continue;
        }
        assert_int_equal(r, 0);
        assert_false(f->summary.complete);
        assert_true(f->summary.damage[0] != '\0');
        assert_true(f->summary.damaged_at <= cut);
        assert_true(is_start_of_whole(f));
        assert_true(f->log.size >= last);
        last = f->log.size;
    }
    /* Only the empty end chunk was missing at the end. */
    assert_int_equal(last, f->whole.size);
}

static void finds_any_flipped_bit_and_gives_all_before_it(void **state)
{
    struct fixture *f = *state;
    for (size_t at = 0; at < f->file.size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            f->file.data[at] ^= (uint8_t)(1 << bit);
            int r = read_again(f, f->file.data, f->file.size);
            f->file.data[at] ^= (uint8_t)(1 << bit);
            if (at < 16) {
                assert_int_equal(r, -EINVAL);
                continue;
            }
            assert_int_equal(r, 0);
            assert_false(f->summary.complete);
            assert_true(f->summary.damage[0] != '\0');
            assert_true(f->summary.damaged_at <= at);
            assert_true(is_start_of_whole(f));
            assert_true(f->log.size < f->whole.size || at >= f->file.size - 16);
        }
    }
}

static void reads_the_same_from_a_pipe(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(f->file.size < 60000);
    assert_int_equal(write(ends[1], f->file.data, f->file.size), f->file.size);
    close(ends[1]);
    assert_int_equal(record_read(ends[0], "pipe", &log_events, &f->log, &f->summary, &f->e), 0);
    close(ends[0]);
    assert_true(f->summary.complete);
    assert_string_equal(buffer_text(&f->log), buffer_text(&f->whole));
}

static void names_what_is_not_a_recording(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_again(f, "", 0), -EINVAL);
    assert_non_null(strstr(f->e.text, "empty"));
    assert_int_equal(read_again(f, "#!/usr/bin/env python3\n", 23), -EINVAL);
    assert_non_null(strstr(f->e.text, "not a recording"));
    int fd = open("/", O_RDONLY | O_CLOEXEC);
    assert_int_equal(record_read(fd, "/", &log_events, &f->log, &f->summary, &f->e), -EISDIR);
    assert_non_null(strstr(f->e.text, "directory"));
    close(fd);
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void names_a_future_version(void **state)
{
    struct fixture *f = *state;
    put_le32(f->file.data + 8, 7);
    put_le32(f->file.data + 12, crc32c(0, f->file.data, 12));
    assert_int_equal(read_again(f, f->file.data, f->file.size), -EINVAL);
    assert_non_null(strstr(f->e.text, "format 7"));
    assert_int_equal(f->log.size, 0);
}

/* A file of one chunk with a right checksum around the payload. */
static int read_payload(struct fixture *f, const void *payload, size_t size)
{
    uint8_t file[600] = {0};
    assert_true(size <= sizeof(file) - 32);
    memcpy(file, f->file.data, 16);
    file[16] = 1;
    put_le32(file + 20, (uint32_t)size);
    memcpy(file + 32, payload, size);
    put_le32(file + 28, crc32c(crc32c(0, file + 16, 12), payload, size));
    return read_again(f, file, 32 + size);
}

#define PROCESS "\x21\x07\0\0\0\0\0\0\0" /* id 0, parent 0, no texts */
#define THREAD "\x23\x04\0\0\0\0"        /* id 0 of process 0 */
#define STRING_F                                                                                                       \
    "\x01\x01"                                                                                                         \
    "f"
#define CODE "\x02\0\0\0\x05"      /* of process 0, string 0 twice, line 5 */
#define FRAME "\x03\0\0\x06\0\0\0" /* kind 0, code +0, line 6 */
#define STACK "\x04\0\0"           /* on the last one, frame +0 */
#define TICK "\x80\x01"

static void takes_no_id_on_trust(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *damage;
    } cases[] = {
#define CASE(bytes, damage) {bytes, sizeof(bytes) - 1, damage}
        CASE("", "without its end mark"),
        CASE(PROCESS THREAD STRING_F CODE FRAME STACK "\x42" TICK, "without its end mark"),
        CASE("\x05", "unknown event"), CASE("\x00", "unknown event"), CASE("\xf1\x01", "unknown event"),
        CASE("\xff", "unknown event"), CASE("\x80", "tick that is cut short"),
        CASE("\xf0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "time out of range"),
        CASE("\xf0\xff\xff\xff\xff\xff\xff\xff\xff\x7f" TICK, "time out of range"), CASE("\x40", "unknown thread"),
        CASE(PROCESS THREAD "\x60\x01", "unknown thread"), CASE(PROCESS THREAD "\x42", "unknown stack"),
        CASE(PROCESS THREAD "\x41", "unknown stack"), /* stack -1 */
        CASE(PROCESS THREAD "\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "unknown stack"),
        CASE(PROCESS THREAD "\x50", "state that is cut short"), CASE(THREAD, "a thread"),
        CASE("\x21\x07\x01\0\0\0\0\0\0", "a process"), /* id 1 before 0 */
        CASE("\x21\x07\0\x01\0\0\0\0\0", "a process"), /* a parent that is not there */
        CASE(PROCESS "\x23\x04\x01\0\0\0", "a thread"),
        CASE(PROCESS "\x23\x05\0\0\0\x01\0", "a thread"), /* a zero byte in its name */
        CASE(PROCESS "\x23\x05\0\0\0\x07x", "a thread"),  /* a name beyond its event */
        CASE(STRING_F CODE, "a code object"), CASE(PROCESS CODE, "a code object"),
        CASE(STRING_F STRING_F, "defined twice"), CASE("\x01\x01\0", "zero byte"), CASE("\x01\x05x", "too long"),
        CASE("\x01\xff\xff\xff\xff\x0f", "too long"), CASE(PROCESS STRING_F FRAME, "a frame"),
        CASE(PROCESS STRING_F CODE "\x03\x03\0\x06\0\0\0", "a frame"), /* no such kind */
        CASE(PROCESS STRING_F CODE "\x03\0\x01\x06\0\0\0", "a frame"), /* code -1 */
        CASE(PROCESS STRING_F CODE "\x03\0\0\x01\x05\0\0", "a frame"), /* ends on line -2 */
        CASE(STACK, "a stack"),
        CASE(PROCESS STRING_F CODE FRAME "\x04\x01\0", "a stack"), /* a parent before the first */
        CASE(PROCESS STRING_F CODE FRAME "\x04\0\x02", "a stack"), /* frame 1 of 1 */
        CASE("\x22\x04\0\0\0\0", "the end of a process"), CASE("\x24\x03\0\0\0", "unknown thread"),
        CASE("\x26\x05\x01\0\0\0\0", "a source text"), CASE("\x20\xff\x01", "event that is cut short"),
        CASE("\x3f\x02zz" PROCESS, "without its end mark"), /* unknown but skippable */
        CASE("\x25\x01\x07", "without its end mark"),       /* fewer counters than known */
#undef CASE
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(read_payload(f, cases[i].bytes, cases[i].size), 0);
        if (strstr(f->summary.damage, cases[i].damage) == NULL)
            fail_msg("case %zu: '%s' where '%s' was due", i, f->summary.damage, cases[i].damage);
    }
}

static void survives_made_up_payloads(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 7;
    uint8_t payload[500];
    for (int round = 0; round < 20000; round++) {
        size_t size = random_next(&random) % sizeof(payload);
        for (size_t i = 0; i < size; i++)
            payload[i] = (uint8_t)(random_next(&random) >> 17);
        static const char start[] = PROCESS THREAD STRING_F CODE FRAME STACK;
        if (size > sizeof(start) && round % 2 == 0)
            memcpy(payload, start, sizeof(start) - 1);
        assert_int_equal(read_payload(f, payload, size), 0);
        assert_false(f->summary.complete);
    }
}

static void refuses_a_chunk_out_of_sequence(void **state)
{
    struct fixture *f = *state;
    uint32_t first = 0;
    for (int i = 0; i < 4; i++)
        first |= (uint32_t)f->file.data[20 + i] << (8 * i);
    /* Without its first chunk: each remaining checksum is right. */
    memmove(f->file.data + 16, f->file.data + 32 + first, f->file.size - 32 - first);
    assert_int_equal(read_again(f, f->file.data, f->file.size - 16 - first), 0);
    assert_non_null(strstr(f->summary.damage, "missing"));
    assert_int_equal(f->log.size, 0);
}

static int stop_at_tick(void *context, uint64_t time_ns)
{
    (void)time_ns;
    return --*(int *)context == 0 ? 77 : 0;
}

static void stops_where_a_callback_says_so(void **state)
{
    struct fixture *f = *state;
    int ticks = 3;
    struct record_events events = {.tick = stop_at_tick};
    assert_int_equal(record_read_memory(f->file.data, f->file.size, "x", &events, &ticks, &f->summary, &f->e), 77);
    assert_int_equal(ticks, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_all_before_a_cut_at_any_byte),
        TEST(finds_any_flipped_bit_and_gives_all_before_it),
        TEST(reads_the_same_from_a_pipe),
        TEST(names_what_is_not_a_recording),
        TEST(names_a_future_version),
        TEST(takes_no_id_on_trust),
        TEST(survives_made_up_payloads),
        TEST(refuses_a_chunk_out_of_sequence),
        TEST(stops_where_a_callback_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
