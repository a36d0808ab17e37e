#include "cmd/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const session_modes[] = {"wall", "cpu", "gil", NULL};
volatile sig_atomic_t session_stop, session_cut;

enum { MAX_SIZE_LEAST = 1000000, LAST_LEAST_NS = 1000000000 };
#define MISSED_MUCH 0.1   /* of the ticks */
#define READING_MOST 0.15 /* of the time, where hardly any are */

static void cut(int number)
{
    (void)number;
    session_cut = 1;
}

int session_output_check(const char *path, bool *ret_regular, struct error *e)
{
    struct stat st;
    char magic[8] = "";

    *ret_regular = true;
    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0
                               : error_set(e, errno, "cannot write the recording to '%s': %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(e, EISDIR, "cannot write the recording to '%s': it is a folder; name a file with -o", path);
    *ret_regular = S_ISREG(st.st_mode);
    if (!*ret_regular || st.st_size == 0)
        return 0;
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || read(fd, magic, sizeof(magic)) != (ssize_t)sizeof(magic) || !memmem(magic, sizeof(magic), "PIT", 3))
        return error_set(e, EEXIST, "'%s' exists and is no recording: choose another name with -o, or remove it", path);
    return 0;
}

int session_path(struct session *s, const struct session_options *options, const char *name, struct error *e)
{
    const char *slash = strrchr(name, '/');
    const char *stem = slash ? slash + 1 : name;
    const char *dot = strrchr(stem, '.');

    memset(s, 0, sizeof(*s));
    s->options = options;
    if (options->output)
        snprintf(s->path, sizeof(s->path), "%s", options->output);
    else
        snprintf(s->path, sizeof(s->path), "%.*s.pit", dot && dot > stem ? (int)(dot - stem) : 200, stem);
    if (strcmp(s->path, "-") != 0) {
        int r = session_output_check(s->path, &s->seekable, e);
        if (r < 0)
            return r;
    }
    return 0;
}

int session_open(struct session *s, const struct session_options *options, const char *name, struct error *e)
{
    int r = session_path(s, options, name, e);
    if (r < 0)
        return r;
    if (options->last_ns > 0 && !s->seekable)
        return error_set(e, EINVAL, "--last needs a file: what went into a pipe or device cannot be dropped");
    if (options->last_ns > 0 && (options->max_size > 0 || options->last_ns < LAST_LEAST_NS))
        return error_set(e, EINVAL, "--last has to be at least 1s, and does not go with --max-size");
    if (options->max_size > 0 && !s->seekable)
        return error_set(e, EINVAL, "--max-size needs a file: what went into a pipe or device cannot be written anew");
    if (options->max_size > 0 && options->max_size < MAX_SIZE_LEAST)
        return error_set(e, EINVAL, "--max-size has to be at least 1M"); /* before a file is replaced */
    r = record_writer_open(s->path, &s->writer, e);
    if (r == 0 && options->max_size > 0) {
        r = record_writer_limit(s->writer, options->max_size, e);
        if (r < 0) {
            (void)record_writer_close(s->writer, NULL);
            s->writer = NULL;
        }
    }
    if (r == 0 && options->last_ns > 0) {
        struct sigaction action = {.sa_handler = cut, .sa_flags = SA_RESTART};
        r = record_writer_ring(s->writer, options->last_ns, e);
        (void)sigaction(SIGRTMIN, &action, NULL);
    }
    return r;
}

static void meta_put(struct session *s, struct target *target)
{
    char text[64];
    struct utsname host;
    struct buffer words, line;

    if (uname(&host) == 0)
        record_put_meta(s->writer, "host", host.nodename);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)s->options->rate);
    record_put_meta(s->writer, "rate_hz", text);
    record_put_meta(s->writer, "mode", session_modes[s->options->mode]);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)(clock_real_ns() / 1000000000));
    record_put_meta(s->writer, "started", text);
    buffer_init(&words, 8192);
    buffer_init(&line, 16384);
    (void)target_command(target, &words);
    for (size_t i = 0; i < words.size; i++)
        if (words.data[i] || i + 1 < words.size)
            buffer_append_byte(&line, words.data[i] ? words.data[i] : ' ');
    record_put_meta(s->writer, "command", buffer_text(&line));
    buffer_release(&words);
    buffer_release(&line);
}

