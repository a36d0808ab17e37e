/* The sandbox with a shell in the place of Python: its builtins are all that the tests need. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND_NS 1000000000u

static struct sandbox_ladder ladder;
static char lab[64], scratch[80];
static char *no_env[] = {NULL};

static int set_up(void **state)
{
    (void)state;
    struct error e = {""};
    snprintf(lab, sizeof(lab), "/tmp/pit-learn-XXXXXX");
    if (!mkdtemp(lab))
        return -1;
    snprintf(scratch, sizeof(scratch), "%s/scratch", lab);
    if (mkdir(scratch, 0700) < 0)
        return -1;
    if (sandbox_probe(&ladder, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    prctl(PR_SET_DUMPABLE, 1); /* the leak sanitizer looks at us by ptrace */
    return rmdir(scratch) < 0 || rmdir(lab) < 0;
}

static struct sandbox_spec spec_of(char *const *argv)
{
    return (struct sandbox_spec){.argv = argv,
        .env = no_env,
        .folder = lab,
        .scratch = scratch,
        .level_most = SANDBOX_LEVEL_BEST,
        .limits = {.wall_ns = 20 * (uint64_t)SECOND_NS}};
}

static void run(const char *script, const struct sandbox_spec *how, struct sandbox_result *ret)
{
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
    struct sandbox_spec spec = how ? *how : spec_of(argv);
    struct error e = {""};
    spec.argv = argv;
    if (sandbox_run(&spec, &ladder, ret, &e) < 0)
        fail_msg("%s", e.text);
}

static void passes_input_answer_and_output_on(void **state)
{
    (void)state;
    struct sandbox_spec spec = spec_of(NULL);
    struct sandbox_result r;
    spec.input = "three\nwords\n";
    spec.input_size = strlen(spec.input);
    run("read a; read b; echo out; echo err >&2; printf \"a\\013\\0\\0\\0$a-$b\" >&3; exit 3", &spec, &r);
    assert_int_equal(r.end, SANDBOX_ANSWERED);
    assert_string_equal(buffer_text(&r.answer.payload), "three-words");
    assert_string_equal(buffer_text(&r.out), "out\n");
    assert_string_equal(buffer_text(&r.err), "err\n");
    assert_true(r.exec_ns > 0 && r.exec_ns < r.answer.whole_ns);
    assert_int_equal(r.alive_at_answer, 0);
    assert_int_equal(r.level, ladder.level);
    sandbox_result_release(&r);
}

static void holds_the_input_until_ready(void **state)
{
    (void)state;
    struct sandbox_spec spec = spec_of(NULL);
    struct sandbox_result r;
    spec.input = "x\n";
    spec.input_size = 2;
    spec.input_when_ready = true;
    spec.limits.wall_ns = SECOND_NS / 4;
    run("read a; printf 'a\\0\\0\\0\\0' >&3", &spec, &r);
    assert_int_equal(r.end, SANDBOX_LATE);
    assert_false(r.ended);
    sandbox_result_release(&r);
    spec.limits.wall_ns = 20 * (uint64_t)SECOND_NS;
    run("printf 'r\\0\\0\\0\\0' >&3; read a; printf \"a\\001\\0\\0\\0$a\" >&3", &spec, &r);
    assert_int_equal(r.end, SANDBOX_ANSWERED);
    assert_true(r.answer.ready_ns <= r.answer.whole_ns);
    sandbox_result_release(&r);
}

