#include "target_child.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/pit-launch-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static void put(const char *name, const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
    close(fd);
    assert_int_equal(chmod(path, mode), 0);
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"out", "plain", "noexec", "shadow/tool", "shadow", "tool", "badfmt"};
    char path[128];
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        remove(path);
    }
    return remove(folder);
}

static int start(char *const *argv, struct target_launched *l, struct error *e)
{
    *l = (struct target_launched){.hold_fd = -1};
    return target_launch(&(struct target_launch){.argv = argv}, l, e);
}

static int status_of(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int run_shell(const char *script)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    struct target_launched l;
    struct error e = {0};
    if (start(argv, &l, &e) < 0)
        fail_msg("%s", e.text);
    return status_of(l.pid);
}

static void passes_arguments_and_status_on(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(run_shell("exit 37")), 37);
    int status = run_shell("kill -TERM $$");
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)"test \"$1\" = 'a b' && test -z \"$2\" && test $# = 2",
        (char *)"x", (char *)"a b", (char *)"", NULL};
    struct target_launched l;
    struct error e = {0};
    assert_int_equal(start(argv, &l, &e), 0);
    assert_int_equal(status_of(l.pid), 0);
}

static void says_why_a_command_cannot_run(void **state)
{
    (void)state;
    char noexec[128], badfmt[128], missing[128];
    put("noexec", "#!/bin/sh\n", 0644);
    put("badfmt", "#!/no/such/interpreter\n", 0755);
    snprintf(noexec, sizeof(noexec), "%s/noexec", folder);
    snprintf(badfmt, sizeof(badfmt), "%s/badfmt", folder);
    snprintf(missing, sizeof(missing), "%s/missing", folder);
    const struct {
        char *command;
        int error;
        const char *text;
    } cases[] = {
        {missing, -ENOENT, "No such file"},
        {(char *)"pit-no-such-command", -ENOENT, "no such command on the path"},
        {noexec, -EACCES, "Permission denied"},
        {badfmt, -ENOENT, "No such file"},
        {folder, -EACCES, "Permission denied"},
        {(char *)"", -EINVAL, "no command"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *argv[] = {cases[i].command, NULL};
        struct target_launched l;
        struct error e = {0};
        assert_int_equal(start(argv, &l, &e), cases[i].error);
        assert_non_null(strstr(e.text, cases[i].text));
        assert_non_null(strstr(e.text, cases[i].command));
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left behind */
        assert_int_equal(errno, ECHILD);
    }
}

static void searches_the_path_as_a_shell_does(void **state)
{
    (void)state;
    char path[256], dir[128];
    snprintf(dir, sizeof(dir), "%s/shadow", folder);
    mkdir(dir, 0755);
    put("shadow/tool", "not for running", 0644); /* comes first, but may not be run */
    put("tool", "exit 23\n", 0755);              /* no #! line: the shell's */
    snprintf(path, sizeof(path), "/nowhere:%s:%s", dir, folder);
    char *saved = strdup(getenv("PATH"));
    setenv("PATH", path, 1);
    char *argv[] = {(char *)"tool", NULL};
    struct target_launched l;
    struct error e = {0};
    int r = start(argv, &l, &e);
    setenv("PATH", saved, 1);
    free(saved);
    assert_int_equal(r, 0);
    assert_int_equal(WEXITSTATUS(status_of(l.pid)), 23);
}

static void waits_until_it_is_released(void **state)
{
    (void)state;
    char script[192], out[128];
    snprintf(out, sizeof(out), "%s/out", folder);
    snprintf(script, sizeof(script), "touch %s", out);
    char *argv[] = {(char *)"sh", (char *)"-c", script, NULL};
    struct target_launched l;
    struct error e = {0};
    assert_int_equal(target_launch(&(struct target_launch){.argv = argv, .hold = true}, &l, &e), 0);
    sleep_ms(50);
    assert_int_equal(access(out, F_OK), -1);
    assert_int_equal(waitpid(l.pid, NULL, WNOHANG), 0);
    assert_int_equal(target_launch_release(&l, &e), 0);
    assert_int_equal(l.hold_fd, -1);
    assert_int_equal(status_of(l.pid), 0);
    assert_int_equal(access(out, F_OK), 0);
    assert_int_equal(target_launch_release(&l, &e), 0); /* nothing is held any more */
}

static void tells_a_failed_exec_at_the_release(void **state)
{
    (void)state;
    char *argv[] = {(char *)"pit-no-such-command", NULL};
    struct target_launched l;
    struct error e = {0};
    assert_int_equal(target_launch(&(struct target_launch){.argv = argv, .hold = true}, &l, &e), 0);
    assert_int_equal(target_launch_release(&l, &e), -ENOENT);
    assert_non_null(strstr(e.text, "cannot run"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void never_runs_when_its_holder_goes_away(void **state)
{
    (void)state;
    char *argv[] = {(char *)"true", NULL};
    struct target_launched l;
    struct error e = {0};
    assert_int_equal(target_launch(&(struct target_launch){.argv = argv, .hold = true}, &l, &e), 0);
    close(l.hold_fd);
    assert_int_equal(WEXITSTATUS(status_of(l.pid)), 125);
}

static void survives_the_death_of_one_that_is_held(void **state)
{
    (void)state;
    char *argv[] = {(char *)"true", NULL};
    struct target_launched l;
    struct error e = {0};
    assert_int_equal(target_launch(&(struct target_launch){.argv = argv, .hold = true}, &l, &e), 0);
    kill(l.pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)l.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(target_launch_release(&l, &e), -ESRCH);
    assert_true(WIFSIGNALED(status_of(l.pid)));
}

/* As the shell shows them: SigBlk and SigIgn of a child that does nothing itself. */
static void status_line(const char *key, char *into, size_t size)
{
    char script[256], out[128];
    snprintf(out, sizeof(out), "%s/out", folder);
    snprintf(script, sizeof(script), "exec grep %s /proc/self/status > %s", key, out);
    assert_int_equal(run_shell(script), 0);
    assert_true(proc_read(AT_FDCWD, out, into, size) > 0);
}

static void ignore_it(int number)
{
    (void)number;
}

static void gives_what_this_program_was_started_with(void **state)
{
    (void)state;
    static const char *const keys[] = {"SigBlk", "SigIgn"};
    char before[2][64], after[2][64];
    struct rlimit limit, lower;
    for (size_t i = 0; i < 2; i++)
        status_line(keys[i], before[i], sizeof(before[i]));
    sigset_t set, saved;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &saved);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, ignore_it);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    lower = limit;
    lower.rlim_cur = limit.rlim_cur / 2;
    setrlimit(RLIMIT_NOFILE, &lower);
    char script[128];
    snprintf(script, sizeof(script), "l=$(ulimit -n); test $l = unlimited || test $l = %llu",
        (unsigned long long)limit.rlim_cur);
    for (size_t i = 0; i < 2; i++) {
        status_line(keys[i], after[i], sizeof(after[i]));
        assert_string_equal(before[i], after[i]);
    }
    assert_int_equal(run_shell(script), 0);
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    sigprocmask(SIG_SETMASK, &saved, NULL);
}

static void leaves_no_descriptor_of_ours_open(void **state)
{
    (void)state;
    int made[8];
    for (size_t i = 0; i < 8; i++)
        made[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    /* Those that this test inherited (without close-on-exec) are not ours. */
    char script[512];
    snprintf(script, sizeof(script), "for n in %d %d %d %d; do test ! -e /proc/$$/fd/$n || exit 1; done", made[0],
        made[1], made[6], made[7]);
    assert_int_equal(run_shell(script), 0);
    for (size_t i = 0; i < 8; i++)
        close(made[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_arguments_and_status_on),
        cmocka_unit_test(says_why_a_command_cannot_run),
        cmocka_unit_test(searches_the_path_as_a_shell_does),
        cmocka_unit_test(waits_until_it_is_released),
        cmocka_unit_test(tells_a_failed_exec_at_the_release),
        cmocka_unit_test(never_runs_when_its_holder_goes_away),
        cmocka_unit_test(survives_the_death_of_one_that_is_held),
        cmocka_unit_test(gives_what_this_program_was_started_with),
        cmocka_unit_test(leaves_no_descriptor_of_ours_open),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
