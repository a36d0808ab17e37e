/* Feeds the answer framing a stream cut at every place that the input names, and whole: both must say the same. */
#include "sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t step = 1u + data[0];
    data++;
    size--;
    struct answer whole, pieces;
    answer_init(&whole, 4096);
    answer_init(&pieces, 4096);
    int r = answer_feed(&whole, data, size, 1), last = 0;
    for (size_t at = 0; at < size && last == 0; at += step)
        last = answer_feed(&pieces, data + at, size - at < step ? size - at : step, 1);
    EXPECT(r == last && whole.kind == pieces.kind && whole.broken == pieces.broken);
    EXPECT(whole.payload.size == pieces.payload.size && whole.payload.size <= 4096);
    EXPECT(whole.payload.size == 0 || memcmp(whole.payload.data, pieces.payload.data, whole.payload.size) == 0);
    EXPECT(whole.progress_count == pieces.progress_count && whole.digests.size == pieces.digests.size);
    for (size_t i = 0; i < whole.progress_count; i++)
        EXPECT(whole.progress[i].offset + whole.progress[i].size <= whole.digests.size);
    answer_release(&whole);
    answer_release(&pieces);
    return 0;
}
