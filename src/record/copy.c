/* A recording cut out of one that is still growing. */
#include "record/format.h"
#include "record/inside.h"
#include "record/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int record_copy(int from, int to)
{
    CLEANUP(buffer_release) struct buffer chunk;
    uint8_t head[FORMAT_HEADER_SIZE], end[FORMAT_CHUNK_HEADER];
    uint32_t sequence = 0;
    buffer_init(&chunk, FORMAT_CHUNK_MAX + FORMAT_CHUNK_HEADER);
    ssize_t n = file_read_at(from, head, sizeof(head), 0);
    if (n < 0)
        return (int)n;
    if ((size_t)n < sizeof(head) || memcmp(head, format_magic, sizeof(format_magic)) != 0)
        return -EINVAL;
    int r = buffer_reserve(&chunk, chunk.max);
    if (r == 0)
        r = file_write_all(to, head, sizeof(head));
    for (uint64_t at = sizeof(head); r == 0;) {
        n = file_read_at(from, chunk.data, FORMAT_CHUNK_HEADER, at);
        if (n < FORMAT_CHUNK_HEADER || chunk.data[0] == FORMAT_CHUNK_END)
            break;
        struct reader fields = {.at = chunk.data + 4, .end = chunk.data + FORMAT_CHUNK_HEADER};
        size_t size = reader_le32(&fields);
        if (reader_le32(&fields) != sequence || size > FORMAT_CHUNK_MAX)
            break; /* damaged: what came before is what there is */
        n = file_read_at(from, chunk.data + FORMAT_CHUNK_HEADER, size, at + FORMAT_CHUNK_HEADER);
        if (n < 0 || (size_t)n < size)
            break;
        r = file_write_all(to, chunk.data, FORMAT_CHUNK_HEADER + size);
        at += FORMAT_CHUNK_HEADER + size;
        sequence++;
    }
    output_end(end, sequence);
    return r < 0 ? r : file_write_all(to, end, sizeof(end));
}
