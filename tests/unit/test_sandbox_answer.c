#include "sandbox/sandbox.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int feed(struct answer *a, const char *bytes, size_t size, uint64_t at)
{
    return answer_feed(a, bytes, size, at);
}
#define FEED(a, text, at) feed(a, text, sizeof(text) - 1, at)

static void takes_frames_one_byte_at_a_time(void **state)
{
    (void)state;
    static const char all[] = "r\0\0\0\0p\2\0\0\0hip\0\0\0\0a\5\0\0\0hello";
    struct answer a;
    answer_init(&a, 100);
    for (size_t i = 0; i < sizeof(all) - 1; i++)
        assert_int_equal(feed(&a, all + i, 1, i + 1), 0);
    assert_int_equal(a.ready_ns, 5);
    assert_int_equal(a.progress_count, 2);
    assert_int_equal(a.progress[0].at_ns, 12);
    assert_memory_equal(a.digests.data + a.progress[0].offset, "hi", 2);
    assert_int_equal(a.progress[1].size, 0);
    assert_int_equal(a.kind, ANSWER_DATA);
    assert_int_equal(a.whole_ns, sizeof(all) - 1);
    assert_string_equal(buffer_text(&a.payload), "hello");
    answer_release(&a);
}

static void is_not_whole_before_its_last_byte(void **state)
{
    (void)state;
    struct answer a;
    answer_init(&a, 100);
    assert_int_equal(FEED(&a, "a\3\0\0\0ab", 1), 0);
    assert_int_equal(a.kind, 0);
    assert_int_equal(FEED(&a, "c", 2), 0);
    assert_int_equal(a.kind, ANSWER_DATA);
    assert_int_equal(a.whole_ns, 2);
    answer_release(&a);
}

static void refuses(const char *bytes, size_t size, const char *why)
{
    struct answer a;
    answer_init(&a, 4);
    assert_int_equal(feed(&a, bytes, size, 1), -EBADMSG);
    assert_string_equal(a.broken, why);
    assert_int_equal(FEED(&a, "a\0\0\0\0", 2), -EBADMSG); /* for good */
    answer_release(&a);
}
#define REFUSES(bytes, why) refuses(bytes, sizeof(bytes) - 1, why)

static void refuses_what_is_no_answer(void **state)
{
    (void)state;
    REFUSES("hello", "bytes that are no frame");
    REFUSES("a\5\0\0\0hello", "an answer that is too long");
    REFUSES("e\xff\xff\xff\xff", "an answer that is too long");
    REFUSES("p\1\1\0\0", "a progress frame that is too long");
    REFUSES("r\1\0\0\0", "a ready frame with a payload");
    REFUSES("r\0\0\0\0r\0\0\0\0", "a ready frame that is not the first");
    REFUSES("p\0\0\0\0r\0\0\0\0", "a ready frame that is not the first");
    REFUSES("a\1\0\0\0xa\1\0\0\0y", "bytes after the answer");
}

static void limits_the_number_of_heartbeats(void **state)
{
    (void)state;
    struct answer a;
    answer_init(&a, 4);
    for (size_t i = 0; i < ANSWER_PROGRESS_FRAMES_MAX; i++)
        assert_int_equal(FEED(&a, "p\1\0\0\0x", i), 0);
    assert_int_equal(FEED(&a, "p\1\0\0\0x", 1), -EBADMSG);
    assert_string_equal(a.broken, "too many progress frames");
    answer_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_frames_one_byte_at_a_time),
        cmocka_unit_test(is_not_whole_before_its_last_byte),
        cmocka_unit_test(refuses_what_is_no_answer),
        cmocka_unit_test(limits_the_number_of_heartbeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
