/*
 * A file that is to stay under a size. When it is nearly full, a child of low priority writes what there is aside
 * without every second tick, while the recording goes on in the old file at half of the ticks. Then what came in the
 * meantime is appended, and the new file takes the old one's name. Until then the old one is whole.
 */
#include "record/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_SIZE (256u << 10)

/* ---- the child ---- */

static int on_meta(void *w, const char *key, const char *value)
{
    record_put_meta(w, key, value);
    return record_writer_failure(w);
}
static int on_process(void *w, const struct record_process *p)
{
    record_put_process(w, p);
    return record_writer_failure(w);
}
static int on_process_end(void *w, const struct record_process_end *p)
{
    record_put_process_end(w, p);
    return record_writer_failure(w);
}
static int on_thread(void *w, const struct record_thread *t)
{
    record_put_thread(w, t);
    return record_writer_failure(w);
}
static int on_thread_cpu(void *w, const struct record_thread_cpu *c)
{
    record_put_thread_cpu(w, c);
    return record_writer_failure(w);
}
static int on_code(void *w, const struct record_code *c)
{
    record_put_code(w, c);
    return record_writer_failure(w);
}
static int on_frame(void *w, const struct record_frame *f)
{
    record_put_frame(w, f);
    return record_writer_failure(w);
}
static int on_stack(void *w, uint32_t id, uint32_t parent, uint32_t frame)
{
    record_put_stack(w, id, parent, frame);
    return record_writer_failure(w);
}
static int on_state(void *w, uint32_t thread, uint32_t stack, uint32_t state)
{
    record_put_state(w, thread, stack, state);
    return record_writer_failure(w);
}
static int on_task(void *w, const struct record_task *t)
{
    record_put_task(w, t);
    return record_writer_failure(w);
}
static int on_thread_task(void *w, uint32_t thread, uint32_t task)
{
    record_put_thread_task(w, thread, task);
    return record_writer_failure(w);
}
static int on_tick(void *w, uint64_t time_ns)
{
    record_put_tick(w, time_ns);
    return record_writer_failure(w);
}
static int on_counters(void *w, const struct record_counters *c)
{
    record_put_counters(w, c);
    return record_writer_failure(w);
}
static int on_source(void *w, const char *path, const uint8_t digest[32], const uint8_t *text, size_t size, bool whole)
{
    record_put_source(w, path, digest, size > 0 || whole ? text : NULL, size, whole);
    return record_writer_failure(w);
}
static int on_restart(void *w)
{
    record_put_restart(w);
    return record_writer_failure(w);
}

static const struct record_events copy_events = {
    .meta = on_meta,
    .process = on_process,
    .process_end = on_process_end,
    .thread = on_thread,
    .thread_cpu = on_thread_cpu,
    .code = on_code,
    .frame = on_frame,
    .stack = on_stack,
    .state = on_state,
    .task = on_task,
    .thread_task = on_thread_task,
    .tick = on_tick,
    .counters = on_counters,
    .source = on_source,
    .restart = on_restart,
};

/* The first `size` bytes of the file behind fd, without every second tick. 0 or a negative errno. */
static int thin_file(int fd, uint64_t size, const char *aside, uint32_t *ret_sequence)
{
    struct record_writer *w = NULL;
    struct record_reader *g = NULL;
    uint8_t *bytes = malloc(READ_SIZE);
    int r = bytes == NULL ? -ENOMEM : record_writer_open(aside, &w, NULL);
    if (r == 0)
        r = record_reader_new("", &copy_events, w, &g);
    if (r == 0)
        record_writer_keep(w, 2);
    for (uint64_t at = 0; r == 0 && at < size;) {
        size_t wanted = size - at < READ_SIZE ? (size_t)(size - at) : READ_SIZE;
        ssize_t n = pread(fd, bytes, wanted, (off_t)at);
        if (n <= 0) {
            r = n < 0 && errno == EINTR ? 0 : n < 0 ? -errno : -EIO;
            continue;
        }
        r = record_reader_feed(g, bytes, (size_t)n, NULL);
        at += (uint64_t)n;
    }
    record_reader_free(g);
    free(bytes);
    int left = w != NULL ? record_writer_leave(w, ret_sequence) : 0;
    return r < 0 ? r : left;
}

