/* Feeds any bytes, with their checksums put right, to a followed profile in pieces, and looks at it in between. */
#include "profile/profile.h"

#include "put_right.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static void look(struct profile_follow *f, uint64_t window_ns)
{
    struct profile_view v;
    EXPECT(profile_follow_view(f, window_ns, &v) == 0);
    uint64_t self = 0;
    for (size_t i = 0; i < v.p->function_count; i++) {
        EXPECT(v.p->functions[i].total.y <= v.p->hits);
        self += v.p->functions[i].self.y;
    }
    EXPECT(self == v.p->hits && v.p->nodes[0].total == v.p->hits);
    for (size_t i = 0; i < v.p->thread_count; i++)
        EXPECT(v.now[i].node < v.p->node_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 16)
        return 0;
    uint8_t *copy = malloc(size);
    struct profile_follow *f = NULL;
    struct profile_options options = {
        .mode = data[0] % 3, .thread = data[0] & 64 ? "Main" : NULL, .pid = data[0] & 128 ? 7 : 0};
    size_t piece = 1 + data[0] % 64u * 8u;
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    put_right(copy, size);
    copy[0] = 0x8b; /* the first byte of the magic chooses the view and the pieces */
    put_le32(copy + 12, crc32c(0, copy, 12));
    EXPECT(profile_follow_new("x", &options, &f) == 0);
    for (size_t at = 0; at < size; at += piece) {
        if (profile_follow_feed(f, copy + at, size - at < piece ? size - at : piece, NULL) < 0)
            break;
        if (at / piece % 8 == 7)
            look(f, at % 3 == 0 ? 1000000000 : PROFILE_SINCE_START);
    }
    look(f, PROFILE_SINCE_START);
    look(f, 2000000000);
    profile_follow_free(f);
    free(copy);
    return 0;
}