/*
 * Where most ticks come while the last sample is still being read, the next one is taken as soon as that is done: what
 * takes longer to read is shown too rarely.
 */
static void rate_note(struct session *s, const struct record_counters *c)
{
    double read_ns = c->ticks_taken ? (double)c->read_ns / (double)c->ticks_taken : 0;
    double met = read_ns > 0 ? READING_MOST * 1e9 / read_ns : 0; /* Hz */
    double round = 1;
    char text[200];

    if (met <= 0 || met >= (double)s->options->rate || (double)c->ticks_missed < MISSED_MUCH * (double)c->ticks_due)
        return;
    while (round * 10 <= met)
        round *= 10;
    round *= met >= 5 * round ? 5 : met >= 2 * round ? 2 : 1;
    snprintf(text, sizeof(text),
        "samples were asked for faster than they can be read: what takes longer to read is shown too rarely, and the "
        "intervals do not have it; --rate %.0f would be met",
        round);
    record_put_meta(s->writer, "note.rate", text);
}

int session_sample(
    struct session *s, struct target *target, uint64_t wait_ns, struct sample_result *ret, struct error *e)
{
    struct sample_options options = {.rate_hz = (double)s->options->rate,
        .mode = (enum sample_mode)s->options->mode,
        .duration_ns = s->options->duration_ns,
        .children = s->options->children,
        .sources = s->options->sources,
        .thread = s->options->thread,
        .flush_ns = s->options->flush_ns,
        .stop = &session_stop,
        .cut = &session_cut};

    int r = sampler_new(&options, target, s->writer, &s->sampler, e);
    if (r < 0)
        return r;
    r = sampler_wait_ready(s->sampler, wait_ns, e);
    meta_put(s, target); /* now, because its command line is its own only after exec */
    if (r == 0 && s->ready)
        s->ready(s->context);
    if (r == 0)
        r = sampler_run(s->sampler, ret, e);
    if (r == 0) {
        record_put_meta(s->writer, "python", ret->python);
        rate_note(s, &ret->counters);
        if (!ret->real_time)
            record_put_meta(s->writer, "note.scheduling",
                "no real-time scheduling for the sampler: more ticks may be late or missed");
        if (!ret->own_core)
            record_put_meta(s->writer, "note.core",
                "the sampler had no core of its own: its CPU time may have been taken from the program");
    }
    return r;
}

int session_close(struct session *s, struct error *e)
{
    sampler_free(s->sampler);
    s->sampler = NULL;
    int r = s->writer ? record_writer_close(s->writer, e) : 0;
    s->writer = NULL;
    return r;
}

void session_name_recording(const char *path)
{
    CLEANUP(buffer_release) struct buffer line;

    buffer_init(&line, 64 << 10);
    buffer_append_string(&line, "recording: ");
    text_append_safe(&line, path, strlen(path));
    buffer_append_string(&line, "   (pitviper report ");
    text_append_word(&line, path);
    fprintf(stderr, "%s)\n", buffer_text(&line));
}

void session_summary(const struct session *s, const struct sample_result *r)
{
    if (s->seekable && cmd_report_file(s->path, STDERR_FILENO) == 0) {
        fputc('\n', stderr);
        session_name_recording(s->path);
        return;
    }
    fprintf(stderr, "pitviper: %llu samples in %.2f s, %llu ticks late, %llu missed; recording written to %s\n",
        (unsigned long long)r->counters.samples, (double)r->wall_ns / 1e9, (unsigned long long)r->counters.ticks_late,
        (unsigned long long)r->counters.ticks_missed, strcmp(s->path, "-") == 0 ? "standard output" : s->path);
}

int session_end_as(int wait_status)
{
    if (WIFSIGNALED(wait_status)) {
        (void)signal(WTERMSIG(wait_status), SIG_DFL);
        (void)prctl(PR_SET_DUMPABLE, 0); /* its core dump is enough */
        raise(WTERMSIG(wait_status));
        return 128 + WTERMSIG(wait_status);
    }
    return WEXITSTATUS(wait_status);
}
