/* The reader against files that are cut, flipped, made up or from the future. */
#include "record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "recording_log.h"

#define CHUNK_HEAD 20

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

static uint32_t get_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
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

/* Its log is what came before some damage, and all from the restart on. */
static bool is_whole_without_its_first_part(struct fixture *f)
{
    const char *rest = strstr(buffer_text(&f->whole), "restart\n"), *log = buffer_text(&f->log);
    size_t kept = strlen(rest);
    return f->log.size >= kept && strcmp(log + f->log.size - kept, rest) == 0 &&
           memcmp(log, f->whole.data, f->log.size - kept) == 0;
}

static size_t find_restart(const struct fixture *f)
{
    size_t at = 16;
    while (f->file.data[at] != 2)
        at += CHUNK_HEAD + get_le32(f->file.data + at + 4);
    return at;
}

static void finds_any_flipped_bit_and_goes_on_at_the_restart(void **state)
{
    struct fixture *f = *state;
    size_t restart_at = find_restart(f);
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
            assert_in_range(f->summary.bytes_lost, 1, f->file.size - 16);
            assert_int_equal(f->summary.gaps, 1);
            if (at < restart_at)
                assert_true(is_whole_without_its_first_part(f));
            else
                assert_true(is_start_of_whole(f));
            assert_true(f->log.size < f->whole.size || at >= f->file.size - CHUNK_HEAD);
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

static void names_a_future_version(void **state)
{
    struct fixture *f = *state;
    put_le32(f->file.data + 8, 7);
    put_le32(f->file.data + 12, crc32c(0, f->file.data, 12));
    assert_int_equal(read_again(f, f->file.data, f->file.size), -EINVAL);
    assert_non_null(strstr(f->e.text, "format 7"));
    assert_int_equal(f->log.size, 0);
}

/* A file of one chunk with right checksums around the payload. */
static int read_chunk(struct fixture *f, uint8_t encoding, const void *payload, size_t size)
{
    uint8_t file[600] = {0}, *head = file + 16;
    assert_true(size <= sizeof(file) - 16 - CHUNK_HEAD);
    memcpy(file, f->file.data, 16);
    head[0] = 1;
    head[1] = encoding;
    put_le32(head + 4, (uint32_t)size);
    memcpy(head + CHUNK_HEAD, payload, size);
    put_le32(head + 12, crc32c(0, payload, size));
    put_le32(head + 16, crc32c(0, head, 16));
    return read_again(f, file, 16 + CHUNK_HEAD + size);
}

static int read_payload(struct fixture *f, const void *payload, size_t size)
{
    return read_chunk(f, 0, payload, size);
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
    size_t first = CHUNK_HEAD + get_le32(f->file.data + 20), rest = f->file.size - 16 - first;
    CLEANUP(buffer_release) struct buffer twice;
    buffer_init(&twice, 1u << 20);
    buffer_append(&twice, f->file.data, 16 + first);
    buffer_append(&twice, f->file.data + 16, f->file.size - 16);
    assert_int_equal(read_again(f, twice.data, twice.size), 0);
    assert_non_null(strstr(f->summary.damage, "twice"));
    assert_true(is_whole_without_its_first_part(f));
    /* Without its first chunk: each remaining checksum is right. */
    memmove(f->file.data + 16, f->file.data + 16 + first, rest);
    assert_int_equal(read_again(f, f->file.data, 16 + rest), 0);
    assert_non_null(strstr(f->summary.damage, "missing"));
    assert_true(is_whole_without_its_first_part(f));
    assert_memory_equal(f->log.data, "restart\n", 8);
}

static void finds_the_restart_after_any_bytes_and_any_cut(void **state)
{
    struct fixture *f = *state;
    size_t restart_at = find_restart(f);
    uint64_t random = 3;
    CLEANUP(buffer_release) struct buffer file;
    buffer_init(&file, 1u << 20);
    for (int round = 0; round < 2000; round++) {
        size_t cut = 16 + random_next(&random) % (restart_at - 16), noise = random_next(&random) % 300;
        buffer_clear(&file);
        buffer_append(&file, f->file.data, cut);
        for (size_t i = 0; i < noise; i++) /* mostly bytes that a chunk may begin with */
            buffer_append_byte(&file, (uint8_t)(random_next(&random) >> 9 & (round % 2 == 0 ? 3 : 255)));
        buffer_append(&file, f->file.data + restart_at, f->file.size - restart_at);
        assert_int_equal(read_again(f, file.data, file.size), 0);
        assert_false(f->summary.complete);
        assert_true(is_whole_without_its_first_part(f));
        assert_int_equal(f->summary.bytes + f->summary.bytes_lost, file.size);
    }
}

/* A ring keeps the end of a recording: its first chunk is a restart, with a sequence number of its own. */
static void knows_what_lives_from_a_restart_alone(void **state)
{
    struct fixture *f = *state;
    struct record_writer *w = NULL;
    char path[64];
    assert_int_equal(record_writer_open(log_temporary(path), &w, &f->e), 0);
    for (uint32_t i = 0; i < 3; i++) {
        record_put_process(
            w, &(struct record_process){
                   .id = i, .parent = i / 2, .pid = 70 + (int32_t)i, .python = "3.12.1", .command = "a"});
        record_put_thread(w, &(struct record_thread){.id = i, .process = i, .tid = 70 + (int32_t)i, .name = "t"});
    }
    record_put_thread_cpu(w, &(struct record_thread_cpu){.thread = 2, .kernel_cpu_ns = 5, .kernel_wait_ns = 6});
    record_put_meta(w, "mode", "cpu");
    record_put_meta(w, "mode", "wall");
    record_put_counters(w, &(struct record_counters){.ticks_due = 9});
    record_put_thread_end(w, 1);
    record_put_process_end(w, &(struct record_process_end){.process = 1, .time_ns = 9});
    record_put_restart(w);
    record_put_code(w, &(struct record_code){.process = 2, .qualname = "f", .file = "/a.py"});
    record_put_frame(w, &(struct record_frame){.line = 1, .end_line = 1});
    record_put_stack(w, 1, 0, 0);
    record_put_state(w, 2, 1, RECORD_PRESENT);
    record_put_tick(w, 100000);
    assert_int_equal(record_writer_close(w, &f->e), 0);
    buffer_clear(&f->file);
    assert_int_equal(file_read_all(AT_FDCWD, path, &f->file), 0);
    unlink(path);
    size_t restart_at = find_restart(f);
    memmove(f->file.data + 16, f->file.data + restart_at, f->file.size - restart_at);
    assert_int_equal(read_again(f, f->file.data, f->file.size - restart_at + 16), 0);
    assert_true(f->summary.complete);
    assert_string_equal(buffer_text(&f->log),
        "restart\nmeta mode=wall\n"
        "process 0 parent 0 pid 70 at 0 image 0 python '3.12.1' command 'a'\n"
        "process 1 parent 1 pid 72 at 0 image 0 python '3.12.1' command 'a'\n" /* 2 in the file, its parent ended */
        "thread 0 of 0 tid 70 't'\nthread 1 of 1 tid 72 't'\nthread 1 cpu 5 wait 6\ncounters ticks_due=9\n"
        "code 0 of 1 'f' in '/a.py' line 0\nframe 0 code 0 kind 0 at 1:0 to 1:0\nstack 1 on 0 frame 0\n"
        "state of 1: stack 1 flags 1\ntick 100000\n");
}

/* By hand, as version 1 was documented: a process, a thread, a stack, a tick, a restart, a tick. */
static void reads_version_1(void **state)
{
    static const uint8_t file[] = {0x8b, 0x50, 0x49, 0x54, 0x0d, 0x0a, 0x1a, 0x0a, 0x01, 0x00, 0x00, 0x00, 0x40, 0x04,
        0xd2, 0x7c, 0x01, 0x00, 0x00, 0x00, 0x25, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x52, 0xcf, 0xc9, 0x11,
        0x21, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x23, 0x04, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01, 0x66,
        0x02, 0x00, 0x00, 0x00, 0x05, 0x03, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x52, 0x01, 0x80,
        0x01, 0x02, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0xd1, 0xfd, 0xed, 0xb8, 0x80,
        0x02, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x8c, 0xea, 0x95, 0xc7};
    static const char log[] =
        "process 0 parent 0 pid 0 at 0 image 0 python '' command ''\nthread 0 of 0 tid 0 ''\n"
        "code 0 of 0 'f' in 'f' line 5\nframe 0 code 0 kind 0 at 6:0 to 6:0\nstack 1 on 0 frame 0\n"
        "state of 0: stack 1 flags 1\ntick 1\nrestart\ntick 2\n";
    struct fixture *f = *state;
    assert_int_equal(read_again(f, file, sizeof(file)), 0);
    assert_true(f->summary.complete);
    assert_string_equal(buffer_text(&f->log), log);
    for (size_t cut = 16; cut < sizeof(file); cut++) {
        assert_int_equal(read_again(f, file, cut), 0);
        assert_false(f->summary.complete);
        assert_memory_equal(f->log.size > 0 ? (const char *)f->log.data : "", log, f->log.size);
    }
}

static void takes_no_packed_size_on_trust(void **state)
{
    struct fixture *f = *state;
    /* RFC 8878: magic, descriptor, content size, a block of a repeated byte (RLE), last. */
    static const uint8_t good[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x23, 0, 0, 0x80};
    static const uint8_t no_size[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0x50, 0x23, 0, 0, 0x80};
    static const uint8_t huge[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 1, 0x23, 0, 0, 0x80};
    static const uint8_t above[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 1, 0, 0x40, 0, 0x23, 0, 0, 0x80};
    static const uint8_t other[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x23, 0, 0, 0x80};
    assert_int_equal(read_chunk(f, 1, good, sizeof(good)), 0);
    assert_string_equal(buffer_text(&f->log), "tick 128000\ntick 256000\n"); /* 80 80 80 80: two of 128 us */
    assert_non_null(strstr(f->summary.damage, "without its end mark"));
#define REFUSED(bytes, count, what)                                                                                    \
    assert_int_equal(read_chunk(f, 1, bytes, count), 0);                                                               \
    assert_non_null(strstr(f->summary.damage, what));                                                                  \
    assert_int_equal(f->log.size, 0)
    REFUSED(no_size, sizeof(no_size), "tell its size");
    REFUSED(huge, sizeof(huge), "too large");
    REFUSED(above, sizeof(above), "too large");
    REFUSED(other, sizeof(other), "cannot be unpacked");
    REFUSED(good, sizeof(good) - 1, "cannot be unpacked");
    REFUSED("", 0, "tell its size");
#undef REFUSED
    assert_int_equal(read_chunk(f, 2, good, sizeof(good)), 0);
    assert_non_null(strstr(f->summary.damage, "encoding"));
}

static void reads_the_same_in_pieces_of_any_size(void **state)
{
    struct fixture *f = *state;
    f->file.data[60] ^= 1; /* with damage in the first chunk */
    assert_int_equal(read_again(f, f->file.data, f->file.size), 0);
    CLEANUP(buffer_release) struct buffer at_once;
    buffer_init(&at_once, 1u << 20);
    buffer_append(&at_once, f->log.data, f->log.size);
    uint64_t lost = f->summary.bytes_lost;
    for (size_t size = 1; size < 70; size++) {
        struct record_reader *g = NULL;
        buffer_clear(&f->log);
        assert_int_equal(record_reader_new("x", &log_events, &f->log, &g), 0);
        for (size_t at = 0; at < f->file.size; at += size) {
            size_t n = f->file.size - at < size ? f->file.size - at : size;
            assert_int_equal(record_reader_feed(g, f->file.data + at, n, &f->e), 0);
        }
        assert_true(record_reader_done(g));
        assert_int_equal(record_reader_end(g, &f->summary, &f->e), 0);
        record_reader_free(g);
        assert_string_equal(buffer_text(&f->log), buffer_text(&at_once));
        assert_int_equal(f->summary.bytes_lost, lost);
    }
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

/* Whatever it is cut at, the copy has the whole chunks before the cut, and is complete. */
static void copies_what_is_whole_and_ends_it(void **state)
{
    struct fixture *f = *state;
    char from_path[] = "/tmp/pitviper-from-XXXXXX", to_path[] = "/tmp/pitviper-to-XXXXXX";
    for (size_t cut = 0; cut <= f->file.size; cut += 7) {
        struct record_summary whole = {0}, copied = {0};
        struct buffer bytes;
        memcpy(from_path + sizeof(from_path) - 7, "XXXXXX", 6);
        memcpy(to_path + sizeof(to_path) - 7, "XXXXXX", 6);
        int from = mkstemp(from_path), to = mkstemp(to_path);
        assert_int_equal(file_write_all(from, f->file.data, cut), 0);
        int r = record_copy(from, to);
        buffer_init(&bytes, f->file.size + 64);
        assert_int_equal(file_read_all(AT_FDCWD, to_path, &bytes), 0);
        if (cut < 16) {
            assert_int_equal(r, -EINVAL);
        } else {
            assert_int_equal(r, 0);
            struct record_events none = {0};
            assert_int_equal(record_read_memory(f->file.data, cut, "x", &none, NULL, &whole, NULL), 0);
            assert_int_equal(record_read_memory(bytes.data, bytes.size, "x", &none, NULL, &copied, NULL), 0);
            assert_true(copied.complete);
            assert_int_equal(copied.chunks, whole.chunks + !whole.complete);
        }
        buffer_release(&bytes);
        close(from);
        close(to);
        unlink(from_path);
        unlink(to_path);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_all_before_a_cut_at_any_byte),
        TEST(finds_any_flipped_bit_and_goes_on_at_the_restart),
        TEST(finds_the_restart_after_any_bytes_and_any_cut),
        TEST(knows_what_lives_from_a_restart_alone),
        TEST(reads_version_1),
        TEST(takes_no_packed_size_on_trust),
        TEST(reads_the_same_in_pieces_of_any_size),
        TEST(reads_the_same_from_a_pipe),
        TEST(names_what_is_not_a_recording),
        TEST(names_a_future_version),
        TEST(takes_no_id_on_trust),
        TEST(survives_made_up_payloads),
        TEST(refuses_a_chunk_out_of_sequence),
        TEST(stops_where_a_callback_says_so),
        TEST(copies_what_is_whole_and_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
