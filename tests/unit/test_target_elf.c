#include "target_child.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>

/* Symbols whose place the dynamic loader or the compiler knows, to be found from outside. */
int elf_test_datum = 42;
char elf_test_zeroed[12345];
static __attribute__((used)) int elf_test_local = 7;

static const struct target_map *map_of(const struct target_maps *maps, const void *address)
{
    for (size_t i = 0; i < maps->count; i++)
        if (maps->items[i].start <= (uintptr_t)address && (uintptr_t)address < maps->items[i].end)
            return &maps->items[i];
    return NULL;
}

struct self {
    struct target *t;
    struct target_maps maps;
};

static int open_self(void **state)
{
    static struct self self;
    struct error e = {0};
    if (target_open(getpid(), &self.t, &e) < 0 || target_maps_read(self.t, &self.maps, &e) < 0)
        return -1;
    *state = &self;
    return 0;
}

static int close_self(void **state)
{
    struct self *self = *state;
    target_maps_release(&self->maps);
    target_close(self->t);
    return 0;
}

static void finds_symbols_where_they_run(void **state)
{
    struct self *self = *state;
    static const struct {
        const char *name;
        void *address;
        size_t size;
    } cases[] = {
        {"elf_test_datum", &elf_test_datum, sizeof(elf_test_datum)},
        {"elf_test_zeroed", elf_test_zeroed, sizeof(elf_test_zeroed)},
        {"elf_test_local", &elf_test_local, sizeof(elf_test_local)},
    };
    /* Any of the object's maps may be given, and the second round is answered by the cache. */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
            const void *anchors[] = {(const void *)&finds_symbols_where_they_run, &elf_test_datum};
            for (size_t j = 0; j < ARRAY_SIZE(anchors); j++) {
                struct target_symbol s;
                struct error e = {0};
                int r =
                    target_find_symbol(self->t, &self->maps, map_of(&self->maps, anchors[j]), cases[i].name, &s, &e);
                if (r < 0)
                    fail_msg("%s: %s", cases[i].name, e.text);
                assert_true(s.address == (uintptr_t)cases[i].address);
                assert_true(s.size >= cases[i].size); /* the sanitizer adds a red zone */
            }
        }
    }
}

static void finds_symbols_of_a_shared_library(void **state)
{
    struct self *self = *state;
    void *in_libc = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    struct target_symbol s;
    struct error e = {0};
    assert_non_null(in_libc);
    assert_int_equal(
        target_find_symbol(self->t, &self->maps, map_of(&self->maps, in_libc), "gnu_get_libc_version", &s, &e), 0);
    assert_true(s.address == (uintptr_t)in_libc);
}

static void finds_sections_and_the_writable_span(void **state)
{
    struct self *self = *state;
    const struct target_map *map = map_of(&self->maps, &elf_test_datum);
    struct target_symbol data, bss, span;
    struct error e = {0};
    assert_int_equal(target_find_section(self->t, &self->maps, map, ".data", &data, &e), 0);
    assert_int_equal(target_find_section(self->t, &self->maps, map, ".bss", &bss, &e), 0);
    assert_int_equal(target_find_section(self->t, &self->maps, map, NULL, &span, &e), 0);
    assert_true(data.address <= (uintptr_t)&elf_test_datum && (uintptr_t)&elf_test_datum < data.address + data.size);
    assert_true(bss.address <= (uintptr_t)elf_test_zeroed && (uintptr_t)elf_test_zeroed < bss.address + bss.size);
    assert_true(span.address <= data.address && bss.address + bss.size <= span.address + span.size);
    assert_int_equal(target_find_section(self->t, &self->maps, map, ".PyRuntime", &data, &e), -ENOENT);
}

static void says_what_is_missing_where(void **state)
{
    struct self *self = *state;
    struct target_symbol s;
    struct error e = {0};
    const struct target_map *map = map_of(&self->maps, &elf_test_datum);
    assert_int_equal(target_find_symbol(self->t, &self->maps, map, "_PyRuntime", &s, &e), -ENOENT);
    assert_non_null(strstr(e.text, "_PyRuntime"));
    assert_non_null(strstr(e.text, "test_target_elf"));
    char name[200];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(target_find_symbol(self->t, &self->maps, map, name, &s, &e), -EINVAL);
    struct target_map anonymous = {.start = 0x1000, .end = 0x2000, .path = ""};
    assert_int_equal(target_find_symbol(self->t, &self->maps, &anonymous, "x", &s, &e), -ENOENT);
}

/* ---- where a file is in memory ---- */
static struct target_maps maps_of(const char *text)
{
    struct target_maps m = {0};
    arena_init(&m.arena, 1 << 20);
    assert_int_equal(maps_parse(&m, text, strlen(text), ""), 0);
    return m;
}