/* At level 0, where a shell may run dd: it reads bytes with zeros among them, which a shell can't. */
static void answers_requests_after_their_delay(void **state)
{
    (void)state;
    struct sandbox_spec spec = spec_of(NULL);
    struct sandbox_result r;
    spec.service_delay_ns = SECOND_NS / 20;
    spec.service_at_once = 2;
    spec.level_most = 0;
    /* Four requests, two at a time: the last reply is due two delays on. 288 bytes of replies in all. */
    const char *script = "for i in 1 2 3 4; do printf 'q\\5\\0\\0\\0\\'$i'\\0\\0\\0x' >&3; done; "
                         "dd bs=1 count=288 2>/dev/null >&1; printf 'a\\0\\0\\0\\0' >&3";
    run(script, &spec, &r);
    assert_int_equal(r.end, SANDBOX_ANSWERED);
    assert_true(r.answer.whole_ns - r.exec_ns >= 2 * spec.service_delay_ns);
    assert_int_equal(r.out.size, 288);
    for (unsigned i = 0; i < 4; i++) {
        const char *reply = (const char *)r.out.data + (size_t)72 * i;
        assert_memory_equal(reply, ((const char[]){(char)(i + 1), 0, 0, 0, 64, 0, 0, 0}), 8);
        /* printf x | sha256sum */
        assert_memory_equal(reply + 8, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", 64);
    }
    sandbox_result_release(&r);
    spec.service_at_once = 0;
    run("printf 'q\\4\\0\\0\\0\\1\\0\\0\\0' >&3; read a", &spec, &r);
    assert_int_equal(r.end, SANDBOX_BROKEN);
    sandbox_result_release(&r);
}

static void survives_an_input_that_nobody_reads(void **state)
{
    (void)state;
    struct sandbox_spec spec = spec_of(NULL);
    struct sandbox_result r;
    spec.input_size = 1 << 20;
    char *input = calloc(1, spec.input_size);
    spec.input = input;
    run("exec <&-; exit 5", &spec, &r);
    assert_int_equal(r.end, SANDBOX_EXITED);
    assert_true(r.ended && WIFEXITED(r.status) && WEXITSTATUS(r.status) == 5);
    sandbox_result_release(&r);
    free(input);
}

static void tells_a_status_from_a_signal(void **state)
{
    (void)state;
    struct sandbox_result r;
    run("kill -SEGV $$", NULL, &r);
    assert_int_equal(r.end, SANDBOX_EXITED);
    assert_true(r.ended && WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGSEGV);
    sandbox_result_release(&r);
}

/* Each limit at every level that there is: the layers must not stand in each other's way. */
static void ends_by(const char *script, struct sandbox_limits limits, enum sandbox_end end)
{
    for (int level = 0; level <= ladder.level; level++) {
        struct sandbox_spec spec = spec_of(NULL);
        struct sandbox_result r;
        spec.level_most = level;
        spec.limits = limits;
        if (!spec.limits.wall_ns)
            spec.limits.wall_ns = 20 * (uint64_t)SECOND_NS;
        run(script, &spec, &r);
        if (r.end != end)
            fail_msg("level %d: %s, not: %s; %s", level, sandbox_end_text(r.end), sandbox_end_text(end),
                buffer_text(&r.err));
        assert_int_equal(r.level, level);
        assert_false(r.unkillable);
        sandbox_result_release(&r);
    }
}

static void ends_what_takes_too_long(void **state)
{
    (void)state;
    ends_by("while :; do :; done", (struct sandbox_limits){.wall_ns = SECOND_NS / 10}, SANDBOX_LATE);
    ends_by(
        "trap '' TERM INT HUP; while :; do :; done", (struct sandbox_limits){.cpu_ns = SECOND_NS / 10}, SANDBOX_BUSY);
}

static void ends_what_prints_too_much(void **state)
{
    (void)state;
    struct sandbox_limits limits = {.text = 1000};
    ends_by("while :; do echo line; done", limits, SANDBOX_LOUD);
    ends_by("while :; do echo line >&2; done", limits, SANDBOX_LOUD);
    struct sandbox_spec spec = spec_of(NULL);
    struct sandbox_result r;
    spec.limits.text = 1000;
    run("while :; do echo line; done", &spec, &r);
    assert_int_equal(r.out.size, 1000);
    sandbox_result_release(&r);
}

static void ends_what_answers_nonsense(void **state)
{
    (void)state;
    ends_by("echo hello >&3; while :; do :; done", (struct sandbox_limits){0}, SANDBOX_BROKEN);
    ends_by(
        "printf 'a\\377\\0\\0\\0' >&3; while :; do :; done", (struct sandbox_limits){.answer = 200}, SANDBOX_BROKEN);
}

static void ends_what_fills_its_folder(void **state)
{
    (void)state;
    char script[256];
    snprintf(script, sizeof(script), "i=0; while :; do i=$((i+1)); : >%s/$i; done", scratch);
    ends_by(script, (struct sandbox_limits){.disk = 100 << 12}, SANDBOX_FULL);
}

static bool exists(pid_t pid)
{
    return kill(pid, 0) == 0;
}

static void note_child(void *context, pid_t child)
{
    *(pid_t *)context = child;
}

static void leaves_no_descendant(void **state)
{
    (void)state;
    for (int level = 0; level <= ladder.level; level++) {
        struct sandbox_spec spec = spec_of(NULL);
        struct sandbox_result r;
        pid_t child = 0;
        spec.level_most = level;
        spec.allow = SANDBOX_FORK;
        spec.started = note_child;
        spec.context = &child;
        spec.limits.linger_ns = SECOND_NS / 10;
        /* A child of a child: its own parent has ended. It keeps a core busy. */
        run("( ( exec 3>&-; while :; do :; done ) & ) ; printf 'a\\0\\0\\0\\0' >&3", &spec, &r);
        assert_int_equal(r.end, SANDBOX_ANSWERED);
        assert_true(child > 0);
        assert_int_equal(r.alive_at_answer, 1);
        assert_true(r.cpu_after_answer > 0);
        assert_true(r.user_ns + r.sys_ns >= r.cpu_after_answer / 2);
        assert_false(r.unkillable);
        assert_false(exists(child));
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
        sandbox_result_release(&r);
    }
}

static void counts_the_crowd(void **state)
{
    (void)state;
    for (int level = 0; level <= ladder.level; level++) {
        struct sandbox_spec spec = spec_of(NULL);
        struct sandbox_result r;
        spec.level_most = level;
        spec.allow = SANDBOX_FORK;
        spec.limits.processes = 5;
        run("for i in 1 2 3 4 5 6 7 8 9; do ( while :; do :; done ) & done; wait", &spec, &r);
        assert_int_equal(r.end, SANDBOX_CROWD);
        sandbox_result_release(&r);
    }
}

static void stops_on_request(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop = 1;
    struct sandbox_spec spec = spec_of(NULL);
    struct sandbox_result r;
    spec.stop = &stop;
    run("while :; do :; done", &spec, &r);
    assert_int_equal(r.end, SANDBOX_STOPPED);
    sandbox_result_release(&r);
}

static void tell_child(void *context, pid_t child)
{
    (void)!write(*(int *)context, &child, sizeof(child));
}

/* Killed as by the kernel when memory is short: only the keeper is left to clean up. */
static void ends_with_its_caller(void **state)
{
    (void)state;
    for (int level = 0; level <= ladder.level; level++) {
        int ends[2];
        pid_t child = 0;
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        pid_t caller = fork();
        if (caller == 0) {
            char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)"while :; do :; done", NULL};
            struct sandbox_spec spec = spec_of(argv);
            struct sandbox_result r;
            spec.level_most = level;
            spec.started = tell_child;
            spec.context = &ends[1];
            sandbox_run(&spec, &ladder, &r, NULL);
            _exit(1);
        }
        close(ends[1]);
        assert_int_equal(read(ends[0], &child, sizeof(child)), sizeof(child));
        close(ends[0]);
        assert_int_equal(kill(caller, SIGKILL), 0);
        assert_int_equal(waitpid(caller, NULL, 0), caller);
        assert_true(waitpid(-1, NULL, 0) > 0); /* the keeper, ours now, which reaped the child first */
        assert_int_equal(waitpid(-1, NULL, 0), -1);
        assert_false(exists(child));
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    }
}

