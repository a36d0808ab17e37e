/*
 * Thread names and kernel ids, read from outside a real interpreter: the one that PITVIPER_TEST_PYTHON names,
 * else python3 on the path. tests/e2e/test_names.py runs this once for each interpreter it finds.
 */
#include "python/python.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Prints "name ident native" of each thread, then "ready". Names: ASCII, Latin-1, beyond the BMP, and over
 * the cap. */
static const char program[] =
    "import threading, sys\n"
    "sys.stdout.reconfigure(encoding='utf-8')\n"
    "stop = threading.Event()\n"
    "names = ['plain', 'caf\\xe9', 'snake \\U0001f40d', '\\u5de5\\u4f5c', 'x' * 5000]\n"
    "names += ['many-%d' % i for i in range(int(sys.argv[1]))]\n"
    "threads = [threading.Thread(target=stop.wait, name=n, daemon=True) for n in names]\n"
    "for t in threads: t.start()\n"
    "for t in [threading.main_thread()] + threads: print(t.ident, t.native_id, t.name, flush=False)\n"
    "print('ready', flush=True)\n"
    "sys.stdin.read()\n";

enum {
    MANY = 40,
    THREADS = 6 + MANY,
    LINE_SIZE = 6000,
    ATTEMPTS = 400,
};

struct expected {
    uint64_t ident;
    int native;
    char name[LINE_SIZE];
};
struct child {
    pid_t pid;
    int to;
    FILE *from;
    struct expected threads[THREADS];
    struct target *target;
    struct python_process *python;
};

static int start(void **state)
{
    const char *python = getenv("PITVIPER_TEST_PYTHON") ? getenv("PITVIPER_TEST_PYTHON") : "python3";
    int in[2], out[2];
    struct child *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    c->pid = fork();
    if (c->pid == 0) {
        char many[16];
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)close(in[1]);
        (void)close(out[0]);
        (void)snprintf(many, sizeof(many), "%d", MANY);
        (void)execlp(python, python, "-I", "-c", program, many, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    c->to = in[1];
    c->from = fdopen(out[0], "r");
    assert_non_null(c->from);
    static char line[LINE_SIZE];
    size_t count = 0;
    while (fgets(line, sizeof(line), c->from) && strcmp(line, "ready\n") != 0) {
        assert_true(count < THREADS);
        struct expected *e = &c->threads[count++];
        line[strcspn(line, "\n")] = 0;
        int at = 0;
        assert_int_equal(sscanf(line, "%lu %d %n", &e->ident, &e->native, &at), 2); /* NOLINT(cert-err34-c) */
        memcpy(e->name, line + at, strlen(line + at) + 1);
    }
    assert_int_equal(count, THREADS);
    *state = c;
    struct error e;
    assert_int_equal(target_open(c->pid, &c->target, &e), 0);
    int r = -EAGAIN;
    for (int i = 0; i < ATTEMPTS && (r == -EAGAIN || r == -ENOENT); i++) {
        r = python_open(c->target, true, &c->python, &e);
        if (r < 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    if (r < 0)
        fail_msg("%s", e.text);
    return 0;
}

static int stop(void **state)
{
    struct child *c = *state;

    python_close(c->python);
    target_close(c->target);
    (void)kill(c->pid, SIGKILL);
    (void)waitpid(c->pid, NULL, 0);
    (void)fclose(c->from);
    (void)close(c->to);
    free(c);
    return 0;
}

static void names_every_thread_as_the_interpreter_does(void **state)
{
    struct child *c = *state;
    struct python_sample sample;

    int r = -EFAULT;
    for (int i = 0; i < ATTEMPTS && r < 0; i++)
        r = python_sample(c->python, &sample);
    assert_int_equal(r, 0);
    assert_int_equal(sample.count, THREADS);
    size_t met = 0;
    for (size_t i = 0; i < sample.count; i++) {
        struct python_thread *t = &sample.threads[i];
        for (size_t k = 0; k < THREADS; k++) {
            const struct expected *e = &c->threads[k];
            if (e->ident != t->ident)
                continue;
            struct buffer name;
            buffer_init(&name, 1 << 20);
            pid_t tid = t->tid;
            assert_int_equal(python_thread_name(c->python, t, &name, &tid), 0);
            assert_int_equal(tid, e->native);
            if (strlen(e->name) < 4096) {
                assert_string_equal(buffer_text(&name), e->name);
            } else { /* cut, and visibly so */
                assert_int_equal(name.size, 4096 + 3);
                assert_memory_equal(name.data, e->name, 4096);
                assert_memory_equal(name.data + 4096, "\xe2\x80\xa6", 3);
            }
            buffer_release(&name);
            met++;
        }
    }
    assert_int_equal(met, THREADS);
}

static void a_thread_that_is_not_there_has_no_name(void **state)
{
    struct child *c = *state;
    struct python_sample sample;
    struct buffer name;

    assert_int_equal(python_sample(c->python, &sample), 0);
    struct python_thread stranger = sample.threads[0];
    stranger.ident = 12345;
    pid_t tid = 1;
    buffer_init(&name, 4096);
    assert_int_equal(python_thread_name(c->python, &stranger, &name, &tid), -ENOENT);
    assert_int_equal(name.size, 0);
    buffer_release(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_thread_as_the_interpreter_does),
        cmocka_unit_test(a_thread_that_is_not_there_has_no_name),
    };

    return cmocka_run_group_tests_name("python_names", tests, start, stop);
}