static const struct elf_segment unaligned[] = {
    /* As GNU ld lays out a PIE without -z separate-code: text ends and data starts in the same page of the
       file. */
    {.address = 0x0, .offset = 0x0, .file_size = 0x2345, .memory_size = 0x2345, .executable = true},
    {.address = 0x3db0, .offset = 0x2db0, .file_size = 0x500, .memory_size = 0x3000, .writable = true},
};

static void computes_the_bias_of_any_part(void **state)
{
    (void)state;
    struct target_maps m = maps_of("555500000000-555500003000 r-xp 00000000 08:01 9 /bin/p\n"
                                   "555500003000-555500004000 r--p 00002000 08:01 9 /bin/p\n"
                                   "555500004000-555500005000 rw-p 00003000 08:01 9 /bin/p\n"
                                   "7f0000000000-7f0000001000 r--p 00002000 08:01 8 /bin/other\n");
    for (size_t i = 0; i < 3; i++) {
        uint64_t bias = 1;
        assert_int_equal(image_bias(unaligned, 2, false, &m, &m.items[i], &bias), 0);
        assert_true(bias == 0x555500000000);
    }
    uint64_t bias = 1;
    assert_int_equal(image_bias(unaligned, 2, true, &m, &m.items[0], &bias), -ENOENT); /* an ET_EXEC does not move */
    assert_true(bias == 1);
    target_maps_release(&m);
}

static void tells_two_copies_of_one_file_apart(void **state)
{
    (void)state;
    struct target_maps m = maps_of("7f0000000000-7f0000003000 r-xp 00000000 08:01 9 /lib/p\n"
                                   "7f0000003000-7f0000005000 rw-p 00002000 08:01 9 /lib/p\n"
                                   "7f0000010000-7f0000013000 r-xp 00000000 08:01 9 /lib/p\n"
                                   "7f0000013000-7f0000015000 rw-p 00002000 08:01 9 /lib/p\n");
    static const uint64_t expected[] = {0x7f0000000000, 0x7f0000000000, 0x7f0000010000, 0x7f0000010000};
    for (size_t i = 0; i < 4; i++) {
        uint64_t bias = 0;
        assert_int_equal(image_bias(unaligned, 2, false, &m, &m.items[i], &bias), 0);
        assert_true(bias == expected[i]);
    }
    target_maps_release(&m);
}

static void knows_prelinked_and_fixed_images(void **state)
{
    (void)state;
    static const struct elf_segment prelinked[] = {
        {.address = 0x3a00000000, .offset = 0, .file_size = 0x1000, .memory_size = 0x1000, .executable = true},
        {.address = 0x3a00201e10, .offset = 0x1e10, .file_size = 0x200, .memory_size = 0x200, .writable = true},
    };
    static const struct elf_segment fixed[] = {
        {.address = 0x400000, .offset = 0, .file_size = 0x1000, .memory_size = 0x1000},
        {.address = 0x401000, .offset = 0x1000, .file_size = 0x1000, .memory_size = 0x1000, .executable = true},
    };
    struct target_maps at_home = maps_of("3a00000000-3a00001000 r-xp 00000000 08:01 9 /lib/p\n"
                                         "3a00201000-3a00203000 rw-p 00001000 08:01 9 /lib/p\n");
    struct target_maps moved = maps_of("7f0000000000-7f0000001000 r-xp 00000000 08:01 9 /lib/p\n"
                                       "7f0000201000-7f0000203000 rw-p 00001000 08:01 9 /lib/p\n");
    struct target_maps exec = maps_of("400000-401000 r--p 00000000 08:01 9 /bin/p\n"
                                      "401000-402000 r-xp 00001000 08:01 9 /bin/p\n");
    uint64_t bias = 1;
    assert_int_equal(image_bias(prelinked, 2, false, &at_home, &at_home.items[1], &bias), 0);
    assert_true(bias == 0);
    assert_int_equal(image_bias(prelinked, 2, false, &moved, &moved.items[1], &bias), 0);
    assert_true(bias == 0x7f0000000000 - 0x3a00000000);
    assert_int_equal(image_bias(fixed, 2, true, &exec, &exec.items[1], &bias), 0);
    assert_true(bias == 0);
    target_maps_release(&at_home);
    target_maps_release(&moved);
    target_maps_release(&exec);
}

/* ---- files that lie ---- */
static uint8_t *load(const char *path, size_t *ret_size)
{
    struct buffer b;
    buffer_init(&b, 64u << 20);
    assert_int_equal(file_read_all(AT_FDCWD, path, &b), 0);
    *ret_size = b.size;
    return b.data;
}

static int as_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("elf", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, data, size), 0);
    return fd;
}

