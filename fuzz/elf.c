/* Any bytes as an ELF file of a target: no read outside of it, no unbounded work, no value outside of what it
 * loads. */
#include "target/inside.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct elf_file *f, const struct elf_value *v)
{
    for (size_t i = 0; i < f->load_count; i++)
        if (v->address >= f->loads[i].address && v->address - f->loads[i].address < f->loads[i].memory_size &&
            v->size <= f->loads[i].memory_size - (v->address - f->loads[i].address))
            return;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"_PyRuntime", "environ", "", "Py_Version"};
    static int fd = -1;
    struct elf_file f;
    struct elf_value v;

    if (fd < 0)
        fd = memfd_create("elf", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        return 0;
    if (elf_file_open(fd, &f) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (elf_file_symbol(&f, names[i], &v) == 0)
            check(&f, &v);
        if (elf_file_dynamic_symbol(&f, names[i], &v) == 0)
            check(&f, &v);
    }
    if (elf_file_section(&f, ".PyRuntime", &v) == 0)
        check(&f, &v);
    elf_file_section(&f, NULL, &v);

    /* And where it would be in memory, by maps that fit its first segment. */
    struct target_map items[2] = {
        {.start = 0x7f0000000000, .end = 0x7f0000100000, .inode = 1, .path = "/x", .executable = true},
        {.start = 0x7f0000100000, .end = 0x7f0000200000, .offset = 0x100000, .inode = 1, .path = "/x"},
    };
    struct target_maps maps = {.items = items, .count = 2};
    uint64_t bias;
    image_bias(f.loads, f.load_count, f.fixed, &maps, &items[1], &bias);
    elf_file_close(&f);
    return 0;
}
