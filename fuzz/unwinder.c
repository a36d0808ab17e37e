/*
 * The unwinder on arbitrary memory. An input is one byte for the version, eight for the address of _PyRuntime, then
 * pieces of memory: eight bytes of address, four of size, the bytes. What is not there cannot be read. 3.13+ reads its
 * layout from the image as well, and asyncio's offsets (3.14+) from the last piece. The functions of the target room
 * that the python room calls are played here.
 */
#include "python/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES_MAX = 4096, SAMPLES = 4 };

static struct {
    uint64_t address;
    uint32_t size;
    const uint8_t *bytes;
} pieces[PIECES_MAX];
static size_t piece_count;
static uint64_t reads;

int target_read(const struct target *t, uint64_t address, void *into, size_t size)
{
    (void)t;
    if (++reads > 200000)
        return -ESRCH;
    for (uint8_t *to = into; size > 0;) {
        size_t i = 0, part;
        while (i < piece_count && address - pieces[i].address >= pieces[i].size)
            i++;
        if (i == piece_count)
            return -EFAULT;
        part = pieces[i].size - (size_t)(address - pieces[i].address);
        part = part < size ? part : size;
        memcpy(to, pieces[i].bytes + (address - pieces[i].address), part);
        to += part;
        address += part;
        size -= part;
    }
    return 0;
}

ssize_t target_readv(
    const struct target *t, const struct iovec *local, size_t locals, const struct iovec *remote, size_t remotes)
{
    ssize_t got = 0;

    size_t into = 0, from = 0; /* bytes of *local and *remote that are done */

    while (locals && remotes) {
        size_t part = local->iov_len - into < remote->iov_len - from ? local->iov_len - into : remote->iov_len - from;
        int r = target_read(t, (uint64_t)(uintptr_t)remote->iov_base + from, (uint8_t *)local->iov_base + into, part);
        if (r == -ESRCH)
            return r;
        if (r < 0)
            return got ? got : r;
        got += (ssize_t)part;
        into += part;
        from += part;
        if (into == local->iov_len)
            local++, locals--, into = 0;
        if (from == remote->iov_len)
            remote++, remotes--, from = 0;
    }
    return got;
}

pid_t target_pid(const struct target *t)
{
    (void)t;
    return 1;
}

pid_t target_thread_number(const struct target *t, pid_t own)
{
    (void)t;
    return own & 1 ? own : 0;
}

static struct target_map extension = {.start = 4096, .end = 8192, .inode = 1, .path = "/_asyncio.fuzz"};

int target_maps_read(const struct target *t, struct target_maps *ret, struct error *e)
{
    (void)t;
    (void)e;
    *ret = (struct target_maps){.items = &extension, .count = 1};
    return 0;
}

void target_maps_release(struct target_maps *m)
{
    (void)m;
}

int target_find_symbol(const struct target *t, const struct target_maps *maps, const struct target_map *map,
    const char *name, struct target_symbol *ret, struct error *e)
{
    (void)t;
    (void)maps;
    (void)map;
    (void)name;
    (void)ret;
    return error_set(e, ENOENT, "no symbols here");
}

int target_find_section(const struct target *t, const struct target_maps *maps, const struct target_map *map,
    const char *name, struct target_symbol *ret, struct error *e)
{
    (void)t;
    (void)maps;
    (void)map;
    if (piece_count == 0 || strcmp(name, ".AsyncioDebug") != 0)
        return error_set(e, ENOENT, "no section here");
    *ret = (struct target_symbol){.address = pieces[piece_count - 1].address, .size = pieces[piece_count - 1].size};
    return 0;
}

static void tasks_all(struct python_process *p)
{
    struct python_tasks tasks;
    struct python_location location;

    if (python_tasks_read(p, &tasks) < 0)
        return;
    for (size_t i = 0; i < tasks.count; i++) {
        const struct python_task *t = &tasks.items[i];
        if (t->loop >= tasks.loop_count || (t->awaits_task != UINT32_MAX && t->awaits_task >= tasks.count))
            abort();
        for (size_t k = 0; k < t->awaited_by_count; k++)
            if (t->awaited_by[k] >= tasks.count)
                abort();
        for (size_t d = 0; d < t->depth; d++) {
            if (!python_code(p, t->frames[d].code))
                abort();
            python_code_location(p, t->frames[d].code, t->frames[d].at, &location);
        }
    }
    python_tasks_release(&tasks);
}

static void sample_all(struct python_process *p)
{
    struct python_sample sample;
    struct python_location location;
    struct buffer name;

    for (int k = 0; k < SAMPLES; k++) {
        if (python_sample(p, &sample) < 0)
            continue;
        for (size_t i = 0; i < sample.count; i++) {
            pid_t tid = 0;
            buffer_init(&name, 65536);
            (void)python_thread_name(p, &sample.threads[i], &name, &tid);
            buffer_release(&name);
            uint32_t task = python_running_task(p, &sample.threads[i]);
            if (task && !python_code(p, python_running(p, task).code))
                abort();
            for (size_t d = 0; d < sample.threads[i].depth; d++) {
                if (!python_code(p, sample.threads[i].frames[d].code))
                    abort(); /* an id that names nothing */
                python_code_location(p, sample.threads[i].frames[d].code, sample.threads[i].frames[d].at, &location);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = {.at = data, .end = data + size};
    struct python_layout layout;
    struct python_process *p;
    struct error e;

    uint16_t version = (uint16_t)(0x0300 | (8 + reader_byte(&r) % 8));
    struct python_found found = {.runtime = reader_le64(&r), .version = version, .by = "fuzz"};
    reads = piece_count = 0;
    while (piece_count < PIECES_MAX && r.at < r.end && !r.failed) {
        pieces[piece_count].address = reader_le64(&r);
        uint32_t want = reader_le32(&r), left = (uint32_t)(r.end - r.at);
        pieces[piece_count].size = want < left ? want : left;
        pieces[piece_count].bytes = reader_bytes(&r, pieces[piece_count].size);
        if (!r.failed)
            piece_count++;
    }
    const struct python_layout *table = python_layout_table(version);
    if (table) {
        layout = *table;
    } else {
        uint8_t published[1024];
        if (target_read(NULL, found.runtime, published, sizeof(published)) < 0 ||
            python_layout_from_debug_offsets(published, sizeof(published), &layout, &e) < 0)
            return 0;
    }
    if (process_new(NULL, &found, &layout, &p, &e) < 0)
        return 0;
    sample_all(p);
    tasks_all(p);
    python_close(p);
    return 0;
}