static void child_run(const struct thin *t, int file, int answer)
{
    static const int not_ours[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT};
    uint32_t sequence = 0;
    for (size_t i = 0; i < ARRAY_SIZE(not_ours); i++)
        (void)signal(not_ours[i], SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (nice(19) < 0)
        errno = 0;
    int r = thin_file(file, t->size, t->aside, &sequence);
    if (r == 0)
        r = file_write_all(answer, &sequence, sizeof(sequence));
    _exit(r == 0 ? 0 : 1);
}

/* ---- the recording itself ---- */

void thin_release(struct thin *t)
{
    if (t->child > 0) {
        (void)kill(t->child, SIGKILL);
        while (waitpid(t->child, NULL, 0) < 0 && errno == EINTR)
            continue;
        (void)unlink(t->aside);
    }
    t->child = 0;
    fd_close(&t->answer);
    free(t->aside);
    t->aside = NULL;
}

int thin_start(struct thin *t, const struct output *o)
{
    char self[64];
    int ends[2];
    size_t room = strlen(o->path) + sizeof(THIN_SUFFIX);
    free(t->aside);
    t->aside = malloc(room);
    if (t->aside == NULL)
        return -ENOMEM;
    snprintf(t->aside, room, "%s" THIN_SUFFIX, o->path);
    snprintf(self, sizeof(self), "/proc/self/fd/%d", o->fd);
    CLEANUP(fd_close) int file = open(self, O_RDONLY | O_CLOEXEC);
    if (file < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    t->size = o->bytes;
    t->child = fork();
    if (t->child == 0)
        child_run(t, file, ends[1]);
    int failure = t->child < 0 ? -errno : 0;
    close(ends[1]);
    t->answer = ends[0];
    if (failure < 0) {
        t->child = 0;
        fd_close(&t->answer);
    }
    return failure;
}

/* What was written while the child was at work, with the sequence numbers that are due in the new file. */
static int append_rest(const struct thin *t, int from, uint64_t end, int to, uint32_t *sequence)
{
    CLEANUP(buffer_release) struct buffer chunk;
    buffer_init(&chunk, FORMAT_CHUNK_HEADER + FORMAT_CHUNK_MAX);
    int r = 0;
    for (uint64_t at = t->size; r == 0 && at < end;) {
        r = output_copy(from, at, &chunk);
        if (r < 0)
            return r;
        output_number(chunk.data, (*sequence)++);
        r = file_write_all(to, chunk.data, chunk.size);
        at += chunk.size;
    }
    return r;
}

/* The child has ended well: its file becomes the recording. */
static int take_over(struct thin *t, struct output *o, uint32_t sequence)
{
    char self[64];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", o->fd);
    CLEANUP(fd_close) int from = open(self, O_RDONLY | O_CLOEXEC);
    int to = open(t->aside, O_WRONLY | O_APPEND | O_CLOEXEC);
    int r = from < 0 || to < 0 ? -errno : 0;
    off_t rest = r == 0 ? lseek(to, 0, SEEK_END) : 0;
    if (r == 0)
        r = append_rest(t, from, o->bytes, to, &sequence);
    off_t end = r == 0 ? lseek(to, 0, SEEK_END) : 0;
    if (r == 0 && (rest < 0 || end < 0 || rename(t->aside, o->path) < 0))
        r = -errno;
    if (r < 0) {
        if (to >= 0)
            close(to);
        return r;
    }
    close(o->fd);
    o->fd = to;
    o->bytes = (uint64_t)end;
    o->restart_at = (uint64_t)rest;
    o->sequence = sequence;
    return 0;
}

int thin_poll(struct thin *t, struct output *o, bool wait)
{
    int status;
    uint32_t sequence;
    if (t->child == 0)
        return 0;
    pid_t ended;
    do
        ended = waitpid(t->child, &status, wait ? 0 : WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended == 0)
        return 0;
    t->child = 0;
    int r = -EIO;
    if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
        read(t->answer, &sequence, sizeof(sequence)) == (ssize_t)sizeof(sequence))
        r = take_over(t, o, sequence);
    if (r < 0)
        (void)unlink(t->aside);
    fd_close(&t->answer);
    return r;
}
