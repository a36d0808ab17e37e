/*
 * A sampler inside of the program that it samples: preloaded, it has a timer interrupt the main thread and walks the
 * stack in the signal handler, where that thread stands still. So nothing is torn and nothing is late, and nobody stops
 * the program: the truth that bench/bias.py holds samplers against with --truth inside.
 *
 * Reads CPython's own structures by its own headers (Include/internal/pycore_frame.h, 3.13). What the compiler has
 * stored in another order than the source says (a frame that is linked before it is whole) is counted and left out.
 *
 * Environment: INSIDE_OUT (where `frame;frame;frame 1` lines go, and the process id behind it), INSIDE_HZ,
 * INSIDE_DELAY_MS.
 */
#define _GNU_SOURCE
#define Py_BUILD_CORE 1
#include <Python.h>
#include <internal/pycore_frame.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#if PY_MINOR_VERSION != 13
#error "written for CPython 3.13"
#endif

enum {
    SAMPLES_BYTES = 256 << 20, /* mapped as they are written */
    NAMES_BYTES = 32 << 20,
    NAME_BYTES = 1024, /* of one frame's text, at most */
    CODES = 1 << 16,
    DEPTH = 2048,
};

struct known {
    PyCodeObject *code;
    PyObject *name;
    int line, id;
};

static struct known codes[CODES];
static int code_count;
static char *names;
static size_t names_used;
static int *samples; /* depth, then ids, the innermost first */
static size_t samples_used;
static PyThreadState *main_thread;
static timer_t timer;
static volatile sig_atomic_t sampling;
static long ticks, without_frames, torn;

static const char *text_of(PyObject *string)
{
    return PyUnicode_IS_COMPACT_ASCII(string) ? (const char *)((PyASCIIObject *)string + 1) : "?";
}

static int id_of(PyCodeObject *code)
{
    size_t at = ((uintptr_t)code >> 4) * 2654435761u % CODES;

    for (; codes[at].code; at = (at + 1) % CODES)
        if (codes[at].code == code && codes[at].name == code->co_qualname && codes[at].line == code->co_firstlineno)
            return codes[at].id;
    if (code_count >= CODES / 2 || names_used + NAME_BYTES > NAMES_BYTES)
        return 0;
    codes[at] = (struct known){code, code->co_qualname, code->co_firstlineno, code_count};
    int size = snprintf(names + names_used, NAME_BYTES, "%s (%s:%d)", text_of(code->co_qualname),
        text_of(code->co_filename), code->co_firstlineno);
    names_used += (size_t)(size < NAME_BYTES ? size : NAME_BYTES - 1) + 1;
    return code_count++;
}

static int can_be_read(const void *from, size_t size)
{
    char to[256];
    struct iovec local = {to, size}, remote = {(void *)from, size};

    return ((uintptr_t)from & 7) == 0 && process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static void sample(int signal)
{
    int *to = samples + samples_used, depth = 0;

    (void)signal;
    if (!sampling || (samples_used + DEPTH + 1) * sizeof(int) > SAMPLES_BYTES)
        return;
    ticks++;
    for (_PyInterpreterFrame *frame = main_thread->current_frame, *last = NULL; frame && depth < DEPTH;
         last = frame, frame = frame->previous) {
        if ((uintptr_t)frame - (uintptr_t)last > 4096 && !can_be_read(frame, sizeof(*frame))) {
            torn++;
            return;
        }
        PyObject *code = frame->owner == FRAME_OWNED_BY_CSTACK ? NULL : frame->f_executable;
        if (code && depth == 0 && !can_be_read(code, sizeof(PyCodeObject))) {
            torn++;
            return;
        }
        if (code && PyCode_Check(code) && !_PyFrame_IsIncomplete(frame))
            to[++depth] = id_of((PyCodeObject *)code);
    }
    without_frames += depth == 0;
    to[0] = depth;
    samples_used += depth ? (size_t)depth + 1 : 0;
}

static void finish(void)
{
    char path[4096];
    const char **texts = malloc(((size_t)code_count + 1) * sizeof(*texts)), *text = names;

    if (!sampling || !texts)
        return;
    sampling = 0;
    timer_delete(timer);
    for (int i = 0; i < code_count; i++, text += strlen(text) + 1)
        texts[i] = text;
    snprintf(path, sizeof(path), "%s.%d", getenv("INSIDE_OUT"), getpid());
    FILE *out = fopen(path, "w");
    if (!out)
        return;
    for (size_t at = 0; at < samples_used; at += (size_t)samples[at] + 1)
        for (int i = samples[at]; i > 0; i--)
            fprintf(out, "%s%s", texts[samples[at + (size_t)i]], i > 1 ? ";" : " 1\n");
    fclose(out);
    fprintf(stderr, "inside: %ld ticks, %ld without a frame, %ld torn\n", ticks, without_frames, torn);
}

/* Waits for the interpreter, then has the main thread interrupted. */
static void *begin(void *thread)
{
    struct sigaction action = {.sa_handler = sample, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 5};
    long hz = getenv("INSIDE_HZ") ? atol(getenv("INSIDE_HZ")) : 1000;

    usleep(getenv("INSIDE_DELAY_MS") ? (useconds_t)atol(getenv("INSIDE_DELAY_MS")) * 1000 : 0);
    while (!main_thread) {
        usleep(1000);
        PyInterpreterState *interpreter = Py_IsInitialized() ? PyInterpreterState_Main() : NULL;
        PyThreadState *last = interpreter ? PyInterpreterState_ThreadHead(interpreter) : NULL;
        while (last && last->next)
            last = last->next;
        main_thread = last;
    }
    event._sigev_un._tid = (int)(intptr_t)thread;
    struct itimerspec every = {{0, 1000000000L / hz}, {0, 1000000000L / hz}};
    if (sigaction(event.sigev_signo, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) {
        sampling = 1;
        timer_settime(timer, 0, &every, NULL);
    }
    return NULL;
}

__attribute__((constructor)) static void prepare(void)
{
    pthread_t thread;

    if (!getenv("INSIDE_OUT") || !(samples = malloc(SAMPLES_BYTES)) || !(names = calloc(1, NAMES_BYTES)))
        return;
    atexit(finish);
    if (pthread_create(&thread, NULL, begin, (void *)(intptr_t)syscall(SYS_gettid)) == 0)
        pthread_detach(thread);
}
