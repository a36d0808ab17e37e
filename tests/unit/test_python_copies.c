/* A free-threaded build's copies of the bytecode, forged in this process's own memory: what cannot be is not followed.
 */
#include "python/inside.h"

#include "published_fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { COPIES = 4, INDEX = 2, PAGE = 4096 };

static struct python_process process;
static struct code code;
static struct code *codes[] = {&code};
static _Alignas(8) uint8_t object[512];
static uint64_t array[1 + COPIES]; /* _PyCodeArray: size, addresses */
static _Alignas(2) uint8_t copy[64], other_copy[64];

static uint64_t address_of(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static int start(void **state)
{
    (void)state;
    struct error e;

    if (python_layout_from_debug_offsets(published_3_15t, sizeof(published_3_15t), &process.layout, &e) < 0)
        return -1;
    return target_open(getpid(), &process.target, &e);
}

static int stop(void **state)
{
    (void)state;
    target_close(process.target);
    return 0;
}

/* A code object whose third copy is `copy`, and nothing known of it. */
static void forge(void)
{
    const uint64_t at = address_of(array);

    map_release(&process.codes.copies);
    map_init(&process.codes.copies);
    process.codes.items = codes;
    process.codes.count = 1;
    code = (struct code){.address = address_of(object), .bytecode = address_of(object) + process.layout.code_bytecode};
    memcpy(object + process.layout.code_tlbc, &at, sizeof(at));
    array[0] = COPIES;
    array[1] = code.bytecode;
    array[2] = 0;
    array[1 + INDEX] = address_of(copy);
    array[4] = 1;
}

static int start_test(void **state)
{
    (void)state;
    forge();
    return 0;
}

static int stop_test(void **state)
{
    (void)state;
    map_release(&process.codes.copies);
    return 0;
}

static void index_zero_is_the_code_objects_own(void **state)
{
    (void)state;
    assert_int_equal(codes_bytecode(&process, 0, 0), code.bytecode);
    assert_int_equal(process.counters.reads, 0);
}

static void a_copy_is_read_once_until_indexes_change_hands(void **state)
{
    (void)state;
    assert_int_equal(codes_bytecode(&process, 0, INDEX), address_of(copy));
    uint64_t reads = process.counters.reads;
    array[1 + INDEX] = address_of(other_copy);
    assert_int_equal(codes_bytecode(&process, 0, INDEX), address_of(copy));
    assert_int_equal(process.counters.reads, reads);
    map_clear(&process.codes.copies);
    assert_int_equal(codes_bytecode(&process, 0, INDEX), address_of(other_copy));
}

static void a_copy_that_is_not_there_yet_is_looked_for_again(void **state)
{
    (void)state;
    assert_int_equal(codes_bytecode(&process, 0, 1), 0);
    array[2] = address_of(other_copy);
    assert_int_equal(codes_bytecode(&process, 0, 1), address_of(other_copy));
}

static void indexes_beyond_the_array_are_torn(void **state)
{
    (void)state;
    assert_int_equal(codes_bytecode(&process, 0, COPIES), 0);
    assert_int_equal(codes_bytecode(&process, 0, UINT32_MAX), 0);
    array[0] = UINT64_MAX;
    assert_int_equal(codes_bytecode(&process, 0, INDEX), 0);
    array[0] = 0;
    assert_int_equal(codes_bytecode(&process, 0, INDEX), 0);
}

static void arrays_that_cannot_be_are_not_followed(void **state)
{
    (void)state;
    uint64_t page_end = address_of(mmap(NULL, 2L * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) + PAGE;
    const uint64_t places[] = {0, 8, address_of(array) + 1, page_end - 8, UINT64_MAX - 7};

    assert_int_equal(codes_bytecode(&process, 0, 3), 0); /* no instruction begins at an odd address */
    array[1]++;                                          /* not this code object's */
    assert_int_equal(codes_bytecode(&process, 0, INDEX), 0);
    array[1]--;
    assert_int_equal(munmap((void *)(uintptr_t)page_end, PAGE), 0);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        memcpy(object + process.layout.code_tlbc, &places[i], sizeof(places[i]));
        assert_int_equal(codes_bytecode(&process, 0, INDEX), 0);
    }
    assert_int_equal(munmap((void *)(uintptr_t)(page_end - PAGE), PAGE), 0);
}

static void a_recycled_code_object_has_no_copies(void **state)
{
    (void)state;
    code.address = 0;
    assert_int_equal(codes_bytecode(&process, 0, INDEX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(index_zero_is_the_code_objects_own, start_test, stop_test),
        cmocka_unit_test_setup_teardown(a_copy_is_read_once_until_indexes_change_hands, start_test, stop_test),
        cmocka_unit_test_setup_teardown(a_copy_that_is_not_there_yet_is_looked_for_again, start_test, stop_test),
        cmocka_unit_test_setup_teardown(indexes_beyond_the_array_are_torn, start_test, stop_test),
        cmocka_unit_test_setup_teardown(arrays_that_cannot_be_are_not_followed, start_test, stop_test),
        cmocka_unit_test_setup_teardown(a_recycled_code_object_has_no_copies, start_test, stop_test),
    };

    return cmocka_run_group_tests_name("copies", tests, start, stop);
}
