/* A bisection in a repository of its own, that borrows the user's objects: nothing of his is written. */
#include "cmd/bisect.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)256 << 10)

/* One line of what a git that has to go well says. */
static int ask(
    struct prove_runner *r, const char *folder, const char *const *words, char *into, size_t size, struct error *e)
{
    CLEANUP(buffer_release) struct buffer out;
    int status = 0;
    buffer_init(&out, OUTPUT_MAX);
    int result = prove_git(r, folder, NULL, words, &out, &status, e);
    if (result < 0 || status != 0)
        return result < 0 ? result : -EIO;
    const char *text = buffer_text(&out);
    size_t length = strcspn(text, "\n");
    if (length >= size)
        return error_set(e, EMSGSIZE, "git said more than was asked for");
    memcpy(into, text, length);
    into[length] = '\0';
    return 0;
}

int bisect_commit(struct prove_runner *r, const char *name, char ret[65], struct error *e)
{
    CLEANUP(free_pointer) char *wanted = NULL;
    struct error unsaid;
    if (asprintf(&wanted, "%s^{commit}", name) < 0)
        return error_set(e, ENOMEM, "out of memory");
    const char *const words[] = {"rev-parse", "--verify", "--quiet", "--end-of-options", wanted, NULL};
    int result = ask(r, NULL, words, ret, 65, &unsaid);
    return result == 0 || result == -ECANCELED
               ? result
               : error_set(e, ENOENT, "there is no commit '%.100s' in this repository", name);
}

bool bisect_is_ancestor(struct prove_runner *r, const char *old, const char *new)
{
    const char *const words[] = {"merge-base", "--is-ancestor", old, new, NULL};
    char unused[2];
    struct error e;
    return ask(r, NULL, words, unused, sizeof(unused), &e) == 0;
}

void bisect_subject(struct prove_runner *r, const char *revision, char *into, size_t size)
{
    const char *const words[] = {"log", "-1", "--no-show-signature", "--format=%<(200,trunc)%s", revision, NULL};
    CLEANUP(buffer_release) struct buffer safe;
    char line[512] = "";
    struct error e;
    buffer_init(&safe, 4096);
    (void)ask(r, NULL, words, line, sizeof(line), &e);
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == ' ')
        length--;
    text_append_safe(&safe, line, length);
    snprintf(into, size, "%s", buffer_text(&safe));
}

uint64_t bisect_distance(struct prove_runner *r, const char *good, const char *bad, bool first_parent)
{
    char range[160], count[32] = "";
    struct error e;
    uint64_t value;
    snprintf(range, sizeof(range), "%s..%s", good, bad);
    const char *const words[] = {"rev-list", "--count", range, first_parent ? "--first-parent" : NULL, NULL};
    return ask(r, NULL, words, count, sizeof(count), &e) == 0 && parse_count(count, &value) == 0 ? value : 0;
}

/* ---- the bisection ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    (void)(kind == FTW_DP ? rmdir(path) : unlink(path));
    return 0;
}

void bisection_close(struct bisection *b)
{
    if (b->folder != NULL)
        (void)nftw(b->folder, remove_one, 16, FTW_PHYS | FTW_DEPTH);
    free(b->folder);
    b->folder = NULL;
}

/* Full names of commits that stand on a line of their own. */
static void take_left(const char *text, struct bisect_step *step)
{
    while (*text != '\0' && step->left_count < BISECT_LEFT_MAX) {
        size_t size = strcspn(text, "\n"), digits = strspn(text, "0123456789abcdef");
        if (digits == size && size >= 40 && size < sizeof(step->left[0])) {
            memcpy(step->left[step->left_count], text, size);
            step->left[step->left_count++][size] = '\0';
        }
        text += size + (text[size] == '\n');
    }
}

/* What `git bisect` says it has come to (git-bisect(1); in English, as prove_git asks for it). */
static int read_step(struct bisection *b, int status, const char *text, struct bisect_step *ret, struct error *e)
{
    static const char *const head[] = {"rev-parse", "--verify", "--quiet", "BISECT_HEAD", NULL};
    struct bisect_step step = {.state = BISECT_GOES_ON};
    size_t size = strspn(text, "0123456789abcdef");
    int result = 0;
    if (status == 2 && strstr(text, "only 'skip'ped commits left") != NULL) {
        step.state = BISECT_LEFT;
        take_left(text, &step);
    } else if (status == 0 && size >= 40 && size < sizeof(step.next) &&
               strncmp(text + size, " is the first bad commit", 24) == 0) {
        step.state = BISECT_FOUND;
        memcpy(step.next, text, size);
    } else {
        result = status != 0 ? -EIO : ask(b->runner, b->folder, head, step.next, sizeof(step.next), e);
    }
    if (result < 0)
        return result == -ECANCELED ? result : error_set(e, EIO, "git bisect does not go on: %.300s", text);
    *ret = step;
    return 0;
}

static int bisect_git(struct bisection *b, const char *const *words, struct bisect_step *ret, struct error *e)
{
    CLEANUP(buffer_release) struct buffer out;
    int status = 0;
    buffer_init(&out, OUTPUT_MAX);
    int result = prove_git(b->runner, b->folder, NULL, words, &out, &status, e);
    if (result < 0)
        return result;
    const char *text = buffer_text(&out);
    return read_step(b, status, *text != '\0' ? text : e->text, ret, e);
}

int bisection_open(struct prove_runner *r, const char *good, const char *bad, bool first_parent, struct bisection *ret,
    struct bisect_step *ret_step, struct error *e)
{
    static const char *const top[] = {"rev-parse", "--show-toplevel", NULL};
    const char *temporary = getenv("TMPDIR");
    char tree[4096];
    struct bisection b = {.runner = r};
    int result = ask(r, NULL, top, tree, sizeof(tree), e);
    if (result < 0)
        return result == -ECANCELED ? result : error_set(e, ENOTDIR, "this folder is in no git work tree");
    if (asprintf(&b.folder, "%s/pitviper-bisect-XXXXXX", temporary != NULL && *temporary ? temporary : "/tmp") < 0)
        return error_set(e, ENOMEM, "out of memory");
    if (mkdtemp(b.folder) == NULL) {
        result = error_set(e, errno, "cannot make %s: %s", b.folder, strerror(errno));
        free(b.folder);
        return result;
    }
    const char *const clone[] = {"clone", "--quiet", "--shared", "--no-checkout", "--", tree, b.folder, NULL};
    const char *const start[] = {"bisect", "start", "--no-checkout", first_parent ? "--first-parent" : bad,
        first_parent ? bad : good, first_parent ? good : NULL, NULL};
    char unused[2];
    result = ask(r, NULL, clone, unused, sizeof(unused), e);
    if (result == 0)
        result = bisect_git(&b, start, ret_step, e);
    if (result < 0)
        bisection_close(&b);
    else
        *ret = b;
    return result;
}

int bisection_answer(
    struct bisection *b, const char *revision, enum bisect_answer answer, struct bisect_step *ret, struct error *e)
{
    static const char *const names[] = {[BISECT_GOOD] = "good", [BISECT_BAD] = "bad", [BISECT_SKIP] = "skip"};
    const char *const words[] = {"bisect", names[answer], revision, NULL};
    return bisect_git(b, words, ret, e);
}
