#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct scratch {
    char folder[64];
    int fd;
};

static int make_folder(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    *state = s;
    snprintf(s->folder, sizeof s->folder, "/tmp/pitviper-test-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        return -1;
    s->fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return s->fd < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    struct scratch *s = *state;
    unlinkat(s->fd, "file", 0);
    fd_close(&s->fd);
    int result = rmdir(s->folder);
    free(s);
    return result;
}

static void write_file(const struct scratch *s, const void *data, size_t size)
{
    int fd = openat(s->fd, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, data, size), 0);
    fd_close(&fd);
    assert_int_equal(fd, -1);
    fd_close(&fd); /* of a closed one: nothing */
}

static void reads_a_whole_file_up_to_the_maximum(void **state)
{
    const struct scratch *s = *state;
    static unsigned char data[200000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 31 >> 3);
    write_file(s, data, sizeof data);

    CLEANUP(buffer_release) struct buffer exact;
    buffer_init(&exact, sizeof data);
    assert_int_equal(file_read_all(s->fd, "file", &exact), 0);
    assert_int_equal(exact.size, sizeof data);
    assert_memory_equal(exact.data, data, sizeof data);

    CLEANUP(buffer_release) struct buffer small;
    buffer_init(&small, sizeof data - 1);
    assert_int_equal(file_read_all(s->fd, "file", &small), -EFBIG);
    assert_int_equal(small.size, 0);
    assert_false(small.failed); /* and may be used for the next file */
}

static void appends_to_what_the_buffer_holds(void **state)
{
    const struct scratch *s = *state;
    write_file(s, "world", 5);
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 100);
    buffer_append_string(&b, "hello ");
    assert_int_equal(file_read_all(s->fd, "file", &b), 0);
    assert_string_equal(buffer_text(&b), "hello world");
    assert_int_equal(file_read_all(s->fd, "missing", &b), -ENOENT);
    assert_int_equal(file_read_all(s->fd, ".", &b), -EISDIR);
    assert_string_equal(buffer_text(&b), "hello world");
}

static void reads_files_that_the_kernel_says_are_empty(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 1 << 20);
    assert_int_equal(file_read_all(AT_FDCWD, "/proc/self/status", &b), 0); /* st_size is 0 */
    assert_memory_equal(buffer_text(&b), "Name:", 5);
}

static void only_a_plain_file_is_read_as_one(void **state)
{
    struct scratch *s = *state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 5);
    CLEANUP(fd_close) int fd = openat(s->fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(file_write_all(fd, "hello", 5), 0);
    assert_int_equal(file_read_plain(s->fd, "file", &b), 0);
    assert_int_equal(b.size, 5);
    assert_int_equal(file_read_plain(s->fd, "file", &b), -EFBIG);
    assert_int_equal(b.size, 5); /* as it was */
    assert_int_equal(symlinkat("file", s->fd, "link"), 0);
    assert_int_equal(file_read_plain(s->fd, "link", &b), -EMEDIUMTYPE);
    assert_int_equal(unlinkat(s->fd, "link", 0), 0);
    assert_int_equal(mkfifoat(s->fd, "pipe", 0600), 0); /* nobody writes to it: it may not be waited for */
    assert_int_equal(file_read_plain(s->fd, "pipe", &b), -EMEDIUMTYPE);
    assert_int_equal(unlinkat(s->fd, "pipe", 0), 0);
    assert_int_equal(file_read_plain(s->fd, ".", &b), -EMEDIUMTYPE);
    assert_int_equal(file_read_plain(s->fd, "missing", &b), -ENOENT);
}

static void *drain(void *context)
{
    struct buffer *into = context;
    unsigned char bytes[1000];
    ssize_t n;
    while ((n = read((int)into->max, bytes, sizeof bytes)) > 0)
        into->size += (size_t)n;
    return NULL;
}

static void writes_all_through_a_pipe_that_takes_little_at_a_time(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct buffer seen = {.max = (size_t)ends[0]};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, drain, &seen), 0);
    static unsigned char data[1 << 20];
    assert_int_equal(file_write_all(ends[1], data, sizeof data), 0);
    close(ends[1]);
    pthread_join(thread, NULL);
    close(ends[0]);
    assert_int_equal(seen.size, sizeof data);
}

static void tells_a_full_device(void **state)
{
    (void)state;
    CLEANUP(fd_close) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        skip();
    assert_int_equal(file_write_all(fd, "x", 1), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_a_plain_file_is_read_as_one, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(reads_a_whole_file_up_to_the_maximum, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(appends_to_what_the_buffer_holds, make_folder, remove_folder),
        cmocka_unit_test(reads_files_that_the_kernel_says_are_empty),
        cmocka_unit_test(writes_all_through_a_pipe_that_takes_little_at_a_time),
        cmocka_unit_test(tells_a_full_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
