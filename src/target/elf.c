#include "target/inside.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_BYTE_ORDER ELFDATA2LSB
#else
#define OUR_BYTE_ORDER ELFDATA2MSB
#endif

static bool inside(uint64_t offset, uint64_t size, uint64_t total)
{
    return offset <= total && size <= total - offset;
}

bool elf_read(int fd, void *into, size_t size, uint64_t offset)
{
    return file_read_at(fd, into, size, offset) == (ssize_t)size;
}

/*
 * libelf allocates as many sections as the header claims before it looks at one of them (file_read_elf,
 * elf_begin.c), so the claim is held against the file's size first. Its section count is in section 0 when it
 * does not fit.
 */
static int check_header(int fd, uint64_t size, bool *ret_sections)
{
    Elf64_Ehdr h;
    if (size < sizeof(h) || !elf_read(fd, &h, sizeof(h), 0) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
        return -ENOEXEC;
    if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != OUR_BYTE_ORDER ||
        (h.e_type != ET_EXEC && h.e_type != ET_DYN))
        return -ENOEXEC;
    if (h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phnum == PN_XNUM ||
        !inside(h.e_phoff, (uint64_t)h.e_phnum * sizeof(Elf64_Phdr), size))
        return -ENOEXEC;
    *ret_sections = false;
    if (h.e_shoff == 0)
        return 0;
    Elf64_Shdr zero;
    if (h.e_shentsize != sizeof(Elf64_Shdr) || !inside(h.e_shoff, sizeof(zero), size) ||
        !elf_read(fd, &zero, sizeof(zero), h.e_shoff))
        return 0; /* no sections to speak of: the program headers are what the process runs by */
    uint64_t count = h.e_shnum ? h.e_shnum : zero.sh_size;
    *ret_sections = count > 0 && count <= ELF_SECTIONS_MAX && inside(h.e_shoff, count * sizeof(Elf64_Shdr), size);
    return 0;
}

static int read_segments(int fd, struct elf_file *f)
{
    Elf64_Ehdr h;
    if (!elf_read(fd, &h, sizeof(h), 0))
        return -ENOEXEC;
    f->fixed = h.e_type == ET_EXEC;
    for (unsigned i = 0; i < h.e_phnum; i++) {
        Elf64_Phdr p;
        if (!elf_read(fd, &p, sizeof(p), h.e_phoff + (uint64_t)i * sizeof(p)))
            return -ENOEXEC;
        if (p.p_type == PT_DYNAMIC) {
            f->dynamic_offset = p.p_offset;
            f->dynamic_size = p.p_filesz;
        }
        if (p.p_type != PT_LOAD || p.p_memsz == 0)
            continue;
        if (p.p_filesz > p.p_memsz || p.p_vaddr + p.p_memsz < p.p_vaddr || p.p_offset + p.p_filesz < p.p_offset ||
            f->load_count == ELF_LOADS_MAX)
            return -ENOEXEC;
        f->loads[f->load_count++] = (struct elf_segment){
            .address = p.p_vaddr,
            .offset = p.p_offset,
            .file_size = p.p_filesz,
            .memory_size = p.p_memsz,
            .writable = (p.p_flags & PF_W) != 0,
            .executable = (p.p_flags & PF_X) != 0,
        };
    }
    return f->load_count > 0 ? 0 : -ENOEXEC;
}

int elf_file_open(int fd, struct elf_file *ret)
{
    struct stat stat;
    struct elf_file f = {.fd = fd};
    bool sections;
    if (fstat(fd, &stat) < 0)
        return -errno;
    if (!S_ISREG(stat.st_mode) || stat.st_size <= 0)
        return -ENOEXEC;
    f.size = (uint64_t)stat.st_size;
    int r = check_header(fd, f.size, &sections);
    if (r == 0)
        r = read_segments(fd, &f);
    if (r < 0)
        return r;
    if (sections && elf_version(EV_CURRENT) != EV_NONE) {
        /* Not mapped: a file that shrinks under a map ends the reader by SIGBUS. NULL leaves us with the
         * segments. */
        f.elf = elf_begin(fd, ELF_C_READ, NULL);
    }
    *ret = f;
    return 0;
}

void elf_file_close(struct elf_file *f)
{
    if (f->elf)
        elf_end(f->elf);
    f->elf = NULL;
}

int elf_take_value(const struct elf_file *f, uint64_t address, uint64_t size, struct elf_value *ret)
{
    for (size_t i = 0; i < f->load_count; i++) {
        const struct elf_segment *s = &f->loads[i];
        if (address < s->address || address - s->address >= s->memory_size)
            continue;
        uint64_t room = s->memory_size - (address - s->address);
        *ret = (struct elf_value){.address = address, .size = size < room ? size : room};
        return 0;
    }
    return -ENOENT;
}