static void refuses_a_level_that_is_not_there(void **state)
{
    (void)state;
    char *argv[] = {(char *)"/bin/sh", NULL};
    struct sandbox_ladder low = ladder;
    struct sandbox_spec spec = spec_of(argv);
    struct sandbox_result r;
    struct error e = {""};
    low.level = 1;
    low.have[2] = false;
    snprintf(low.why_not[2], sizeof(low.why_not[2]), "no Landlock");
    spec.level_least = 2;
    assert_int_equal(sandbox_run(&spec, &low, &r, &e), -ENOTSUP);
    assert_non_null(strstr(e.text, "no Landlock"));
}

static void tells_its_own_faults_from_the_childs(void **state)
{
    (void)state;
    char *argv[] = {(char *)"/nonexistent/python", NULL}, *folder[] = {(char *)"/tmp", NULL};
    struct sandbox_spec spec = spec_of(argv);
    struct sandbox_result r;
    struct error e = {""};
    assert_int_equal(sandbox_run(&spec, &ladder, &r, &e), -ENOENT);
    spec.argv = folder;
    assert_true(sandbox_run(&spec, &ladder, &r, &e) < 0);
    char *shell[] = {(char *)"/bin/sh", NULL};
    spec.argv = shell;
    spec.folder = "/nonexistent";
    assert_int_equal(sandbox_run(&spec, &ladder, &r, &e), -ENOENT);
    assert_non_null(strstr(e.text, "/nonexistent"));
}