static void try_everything(int fd)
{
    struct elf_file f;
    struct elf_value v;
    if (elf_file_open(fd, &f) < 0)
        return;
    elf_file_symbol(&f, "elf_test_datum", &v);
    elf_file_symbol(&f, "no such symbol", &v);
    elf_file_section(&f, ".data", &v);
    elf_file_section(&f, NULL, &v);
    elf_file_dynamic_symbol(&f, "environ", &v);
    elf_file_close(&f);
}

static void survives_any_truncation(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = load("/proc/self/exe", &size);
    for (size_t part = 0; part < 300; part++) {
        size_t cut = part < 200 ? part * 7 : size - (size - 1400) * (part - 200) / 100;
        int fd = as_file(data, cut);
        try_everything(fd);
        close(fd);
    }
    free(data);
}

static void survives_lies_in_its_headers(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = load("/proc/self/exe", &size);
    Elf64_Ehdr h;
    memcpy(&h, data, sizeof(h));
    uint64_t random = 20240601;
    int fd = as_file(data, size);
    for (int round = 0; round < 3000; round++) {
        /* One field of a header table set to an extreme or to noise: ELF, program and section headers in
         * turn. */
        static const uint64_t extremes[] = {0, 1, 0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_MAX / 2, 0x1000};
        uint64_t value = round % 2 ? random_next(&random) : extremes[random_next(&random) % ARRAY_SIZE(extremes)];
        size_t width = (size_t)1 << random_next(&random) % 4;
        size_t base = round % 3 == 0 ? 16 : round % 3 == 1 ? h.e_phoff : h.e_shoff;
        size_t span = round % 3 == 0 ? 48 : round % 3 == 1 ? (size_t)h.e_phnum * 56 : (size_t)h.e_shnum * 64;
        size_t at = base + random_next(&random) % span;
        at -= at % width;
        if (at + width > size)
            continue;
        assert_int_equal(pwrite(fd, &value, width, (off_t)at), (ssize_t)width);
        try_everything(fd);
        assert_int_equal(pwrite(fd, data + at, width, (off_t)at), (ssize_t)width);
    }
    struct elf_file f;
    struct elf_value v;
    assert_int_equal(elf_file_open(fd, &f), 0); /* put back, it is sound again */
    assert_int_equal(elf_file_symbol(&f, "elf_test_datum", &v), 0);
    elf_file_close(&f);
    close(fd);
    free(data);
}

static void needs_no_section_headers(void **state)
{
    (void)state;
    Dl_info info;
    size_t size;
    void *known = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    assert_true(dladdr(known, &info) != 0);
    uint8_t *data = load(info.dli_fname, &size);
    Elf64_Ehdr h;
    memcpy(&h, data, sizeof(h));
    h.e_shoff = 0;
    h.e_shnum = h.e_shstrndx = 0;
    memcpy(data, &h, sizeof(h));
    int fd = as_file(data, size);
    struct elf_file f;
    struct elf_value v;
    assert_int_equal(elf_file_open(fd, &f), 0);
    assert_null(f.elf);
    assert_int_equal(elf_file_symbol(&f, "gnu_get_libc_version", &v), 0);
    assert_true(v.address == (uintptr_t)known - (uintptr_t)info.dli_fbase);
    assert_int_equal(elf_file_symbol(&f, "gnu_get_libc_versionx", &v), -ENOENT);
    elf_file_close(&f);
    close(fd);
    free(data);
}

static void refuses_other_machines_and_no_elf(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = load("/proc/self/exe", &size);
    struct elf_file f;
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 'x'}, {EI_CLASS, ELFCLASS32}, {EI_DATA, 3}, {16, ET_REL}, {16, ET_CORE}, {54, 1}};
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        uint8_t before = data[changes[i].at];
        data[changes[i].at] = changes[i].value;
        int fd = as_file(data, size);
        assert_int_equal(elf_file_open(fd, &f), -ENOEXEC);
        close(fd);
        data[changes[i].at] = before;
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_symbols_where_they_run),
        cmocka_unit_test(finds_symbols_of_a_shared_library),
        cmocka_unit_test(finds_sections_and_the_writable_span),
        cmocka_unit_test(says_what_is_missing_where),
        cmocka_unit_test(computes_the_bias_of_any_part),
        cmocka_unit_test(tells_two_copies_of_one_file_apart),
        cmocka_unit_test(knows_prelinked_and_fixed_images),
        cmocka_unit_test(survives_any_truncation),
        cmocka_unit_test(survives_lies_in_its_headers),
        cmocka_unit_test(needs_no_section_headers),
        cmocka_unit_test(refuses_other_machines_and_no_elf),
    };
    return cmocka_run_group_tests(tests, open_self, close_self);
}