static Elf_Data *section_data(const struct elf_file *f, Elf_Scn *scn, const GElf_Shdr *header)
{
    if (header->sh_type == SHT_NOBITS || header->sh_size == 0 || header->sh_size > ELF_TABLE_BYTES_MAX ||
        (header->sh_flags & SHF_COMPRESSED) || !inside(header->sh_offset, header->sh_size, f->size))
        return NULL;
    return elf_getdata(scn, NULL);
}

static bool name_is(const Elf_Data *strings, uint64_t at, const char *name, size_t length)
{
    return inside(at, length + 1, strings->d_size) && memcmp((const char *)strings->d_buf + at, name, length + 1) == 0;
}

static bool names_memory(const GElf_Sym *symbol)
{
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
           (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC || type == STT_COMMON);
}

static int search_table(struct elf_file *f, unsigned kind, const char *name, struct elf_value *ret)
{
    size_t length = strlen(name);
    unsigned tables = 0;
    for (Elf_Scn *scn = elf_nextscn(f->elf, NULL); scn; scn = elf_nextscn(f->elf, scn)) {
        GElf_Shdr header, strings_header;
        if (!gelf_getshdr(scn, &header) || header.sh_type != kind)
            continue;
        if (++tables > ELF_TABLES_MAX)
            break;
        Elf_Scn *strings_scn = elf_getscn(f->elf, header.sh_link);
        if (!strings_scn || !gelf_getshdr(strings_scn, &strings_header) || strings_header.sh_type != SHT_STRTAB)
            continue;
        Elf_Data *symbols = section_data(f, scn, &header);
        Elf_Data *strings = section_data(f, strings_scn, &strings_header);
        if (!symbols || !strings || !symbols->d_buf || !strings->d_buf)
            continue;
        size_t count = symbols->d_size / sizeof(Elf64_Sym);
        for (size_t i = 1; i < count && i < INT32_MAX; i++) {
            GElf_Sym symbol;
            if (!gelf_getsym(symbols, (int)i, &symbol))
                break;
            if (name_is(strings, symbol.st_name, name, length) && names_memory(&symbol) &&
                elf_take_value(f, symbol.st_value, symbol.st_size, ret) == 0)
                return 0;
        }
    }
    return -ENOENT;
}

int elf_file_symbol(struct elf_file *f, const char *name, struct elf_value *ret)
{
    if (f->elf) {
        /* The dynamic table first: CPython exports its runtime there (PyAPI_DATA,
         * Include/internal/pycore_runtime.h), and it is a tenth of the size of the other. */
        if (search_table(f, SHT_DYNSYM, name, ret) == 0)
            return 0;
        if (search_table(f, SHT_SYMTAB, name, ret) == 0)
            return 0;
    }
    return elf_file_dynamic_symbol(f, name, ret);
}

static int writable_span(const struct elf_file *f, struct elf_value *ret)
{
    uint64_t from = UINT64_MAX, to = 0;
    for (size_t i = 0; i < f->load_count; i++) {
        const struct elf_segment *s = &f->loads[i];
        if (!s->writable)
            continue;
        if (s->address < from)
            from = s->address;
        if (s->address + s->memory_size > to)
            to = s->address + s->memory_size;
    }
    if (from >= to)
        return -ENOENT;
    *ret = (struct elf_value){.address = from, .size = to - from};
    return 0;
}

int elf_file_section(struct elf_file *f, const char *name, struct elf_value *ret)
{
    size_t names_index;
    GElf_Shdr names_header;
    if (!name)
        return writable_span(f, ret);
    if (!f->elf || elf_getshdrstrndx(f->elf, &names_index) != 0)
        return -ENOENT;
    Elf_Scn *names_scn = elf_getscn(f->elf, names_index);
    if (!names_scn || !gelf_getshdr(names_scn, &names_header))
        return -ENOENT;
    Elf_Data *names = section_data(f, names_scn, &names_header);
    if (!names || !names->d_buf)
        return -ENOENT;
    size_t length = strlen(name);
    for (Elf_Scn *scn = elf_nextscn(f->elf, NULL); scn; scn = elf_nextscn(f->elf, scn)) {
        GElf_Shdr header;
        if (gelf_getshdr(scn, &header) && (header.sh_flags & SHF_ALLOC) && !(header.sh_flags & SHF_TLS) &&
            name_is(names, header.sh_name, name, length) && elf_take_value(f, header.sh_addr, header.sh_size, ret) == 0)
            return 0;
    }
    return -ENOENT;
}