static void grants_sockets_only_where_no_strangers_file_is_seen(void **state)
{
    (void)state;
    for (int level = 0; level <= ladder.level; level++) {
        struct sandbox_spec spec = spec_of(NULL);
        struct sandbox_result r;
        spec.level_most = level;
        spec.allow = SANDBOX_SOCKETS | SANDBOX_THREADS;
        run(":", &spec, &r);
        assert_int_equal(r.allowed & SANDBOX_SOCKETS, level == 1 || level == 2 ? 0 : SANDBOX_SOCKETS);
        assert_true(r.allowed & SANDBOX_THREADS);
        sandbox_result_release(&r);
    }
}

static void empties_scratch_and_follows_no_link(void **state)
{
    (void)state;
    char kept[96], path[256];
    struct sandbox_result r;
    struct error e = {""};
    snprintf(kept, sizeof(kept), "%s/kept", lab);
    assert_int_equal(mkdir(kept, 0700), 0);
    snprintf(path, sizeof(path), "%s/link", scratch);
    assert_int_equal(symlink(kept, path), 0);
    snprintf(path, sizeof(path), "%s/a", scratch);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/a/b", scratch);
    assert_int_equal(mkdir(path, 0), 0);
    run(":", NULL, &r);
    sandbox_result_release(&r);
    assert_int_equal(rmdir(scratch), 0); /* it is empty */
    assert_int_equal(mkdir(scratch, 0700), 0);
    assert_int_equal(rmdir(kept), 0); /* and this is there */
    assert_int_equal(symlink("/tmp", kept), 0);
    assert_true(sandbox_wipe(kept, &e) < 0); /* a link itself */
    assert_int_equal(unlink(kept), 0);
}

static void hides_its_memory(void **state)
{
    (void)state;
    struct sandbox_result r;
    run(":", NULL, &r);
    sandbox_result_release(&r);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_input_answer_and_output_on),
        cmocka_unit_test(answers_requests_after_their_delay),
        cmocka_unit_test(holds_the_input_until_ready),
        cmocka_unit_test(survives_an_input_that_nobody_reads),
        cmocka_unit_test(tells_a_status_from_a_signal),
        cmocka_unit_test(ends_what_takes_too_long),
        cmocka_unit_test(ends_what_prints_too_much),
        cmocka_unit_test(ends_what_answers_nonsense),
        cmocka_unit_test(ends_what_fills_its_folder),
        cmocka_unit_test(leaves_no_descendant),
        cmocka_unit_test(counts_the_crowd),
        cmocka_unit_test(stops_on_request),
        cmocka_unit_test(ends_with_its_caller),
        cmocka_unit_test(refuses_a_level_that_is_not_there),
        cmocka_unit_test(tells_its_own_faults_from_the_childs),
        cmocka_unit_test(grants_sockets_only_where_no_strangers_file_is_seen),
        cmocka_unit_test(empties_scratch_and_follows_no_link),
        cmocka_unit_test(hides_its_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
