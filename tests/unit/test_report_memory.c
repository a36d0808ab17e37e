/* Each allocation of a recording's writing, reading and reporting fails once: an error comes back, and nothing leaks
 * (the address sanitizer's part) or is half done. */
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "recording_log.h"

static long allocations_left = -1; /* negative: all succeed */
static bool refused;

static bool refuse(void)
{
    if (allocations_left < 0)
        return false;
    if (allocations_left == 0) {
        refused = true;
        allocations_left = -1; /* only this one: what follows must not hide that it was missed */
        return true;
    }
    allocations_left--;
    return false;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refuse() ? NULL : __real_realloc(old, size);
}

static int write_recording(const char *path)
{
    struct record_writer *w = NULL;
    uint8_t digest[32] = {0};
    int r = record_writer_open(path, &w, NULL);
    if (r < 0)
        return r;
    record_put_meta(w, "command", "c");
    record_put_process(w, &(struct record_process){.pid = 1, .python = "3", .command = "c"});
    for (uint32_t i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof(name), "f%u", i);
        record_put_thread(w, &(struct record_thread){.id = i, .tid = 10 + (int32_t)i, .name = name});
        record_put_code(w, &(struct record_code){.id = i, .qualname = name, .file = "/a.py", .first_line = i});
        record_put_frame(w, &(struct record_frame){.id = i, .code = i, .line = i + 1, .end_line = i + 1});
        record_put_stack(w, i + 1, i / 2, i);
    }
    for (uint32_t i = 0; i < 200; i++) {
        record_put_state(w, i % 20, 1 + i * 7 % 20, RECORD_PRESENT | (i % 3 == 0 ? RECORD_ON_CPU : 0));
        record_put_tick(w, 1000 * i);
    }
    record_put_source(w, "/a.py", digest, "x\ny\n", 4, true);
    return record_writer_close(w, NULL);
}

static int page_of(const char *path)
{
    struct report_timeline *t = NULL;
    struct profile *p = NULL;
    struct buffer out;
    int r = report_timeline_new(&t);
    if (r < 0)
        return r;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct profile_options options = {.span = report_timeline_span, .span_context = t};
    r = profile_read(fd, path, &options, &p, NULL);
    close(fd);
    buffer_init(&out, 1u << 20);
    if (r == 0)
        r = report_html(&out, p, t, PROFILE_CPU);
    buffer_release(&out);
    profile_free(p);
    report_timeline_free(t);
    return r;
}

static int export_all(struct buffer *out, const struct profile *p, const struct report_spans *spans)
{
    for (const struct report_format *f = report_formats; f->name != NULL; f++) {
        buffer_clear(out);
        int r = f->write(&(struct report_export){.out = out, .p = p, .spans = spans});
        if (r < 0)
            return r;
        assert_true(out->size > 0);
    }
    return 0;
}

static int report_all(const char *path)
{
    struct report_spans *spans = NULL;
    struct profile *p = NULL;
    struct error e = {.text = ""};
    struct buffer out;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = profile_read(fd, path, &(struct profile_options){.thread = "f3"}, &p, &e);
    if (r == 0) {
        assert_true(p->summary.complete);
        profile_free(p);
        p = NULL;
        lseek(fd, 0, SEEK_SET);
        r = report_spans_new(&spans);
        if (r < 0)
            error_set(&e, -r, "no spans");
        else
            r = profile_read(
                fd, path, &(struct profile_options){.span = report_spans_add, .span_context = spans}, &p, &e);
    }
    close(fd);
    if (r < 0) {
        report_spans_free(spans);
        /* The user is told, whatever could not be had. */
        assert_true(e.text[0] != '\0');
        assert_null(p);
        return r;
    }
    /* A reader that ran out of memory must not pass for one that found damage. */
    assert_true(p->summary.complete);
    buffer_init(&out, 1u << 20);
    r = report_text(&out, p, &(struct report_options){0});
    if (r == 0)
        r = report_json(&out, p, &(struct report_options){0});
    if (r == 0)
        r = report_collapsed(&out, p, REPORT_FIRST_THREAD, NULL, NULL);
    if (r == 0)
        r = export_all(&out, p, spans);
    report_spans_free(spans);
    buffer_release(&out);
    profile_free(p);
    return r == 0 ? page_of(path) : r;
}

static void writing_ends_with_an_error(void **state)
{
    (void)state;
    char path[64];
    log_temporary(path);
    assert_int_equal(write_recording(path), 0);
    int failures = 0;
    for (long n = 0;; n++) {
        allocations_left = n;
        refused = false;
        int r = write_recording(path);
        allocations_left = -1;
        if (!refused)
            break;
        assert_int_equal(r, -ENOMEM);
        failures++;
    }
    assert_true(failures > 5);
    unlink(path);
}

static void reporting_ends_with_an_error(void **state)
{
    (void)state;
    char path[64];
    log_temporary(path);
    assert_int_equal(write_recording(path), 0);
    assert_int_equal(report_all(path), 0);
    int failures = 0;
    for (long n = 0;; n++) {
        allocations_left = n;
        refused = false;
        int r = report_all(path);
        allocations_left = -1;
        if (!refused)
            break;
        assert_int_equal(r, -ENOMEM);
        failures++;
    }
    assert_true(failures > 200);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing_ends_with_an_error),
        cmocka_unit_test(reporting_ends_with_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
