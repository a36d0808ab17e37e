/* wide_recording OUT STACKS: a recording of so many different stacks, one a tick, for the tests and the bench of the
 * page: a random tree, 8 threads, 20,000 functions. */
#include "record/record.h"

#include <stdio.h>
#include <stdlib.h>

enum { FUNCTIONS = 20000, FRAMES = 40000, THREADS = 8, DEEPEST = 60 };

static void put_frames(struct record_writer *w)
{
    char name[48], file[48];
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        snprintf(name, sizeof(name), "module_%u.function_%u", i % 300, i);
        snprintf(file, sizeof(file), "/app/module_%u.py", i % 300);
        record_put_code(
            w, &(struct record_code){.id = i, .qualname = name, .file = file, .first_line = i / 300 * 20 + 1});
    }
    for (uint32_t i = 0; i < FRAMES; i++) {
        uint32_t code = i % FUNCTIONS, line = code / 300 * 20 + 2 + i / FUNCTIONS;
        record_put_frame(w, &(struct record_frame){.id = i, .code = code, .line = line, .end_line = line});
    }
}

int main(int argc, char **argv)
{
    struct record_writer *w = NULL;
    struct error e;
    uint32_t stacks = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    uint8_t *depth = calloc((size_t)stacks + 1, 1);
    uint64_t random = 42, now = 1000000000;
    if (stacks == 0 || depth == NULL || record_writer_open(argv[1], &w, &e) < 0)
        return 2;
    record_put_meta(w, "command", "python wide.py");
    record_put_meta(w, "rate_hz", "1000");
    record_put_process(w, &(struct record_process){.pid = 100, .python = "3.13.0", .command = "python wide.py"});
    for (uint32_t i = 0; i < THREADS; i++) {
        char name[24];
        snprintf(name, sizeof(name), "worker-%u", i);
        record_put_thread(w, &(struct record_thread){.id = i, .tid = 100 + (int32_t)i, .name = name});
    }
    put_frames(w);
    for (uint32_t i = 1; i <= stacks; i++) {
        /* Half of them branch off one of the last thousand, so that the tree is deep as well as wide. */
        uint32_t near = i > 1000 && random_next(&random) % 2 == 0 ? i - 1000 : 0;
        uint32_t parent = near + (uint32_t)(random_next(&random) % (i - near));
        if (depth[parent] >= DEEPEST)
            parent = 0;
        depth[i] = (uint8_t)(depth[parent] + 1);
        record_put_stack(w, i, parent, (uint32_t)(random_next(&random) % FRAMES));
        uint32_t on = random_next(&random) % 3 > 0 ? RECORD_ON_CPU | RECORD_HAS_GIL : 0;
        record_put_state(w, i % THREADS, i, RECORD_PRESENT | on);
        record_put_tick(w, now += 900000 + random_next(&random) % 200000);
    }
    free(depth);
    return record_writer_close(w, &e) < 0;
}
