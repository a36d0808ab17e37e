#include "target/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_FILES_MAX 64
#define CACHE_ANSWERS_MAX 8
#define CACHE_NAME_MAX 64

/*
 * What was found in files that were opened before: children mostly run the same ones. It belongs to the
 * program and not to a target, since it outlives each, and so has the room's only lock. Bounded: the oldest
 * file goes.
 */
struct cached_answer {
    char name[CACHE_NAME_MAX];
    bool section;
    int result;
    struct elf_value value;
};
struct cached_file {
    struct stat stat;
    uint64_t used; /* 0: free */
    bool fixed;
    struct elf_segment loads[ELF_LOADS_MAX];
    size_t load_count;
    struct cached_answer answers[CACHE_ANSWERS_MAX];
    size_t answer_count;
};
static struct {
    pthread_mutex_t lock;
    struct cached_file *files[CACHE_FILES_MAX];
    uint64_t clock;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

static struct cached_file *cache_find(const struct stat *stat)
{
    for (size_t i = 0; i < CACHE_FILES_MAX; i++)
        if (cache.files[i] && same_file(&cache.files[i]->stat, stat))
            return cache.files[i];
    return NULL;
}

static struct cached_file *cache_add(const struct stat *stat, const struct elf_file *elf)
{
    size_t oldest = 0;
    for (size_t i = 0; i < CACHE_FILES_MAX; i++) {
        if (!cache.files[i]) {
            cache.files[i] = malloc(sizeof(*cache.files[i]));
            oldest = i;
            break;
        }
        if (cache.files[i]->used < cache.files[oldest]->used)
            oldest = i;
    }
    struct cached_file *file = cache.files[oldest];
    if (!file)
        return NULL;
    *file = (struct cached_file){.stat = *stat, .fixed = elf->fixed, .load_count = elf->load_count};
    memcpy(file->loads, elf->loads, elf->load_count * sizeof(elf->loads[0]));
    return file;
}

static struct cached_answer *cache_answer(struct cached_file *file, const char *name, bool section)
{
    for (size_t i = 0; i < file->answer_count; i++)
        if (file->answers[i].section == section && strcmp(file->answers[i].name, name) == 0)
            return &file->answers[i];
    return NULL;
}

/* With the cache's lock held: the answer for that name in the open file, and the file's segments. */
static int ask(int fd, const char *name, bool section, struct elf_value *ret, struct cached_file **ret_file)
{
    const char *key = name ? name : "";
    struct stat stat;
    if (fstat(fd, &stat) < 0)
        return -errno;
    struct cached_file *file = cache_find(&stat);
    struct cached_answer *answer = file ? cache_answer(file, key, section) : NULL;
    if (!answer) {
        struct elf_file elf;
        struct elf_value value = {0};
        int r = elf_file_open(fd, &elf);
        if (r < 0)
            return r;
        r = section ? elf_file_section(&elf, name, &value) : elf_file_symbol(&elf, name, &value);
        if (!file)
            file = cache_add(&stat, &elf);
        elf_file_close(&elf);
        if (!file)
            return -ENOMEM;
        size_t slot = file->answer_count < CACHE_ANSWERS_MAX ? file->answer_count++ : CACHE_ANSWERS_MAX - 1;
        answer = &file->answers[slot];
        *answer = (struct cached_answer){.section = section, .result = r, .value = value};
        memcpy(answer->name, key, strlen(key) + 1);
    }
    file->used = ++cache.clock;
    *ret = answer->value;
    *ret_file = file;
    return answer->result;
}

static uint64_t page_down(uint64_t value, uint64_t page)
{
    return value & ~(page - 1);
}

/* How many segments are where this bias says that they are: the file's first page of each, at its address. */
static unsigned bias_score(const struct elf_segment *loads, size_t count, uint64_t bias, uint64_t page,
    const struct target_maps *maps, const struct target_map *of)
{
    unsigned score = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t address = page_down(bias + loads[i].address, page);
        uint64_t offset = page_down(loads[i].offset, page);
        if (loads[i].file_size == 0)
            continue;
        for (size_t j = 0; j < maps->count; j++) {
            const struct target_map *m = &maps->items[j];
            if (address < m->start || address >= m->end || !maps_same_file(m, of))
                continue;
            if (m->offset + (address - m->start) == offset)
                score += m->executable == loads[i].executable ? 2 : 1;
            break;
        }
    }
    return score;
}

