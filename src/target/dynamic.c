#include "target/inside.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

/* The tables that the dynamic loader itself uses. They are in the loaded segments, so no tool that leaves the
 * program working can strip them. Addresses are as linked. */
struct tables {
    uint64_t symbols, strings, strings_size, hash, gnu_hash;
};

/* Where `size` bytes of a linked address are in the file. */
static bool read_linked(const struct elf_file *f, uint64_t address, void *into, size_t size)
{
    for (size_t i = 0; i < f->load_count; i++) {
        const struct elf_segment *s = &f->loads[i];
        if (address < s->address || address - s->address >= s->file_size ||
            size > s->file_size - (address - s->address))
            continue;
        return elf_read(f->fd, into, size, s->offset + (address - s->address));
    }
    return false;
}

static bool read_tables(const struct elf_file *f, struct tables *ret)
{
    struct tables t = {0};
    uint64_t count = f->dynamic_size / sizeof(Elf64_Dyn);
    for (uint64_t i = 0; i < count && i < ELF_DYNAMIC_MAX; i++) {
        Elf64_Dyn d;
        if (!elf_read(f->fd, &d, sizeof(d), f->dynamic_offset + i * sizeof(d)) || d.d_tag == DT_NULL)
            break;
        switch (d.d_tag) {
        case DT_SYMTAB:
            t.symbols = d.d_un.d_ptr;
            break;
        case DT_STRTAB:
            t.strings = d.d_un.d_ptr;
            break;
        case DT_STRSZ:
            t.strings_size = d.d_un.d_val;
            break;
        case DT_HASH:
            t.hash = d.d_un.d_ptr;
            break;
        case DT_GNU_HASH:
            t.gnu_hash = d.d_un.d_ptr;
            break;
        default:
            break;
        }
    }
    *ret = t;
    return t.symbols && t.strings && (t.hash || t.gnu_hash);
}

static bool is_symbol(
    const struct elf_file *f, const struct tables *t, uint64_t index, const char *name, struct elf_value *ret)
{
    Elf64_Sym symbol;
    char found[256];
    size_t size = strlen(name) + 1;
    if (size > sizeof(found) || !read_linked(f, t->symbols + index * sizeof(symbol), &symbol, sizeof(symbol)))
        return false;
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || ELF64_ST_TYPE(symbol.st_info) == STT_TLS ||
        symbol.st_name > t->strings_size || size > t->strings_size - symbol.st_name)
        return false;
    if (!read_linked(f, t->strings + symbol.st_name, found, size) || memcmp(found, name, size) != 0)
        return false;
    return elf_take_value(f, symbol.st_value, symbol.st_size, ret) == 0;
}

/* The hash of the System V ABI, and the table {nbucket, nchain, buckets, chains}. */
static int search_hash(const struct elf_file *f, const struct tables *t, const char *name, struct elf_value *ret)
{
    uint32_t head[2], hash = 0, index;
    for (const char *c = name; *c; c++) {
        hash = (hash << 4) + (uint8_t)*c;
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    if (!read_linked(f, t->hash, head, sizeof(head)) || head[0] == 0)
        return -ENOENT;
    uint64_t at = t->hash + 8 + (uint64_t)(hash % head[0]) * 4;
    for (uint32_t i = 0; i < ELF_CHAIN_MAX; i++) {
        if (!read_linked(f, at, &index, sizeof(index)) || index == 0 || index >= head[1])
            return -ENOENT;
        if (is_symbol(f, t, index, name, ret))
            return 0;
        at = t->hash + 8 + ((uint64_t)head[0] + index) * 4;
    }
    return -ENOENT;
}

/* The GNU one: {nbucket, first symbol, bloom words, shift, bloom (64 bit), buckets, hash values}; the last
 * value of a bucket has its lowest bit set. The bloom filter only saves time, and is skipped. */
static int search_gnu_hash(const struct elf_file *f, const struct tables *t, const char *name, struct elf_value *ret)
{
    uint32_t head[4], hash = 5381, index, value;
    for (const char *c = name; *c; c++)
        hash = hash * 33 + (uint8_t)*c;
    if (!read_linked(f, t->gnu_hash, head, sizeof(head)) || head[0] == 0)
        return -ENOENT;
    uint64_t buckets = t->gnu_hash + 16 + (uint64_t)head[2] * 8;
    uint64_t values = buckets + (uint64_t)head[0] * 4;
    if (!read_linked(f, buckets + (uint64_t)(hash % head[0]) * 4, &index, sizeof(index)) || index < head[1])
        return -ENOENT;
    for (uint32_t i = 0; i < ELF_CHAIN_MAX; i++, index++) {
        if (!read_linked(f, values + ((uint64_t)index - head[1]) * 4, &value, sizeof(value)))
            return -ENOENT;
        if ((value | 1) == (hash | 1) && is_symbol(f, t, index, name, ret))
            return 0;
        if (value & 1)
            return -ENOENT;
    }
    return -ENOENT;
}

int elf_file_dynamic_symbol(const struct elf_file *f, const char *name, struct elf_value *ret)
{
    struct tables t;
    if (!read_tables(f, &t))
        return -ENOENT;
    if (t.gnu_hash && search_gnu_hash(f, &t, name, ret) == 0)
        return 0;
    return t.hash ? search_hash(f, &t, name, ret) : -ENOENT;
}
