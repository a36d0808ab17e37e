#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP ((size_t)64 << 10)

static int read_to_end(int fd, struct buffer *into)
{
    for (;;) {
        size_t room = into->max - into->size;
        unsigned char probe; /* at the maximum, one byte more tells "just fits" from "too big" */
        void *place = &probe;
        size_t step = 1;
        if (room > 0) {
            step = room < READ_STEP ? room : READ_STEP;
            int result = buffer_reserve(into, step);
            if (result < 0)
                return result;
            place = into->data + into->size;
        }
        ssize_t n = read(fd, place, step);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        if (room == 0)
            return -EFBIG;
        into->size += (size_t)n;
    }
}

/* All that is left of fd, or nothing. */
static int append_to_end(int fd, struct buffer *into)
{
    size_t before = into->size;
    int result = read_to_end(fd, into);
    if (result < 0)
        into->size = before;
    return result;
}

int file_read_all(int dirfd, const char *path, struct buffer *into)
{
    if (into->failed)
        return -ENOMEM;
    CLEANUP(fd_close) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    return append_to_end(fd, into);
}

int file_read_plain(int dirfd, const char *path, struct buffer *into)
{
    struct stat is;
    if (into->failed)
        return -ENOMEM;
    CLEANUP(fd_close) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ELOOP ? -EMEDIUMTYPE : -errno;
    if (fstat(fd, &is) < 0 || !S_ISREG(is.st_mode))
        return -EMEDIUMTYPE;
    return append_to_end(fd, into);
}

ssize_t file_read_at(int fd, void *into, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, (uint8_t *)into + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int file_write_all(int fd, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO; /* a device that takes nothing and says nothing would keep us here forever */
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

void fd_close(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    close(*fd);
    *fd = -1;
    errno = saved;
}

void free_pointer(void *pointer_to_pointer)
{
    void *pointer;
    memcpy(&pointer, pointer_to_pointer, sizeof pointer);
    free(pointer);
    pointer = NULL;
    memcpy(pointer_to_pointer, &pointer, sizeof pointer);
}
