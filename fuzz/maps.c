/* Any bytes as /proc/PID/maps: what comes out is ordered, not empty, and its paths are text. */
#include "target/inside.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_maps maps = {0};
    struct proc_stat stat;
    char state;
    int processor;
    /* The first byte chooses the root of the process. */
    const char *root = size > 0 && data[0] % 2 ? "/srv/jail" : "";

    arena_init(&maps.arena, TARGET_MAPS_BYTES_MAX);
    if (maps_parse(&maps, (const char *)data, size, root) == 0) {
        uint64_t last = 0;
        for (size_t i = 0; i < maps.count; i++) {
            const struct target_map *m = &maps.items[i];
            if (m->start < last || m->end <= m->start || strlen(m->path) > size)
                abort();
            last = m->end;
            if (!maps_same_file(m, m) && (m->inode != 0 || m->path[0] == '/'))
                abort();
        }
    }
    target_maps_release(&maps);
    proc_stat_parse((const char *)data, size, &stat);
    proc_stat_parse_state((const char *)data, size, &state, &processor);
    return 0;
}
