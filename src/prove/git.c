/* git, as a process. */
#include "prove/inside.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#define GIT_WORDS 24
#define GIT_VARIABLES 16
#define GIT_NS UINT64_C(600000000000)

int prove_git(struct prove_runner *r, const char *folder, const char *const *environment, const char *const *words,
    struct buffer *out, int *ret_status, struct error *e)
{
    const char *variables[GIT_VARIABLES + 1] = {"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0"};
    char *argv[GIT_WORDS + 2] = {(char *)(uintptr_t) "git"};
    struct prove_process p = {.argv = argv, .folder = folder, .environment = variables, .timeout_ns = GIT_NS};
    struct prove_run run;
    size_t count = 3;
    for (; environment != NULL && *environment != NULL && count < GIT_VARIABLES; environment++)
        variables[count++] = *environment;
    for (size_t i = 0; words[i] != NULL && i < GIT_WORDS; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    int result = prove_run(r, &p, 1, &run, e);
    if (result < 0)
        return result;
    if (run.interrupted)
        result = error_set(e, ECANCELED, "interrupted");
    else if (run.timed_out || !WIFEXITED(run.status))
        result = prove_run_check(&run, "git", e);
    if (result == 0) {
        *ret_status = WEXITSTATUS(run.status);
        if (*ret_status != 0)
            (void)prove_run_check(&run, "git", e);
        result = run.out.kept > 0 ? buffer_append(out, run.out.head, run.out.kept) : 0;
    }
    prove_run_release(&run);
    return result;
}
