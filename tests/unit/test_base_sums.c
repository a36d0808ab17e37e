/* The table-driven path never runs on a machine that has the instruction, so its code is taken in here by
 * source. */
#include "base/crc32c.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void crc32c_gives_the_published_values(void **state)
{
    (void)state;
    /* RFC 3720, B.4: 32 bytes of zeroes, of ones, incrementing, decrementing; and the check value of
     * "123456789". */
    unsigned char zero[32] = {0}, ones[32], up[32], down[32];
    memset(ones, 0xff, sizeof ones);
    for (unsigned i = 0; i < 32; i++) {
        up[i] = (unsigned char)i;
        down[i] = (unsigned char)(31 - i);
    }
    assert_int_equal(crc32c(0, zero, 32), 0x8a9136aa);
    assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(crc32c(0, down, 32), 0x113fdb5c);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(~update_by_table(~0u, up, 32), 0x46dd794e);
    assert_int_equal(~update_by_table(~0u, (const unsigned char *)"123456789", 9), 0xe3069283);
}

static void crc32c_goes_on_where_it_stopped(void **state)
{
    (void)state;
    const char *text = "123456789";
    for (size_t cut = 0; cut <= 9; cut++)
        assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, 9 - cut), 0xe3069283);
}

static void both_ways_to_crc32c_agree_at_any_length_and_alignment(void **state)
{
    (void)state;
    unsigned char bytes[300];
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)random_next(&seed);
    for (size_t start = 0; start < 9; start++) {
        for (size_t size = 0; size <= sizeof bytes - start; size++)
            assert_int_equal(crc32c(0, bytes + start, size), ~update_by_table(~0u, bytes + start, size));
    }
}

static void sha256_agrees_with_hashlib(void **state)
{
    (void)state;
    /* hashlib.sha256(bytes((i * 7 + 3) & 255 for i in range(n))).hexdigest(), around each change of padding.
     */
    static const struct {
        size_t size;
        const char *digest;
    } cases[] = {
        {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {3, "6ab0dba1f4f1dfbb37b4f9eeb092c09fca4900ad32bdcd147d8dde35d6c87c35"},
        {55, "e7313d333c272e639f790978283f9eb392e843d0f29b7016828bb1daa4aac70b"},
        {56, "4324d65f3c103567f5589c710bc08f8523f929a9272e3af36fc968e52abc6c27"},
        {63, "81c80242132f230c3bd41b3e63bbcff16107339549214a99614ff26664625055"},
        {64, "39e3d7b6b5d075d37d053ad89b24b41bef4f3c29760c84447cab3f3be1882241"},
        {65, "aacca6ff74fdbb296d165a45cecfa04e5127bc008770fbbdd48006f2d2fae95e"},
        {119, "9ce7368e4daf32341631b492e80359dc9f594b48453cd0dd5bf0b19279cc177e"},
        {120, "7836b787757e95e58b3ca5aec90b1b004e8deba1e50e9675af9cabf1a13a04b5"},
        {1000, "1e9bc38cbf860b9ec31918b065f9b52476c549a782e0e7990bed8ce3868d2371"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned char bytes[1000], digest[32];
        char text[65];
        for (size_t j = 0; j < cases[i].size; j++)
            bytes[j] = (unsigned char)(j * 7 + 3);
        sha256(bytes, cases[i].size, digest);
        for (size_t j = 0; j < 32; j++)
            snprintf(text + 2 * j, 3, "%02x", digest[j]);
        assert_string_equal(text, cases[i].digest);
        for (size_t piece = 1; piece < 130; piece += 7) { /* no matter in what pieces it comes */
            unsigned char again[32];
            struct sha256 h;
            sha256_init(&h);
            for (size_t at = 0; at < cases[i].size; at += piece)
                sha256_update(&h, bytes + at, cases[i].size - at < piece ? cases[i].size - at : piece);
            sha256_final(&h, again);
            assert_memory_equal(again, digest, sizeof(digest));
        }
    }
}

static void exponential_gaps_have_mean_and_spread_of_one(void **state)
{
    (void)state;
    /* 10^6 draws: the mean's standard error is 0.001, the variance's 0.0028; six of each are allowed. The
     * seed is fixed, so this fails always or never. */
    enum { DRAWS = 1000000 };
    uint64_t seed = 0;
    double sum = 0, squares = 0, least = 1;
    for (int i = 0; i < DRAWS; i++) {
        double x = random_exponential(&seed);
        sum += x;
        squares += x * x;
        if (x < least)
            least = x;
    }
    double mean = sum / DRAWS, variance = squares / DRAWS - mean * mean;
    assert_true(mean > 0.994 && mean < 1.006);
    assert_true(variance > 0.983 && variance < 1.017);
    assert_true(least >= 0);
}

static void clocks_run_forward(void **state)
{
    (void)state;
    uint64_t before = clock_monotonic_ns(), cpu = clock_thread_cpu_ns();
    while (clock_thread_cpu_ns() == cpu)
        ;
    assert_true(clock_monotonic_ns() > before);
    assert_true(clock_process_cpu_ns() >= clock_thread_cpu_ns() - cpu);
    assert_true(clock_real_ns() > UINT64_C(1700000000) * 1000000000); /* this file is younger than 2023 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_gives_the_published_values),
        cmocka_unit_test(crc32c_goes_on_where_it_stopped),
        cmocka_unit_test(both_ways_to_crc32c_agree_at_any_length_and_alignment),
        cmocka_unit_test(sha256_agrees_with_hashlib),
        cmocka_unit_test(exponential_gaps_have_mean_and_spread_of_one),
        cmocka_unit_test(clocks_run_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