/*
 * The kernel and ld.so map the page that holds a segment's start (offset and address agree modulo the page),
 * so that map.start - map.offset = bias + address - offset in each of its parts, also after mprotect split
 * it. Neighbouring segments may share a page of the file, and one file may be loaded twice: each segment that
 * could have made this map proposes a bias, and the one under which most of the others are in place is it.
 */
int image_bias(const struct elf_segment *loads, size_t count, bool fixed, const struct target_maps *maps,
    const struct target_map *map, uint64_t *ret_bias)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    unsigned best = 0;
    uint64_t best_bias = 0;
    for (size_t i = 0; i < count; i++) {
        const struct elf_segment *s = &loads[i];
        if (s->file_size == 0 || map->offset < page_down(s->offset, page) || map->offset >= s->offset + s->file_size)
            continue;
        uint64_t bias = (map->start - map->offset) - (s->address - s->offset);
        if (bias % page != 0 || (fixed && bias != 0))
            continue;
        unsigned score = bias_score(loads, count, bias, page, maps, map);
        if (score > best) {
            best = score;
            best_bias = bias;
        }
    }
    if (best == 0)
        return -ENOENT;
    *ret_bias = best_bias;
    return 0;
}

static int find(const struct target *t, const struct target_maps *maps, const struct target_map *map, const char *name,
    bool section, struct target_symbol *ret, struct error *e)
{
    CLEANUP(fd_close) int fd = -1;
    struct elf_value value = {0};
    struct cached_file *file = NULL;
    uint64_t bias = 0;
    if (name && strlen(name) >= CACHE_NAME_MAX)
        return error_set(e, EINVAL, "the name %.64s... is too long to look for", name);
    int r = target_open_mapped(t, map, &fd);
    if (r == -ESTALE)
        return error_set(e, ESTALE,
            "%s was replaced on disk after process %d had started: restart the process, or "
            "run pitviper as root, to read what is mapped",
            map->path, (int)t->pid);
    if (r < 0)
        return error_set(e, -r, "cannot open %s of process %d: %s", map->path, (int)t->pid, strerror(-r));
    pthread_mutex_lock(&cache.lock);
    r = ask(fd, name, section, &value, &file);
    if (r == 0 && file)
        r = image_bias(file->loads, file->load_count, file->fixed, maps, map, &bias);
    pthread_mutex_unlock(&cache.lock);
    if (r == -ENOENT)
        return error_set(
            e, ENOENT, "%s has no %s %s", map->path, section ? "section" : "symbol", name ? name : "that is writable");
    if (r == -ENOEXEC)
        return error_set(e, ENOEXEC, "%s is not an ELF file of this machine's kind", map->path);
    if (r < 0)
        return error_set(e, -r, "cannot read %s of process %d: %s", map->path, (int)t->pid, strerror(-r));
    *ret = (struct target_symbol){.address = value.address + bias, .size = value.size};
    return 0;
}

int target_find_symbol(const struct target *t, const struct target_maps *maps, const struct target_map *map,
    const char *name, struct target_symbol *ret, struct error *e)
{
    return find(t, maps, map, name, false, ret, e);
}

int target_find_section(const struct target *t, const struct target_maps *maps, const struct target_map *map,
    const char *name, struct target_symbol *ret, struct error *e)
{
    return find(t, maps, map, name, true, ret, e);
}
