#include "target_child.h"

#include <sys/mman.h>

static struct target_maps parse(const char *text, const char *root)
{
    struct target_maps m = {0};
    arena_init(&m.arena, 1 << 20);
    assert_int_equal(maps_parse(&m, text, strlen(text), root), 0);
    return m;
}

static void reads_every_field_of_a_line(void **state)
{
    (void)state;
    struct target_maps m = parse("55d0c0a00000-55d0c0a01000 r-xp 0003f000 fd:1a 1835021       /usr/bin/python3.11\n"
                                 "7ffce0000000-7ffce0021000 rw-p 00000000 00:00 0 \n",
        "");
    assert_int_equal(m.count, 2);
    assert_true(m.items[0].start == 0x55d0c0a00000 && m.items[0].end == 0x55d0c0a01000);
    assert_true(m.items[0].readable && !m.items[0].writable && m.items[0].executable);
    assert_int_equal(m.items[0].offset, 0x3f000);
    assert_int_equal(m.items[0].device_major, 0xfd);
    assert_int_equal(m.items[0].device_minor, 0x1a);
    assert_int_equal(m.items[0].inode, 1835021);
    assert_string_equal(m.items[0].path, "/usr/bin/python3.11");
    assert_string_equal(m.items[1].path, "");
    assert_true(m.items[1].writable && !m.items[1].executable);
    target_maps_release(&m);
}

static void understands_odd_paths(void **state)
{
    (void)state;
    static const struct {
        const char *written, *root, *path;
    } cases[] = {
        {"/opt/my python/bin/python3", "", "/opt/my python/bin/python3"},
        {"/usr/lib/libpython3.so (deleted)", "", "/usr/lib/libpython3.so"},
        {"/tmp/a\\012b", "", "/tmp/a\nb"},
        {"/tmp/a\\040b", "", "/tmp/a\\040b"}, /* the kernel leaves a backslash as it is */
        {"[anon:.bss (deleted)]", "", "[anon:.bss (deleted)]"},
        {"/srv/jail/usr/bin/python3", "/srv/jail", "/usr/bin/python3"},
        {"/srv/jailed/usr/bin/python3", "/srv/jail", "/srv/jailed/usr/bin/python3"},
        {"/srv/jail", "/srv/jail", "/srv/jail"},
        {"/usr/bin/python3", "/srv/jail", "/usr/bin/python3"}, /* opened before it changed its root */
        {"[heap]", "/srv/jail", "[heap]"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char line[256];
        snprintf(line, sizeof(line), "1000-2000 r--p 00000000 08:01 77 %s\n", cases[i].written);
        struct target_maps m = parse(line, cases[i].root);
        assert_int_equal(m.count, 1);
        assert_string_equal(m.items[0].path, cases[i].path);
        target_maps_release(&m);
    }
}

static void skips_what_is_no_map(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\n",
        "garbage\n",
        "1000-1000 r--p 00000000 08:01 77 /empty\n",
        "2000-1000 r--p 00000000 08:01 77 /backwards\n",
        "1000-2000 r-\n",
        "1000-2000 r--p 00000000 08:01\n",
        "11111111111111111-22222222222222222 r--p 00000000 08:01 77 /too-large\n",
        "1000-2000 r--p 00000000 08:01 99999999999999999999999 /inode\n",
        "1000-2000 r--p 00000000 fffffffff:01 7 /device\n",
        "3000-5000 r--p 00000000 08:01 77 /overlaps\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char text[512];
        snprintf(text, sizeof(text), "4000-6000 r--p 00000000 08:01 77 /good\n%s7000-8000 rw-p 00001000 08:01 77 /good",
            bad[i]);
        struct target_maps m = parse(text, "");
        assert_int_equal(m.count, 2);
        assert_int_equal(m.items[1].start, 0x7000);
        assert_string_equal(m.items[1].path, "/good");
        target_maps_release(&m);
    }
}

static void cuts_a_path_beyond_all_limits(void **state)
{
    (void)state;
    size_t size = TARGET_PATH_MAX * 8;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    static const char head[] = "1000-2000 r--p 00000000 08:01 77 /";
    memcpy(text, head, sizeof(head) - 1);
    struct target_maps m = parse(text, "");
    assert_int_equal(m.count, 1);
    assert_true(strlen(m.items[0].path) <= TARGET_PATH_MAX * 4);
    target_maps_release(&m);
    free(text);
}

static void shows_a_new_map_of_a_live_process(void **state)
{
    (void)state;
    struct target *t = open_target(getpid());
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    assert_int_equal(mprotect((char *)p + page, page, PROT_READ | PROT_WRITE), 0);
    struct target_maps m;
    struct error e = {0};
    assert_int_equal(target_maps_read(t, &m, &e), 0);
    bool found = false;
    for (size_t i = 0; i < m.count; i++)
        found |=
            m.items[i].start == (uintptr_t)p + page && m.items[i].end == (uintptr_t)p + 2 * page && m.items[i].writable;
    assert_true(found);
    target_maps_release(&m);
    munmap(p, 3 * page);
    target_close(t);
}

static void says_that_a_dead_process_has_none(void **state)
{
    (void)state;
    pid_t pid = child_start(child_waits);
    struct target *t = open_target(pid);
    child_end(pid);
    struct target_maps m;
    struct error e = {0};
    assert_int_equal(target_maps_read(t, &m, &e), -ESRCH);
    assert_non_null(strstr(e.text, "has ended"));
    assert_int_equal(m.count, 0);
    target_maps_release(&m);
    target_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_field_of_a_line),
        cmocka_unit_test(understands_odd_paths),
        cmocka_unit_test(skips_what_is_no_map),
        cmocka_unit_test(cuts_a_path_beyond_all_limits),
        cmocka_unit_test(shows_a_new_map_of_a_live_process),
        cmocka_unit_test(says_that_a_dead_process_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
