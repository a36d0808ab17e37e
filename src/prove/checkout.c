/*
 * Checkouts: a revision's files in a temporary folder, in a repository of its own that borrows the user's objects. The
 * user's tree, index and repository are read only.
 */
#include "prove/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    GIT_WORDS = 12,
    VERBOSE_VARIABLES = 8,
    REMOVE_FILES = 16, /* open at a time */
};
#define GIT_OUTPUT_MAX ((size_t)128 << 10)

/* ---- git ---- */

/* The first line of what `git WORDS...` prints, or NULL and what it says. Freed by the caller. */
static char *git(struct prove_runner *r, const char *folder, const char *const *environment, struct error *e, ...)
{
    CLEANUP(buffer_release) struct buffer out;
    const char *words[GIT_WORDS + 1] = {NULL};
    int status = 0;
    va_list more;

    buffer_init(&out, GIT_OUTPUT_MAX);
    va_start(more, e);
    for (size_t i = 0; i < GIT_WORDS && (words[i] = va_arg(more, char *)) != NULL; i++)
        continue;
    va_end(more);
    if (prove_git(r, folder, environment, words, &out, &status, e) < 0 || status != 0)
        return NULL;
    char *text = strndup(buffer_text(&out), strcspn(buffer_text(&out), "\n"));
    if (!text)
        error_set(e, ENOMEM, "out of memory");
    return text;
}

int prove_tree_dirty(struct prove_runner *r, bool *ret, struct error *e)
{
    char *text = git(r, NULL, NULL, e, "status", "--porcelain", "--untracked-files=no", NULL);
    if (!text)
        return -ENOTSUP;
    *ret = *text != '\0';
    free(text);
    return 0;
}

/* ---- folders ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    if (kind == FTW_DP || kind == FTW_D)
        return rmdir(path), 0;
    return unlink(path), 0;
}

static int allow_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)at;
    if (kind == FTW_D && (st->st_mode & S_IRWXU) != S_IRWXU)
        (void)chmod(path, S_IRWXU); /* a folder that its set-up made read-only */
    return 0;
}

void prove_checkout_free(struct prove_checkout *c)
{
    if (!c)
        return;
    if (c->root) {
        (void)nftw(c->root, allow_one, REMOVE_FILES, FTW_PHYS);
        (void)nftw(c->root, remove_one, REMOVE_FILES, FTW_PHYS | FTW_DEPTH);
    }
    free(c->root);
    free(c->folder);
    free(c->tree);
    free(c->environment[0]);
    free(c);
}

static char *join(const char *a, const char *b)
{
    char *text;
    return asprintf(&text, "%s%s%s", a, *b ? "/" : "", b) < 0 ? NULL : text;
}

/* ---- the import path: the checkout first, then what the user has, his own tree replaced ---- */

static void append_path(struct buffer *b, const char *root, const char *below)
{
    if (b->size > sizeof("PYTHONPATH=") - 1)
        buffer_append_byte(b, ':');
    buffer_append_string(b, root);
    buffer_append_string(b, below);
}

static int set_path(struct prove_checkout *c)
{
    CLEANUP(buffer_release) struct buffer b;
    const char *theirs = getenv("PYTHONPATH"), *mine = c->tree ? c->tree : "";
    char *sources = join(c->root, "src");
    struct stat st;

    buffer_init(&b, 1 << 17);
    buffer_append_string(&b, "PYTHONPATH=");
    append_path(&b, c->folder, "");
    if (strcmp(c->folder, c->root) != 0)
        append_path(&b, c->root, "");
    if (sources && stat(sources, &st) == 0 && S_ISDIR(st.st_mode))
        append_path(&b, sources, "");
    free(sources);
    while (theirs && *theirs) {
        size_t size = strcspn(theirs, ":"), tree = strlen(mine);
        bool inside = size >= tree && strncmp(theirs, mine, tree) == 0 && (size == tree || theirs[tree] == '/');
        size_t skip = inside ? tree : 0;
        char *rest = strndup(theirs + skip, size - skip);
        if (rest && size > 0)
            append_path(&b, inside ? c->root : "", rest);
        free(rest);
        theirs += size + (theirs[size] == ':');
    }
    c->environment[0] = b.failed ? NULL : strdup(buffer_text(&b));
    return c->environment[0] ? 0 : -ENOMEM;
}

/* ---- making one ---- */

/* git finds its places by these before it looks for them, and whoever runs us (a hook) may have set them. */
struct places {
    char text[3][4200];
    const char *list[4];
};

static void places_set(struct places *p, const char *root)
{
    snprintf(p->text[0], sizeof(p->text[0]), "GIT_DIR=%s/.git", root);
    snprintf(p->text[1], sizeof(p->text[1]), "GIT_WORK_TREE=%s", root);
    snprintf(p->text[2], sizeof(p->text[2]), "GIT_INDEX_FILE=%s/.git/index", root);
    p->list[0] = p->text[0];
    p->list[1] = p->text[1];
    p->list[2] = p->text[2];
    p->list[3] = NULL;
}

/* The objects are borrowed, not copied: gitrepository-layout(5), objects/info/alternates. */
static int borrow_objects(const char *root, const char *objects)
{
    CLEANUP(buffer_release) struct buffer line;
    char *path = join(root, ".git/objects/info/alternates");
    CLEANUP(fd_close) int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    int number = errno;

    free(path);
    buffer_init(&line, 8192);
    buffer_printf(&line, "%s\n", objects);
    return fd < 0 ? -number : file_write_all(fd, line.data, line.size);
}

static int fill(struct prove_runner *r, struct prove_checkout *c, const char *objects, struct error *e)
{
    struct places places;
    places_set(&places, c->root);
    char *text = git(r, c->root, places.list, e, "init", "--quiet", "--template=", NULL);
    if (!text)
        return -EIO;
    free(text);
    int number = borrow_objects(c->root, objects);
    if (number < 0)
        return error_set(e, -number, "cannot write into %s: %s", c->root, strerror(-number));
    text = git(r, c->root, places.list, e, "checkout", "--quiet", "--detach", c->revision, NULL);
    if (!text)
        return -EIO;
    free(text);
    return 0;
}

/* Facts of the tree that we stand in: its top, our place in it, its objects; and the commit. */
static int ask(struct prove_runner *r, const char *revision, struct prove_checkout *c, char **ret_prefix,
    char **ret_objects, struct error *e)
{
    char *commit = NULL, *wanted = NULL, *common = NULL;
    int result = -EIO;

    c->tree = git(r, NULL, NULL, e, "rev-parse", "--show-toplevel", NULL);
    if (!c->tree)
        return error_set(e, ENOTDIR, "--git: this folder is in no git work tree");
    *ret_prefix = git(r, NULL, NULL, e, "rev-parse", "--show-prefix", NULL);
    common = *ret_prefix ? git(r, NULL, NULL, e, "rev-parse", "--git-path", "objects", NULL) : NULL;
    *ret_objects = common ? realpath(common, NULL) : NULL;
    if (common && !*ret_objects)
        error_set(e, errno, "cannot find the objects of this repository in '%s': %s", common, strerror(errno));
    if (*ret_objects && asprintf(&wanted, "%s^{commit}", revision) >= 0)
        commit = git(r, NULL, NULL, e, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted, NULL);
    if (*ret_objects && !commit)
        error_set(e, ENOENT, "--git: there is no commit '%.100s' in this repository", revision);
    if (commit && strlen(commit) < sizeof(c->revision)) {
        snprintf(c->revision, sizeof(c->revision), "%s", commit);
        result = 0;
    }
    free(commit);
    free(wanted);
    free(common);
    return result;
}

int prove_checkout_new(struct prove_runner *r, const char *revision, struct prove_checkout **ret, struct error *e)
{
    struct prove_checkout *c = calloc(1, sizeof(*c));
    const char *temporary = getenv("TMPDIR");
    char *prefix = NULL, *objects = NULL;
    struct stat st;

    if (!c)
        return error_set(e, ENOMEM, "out of memory");
    int result = ask(r, revision, c, &prefix, &objects, e);
    if (result == 0) {
        c->root = join(temporary && *temporary ? temporary : "/tmp", "pitviper-checkout-XXXXXX");
        if (!c->root || !mkdtemp(c->root)) {
            result = error_set(e, errno, "cannot make a folder for the checkout: %s", strerror(errno));
            free(c->root);
            c->root = NULL;
        }
    }
    if (result == 0)
        result = fill(r, c, objects, e);
    if (result == 0 && prefix) {
        prefix[strcspn(prefix, "\n")] = '\0';
        prefix[*prefix ? strlen(prefix) - 1 : 0] = '\0'; /* git ends it with a slash */
        c->folder = join(c->root, prefix);
        if (!c->folder || !c->root || set_path(c) < 0)
            result = error_set(e, ENOMEM, "out of memory");
        else if (stat(c->folder, &st) < 0)
            result = error_set(e, ENOENT, "--git: '%.100s' has no folder '%s', in which you stand", revision, prefix);
    }
    free(prefix);
    free(objects);
    if (result < 0)
        prove_checkout_free(c);
    else
        *ret = c;
    return result;
}

int prove_checkout_setup(struct prove_runner *r, const struct prove_checkout *c, const char *command, struct error *e)
{
    char *words[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)command, NULL};
    struct prove_process p = {.argv = words, .folder = c->folder, .environment = (const char *const *)c->environment};
    struct prove_run run;
    int result = prove_run(r, &p, 1, &run, e);
    if (result < 0)
        return result;
    result = prove_run_check(&run, command, e);
    if (result < 0)
        error_prefix(e, "--setup in the checkout of %.12s", c->revision);
    prove_run_release(&run);
    return result;
}

/* ---- do its imports come from it? ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && path[size] == '/';
}

static bool has(const char *folder, const char *below)
{
    char path[8300];
    snprintf(path, sizeof(path), "%s/%s", folder, below);
    return access(path, F_OK) == 0;
}

/* The module's path below the folder that it was found from: below site-packages, or above its topmost __init__.py. */
static const char *below_import_root(const char *file)
{
    static const char *const places[] = {"/site-packages/", "/dist-packages/"};
    char folder[4096];

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const char *found = strstr(file, places[i]);
        if (found)
            return found + strlen(places[i]);
    }
    snprintf(folder, sizeof(folder), "%s", file);
    char *slash = strrchr(folder, '/');
    for (;;) {
        *slash = '\0';
        char *above = strrchr(folder, '/');
        if (!above || !has(folder, "__init__.py"))
            return file + strlen(folder) + 1;
        slash = above;
    }
}

/* LIB/python3.N/x.py, but not its site-packages: modules that python itself loads before any path of ours is there. */
static bool is_of_python(const char *file)
{
    const char *found = strstr(file, "/lib/python3.");
    return found && !strstr(found, "/site-packages/") && !strstr(found, "/dist-packages/");
}

static bool is_stranger(const struct prove_checkout *c, const char *file)
{
    char real[4096];
    const char *path = realpath(file, real) ? real : file, *below;
    char *sources;
    bool found;

    if (is_below(path, c->root) || is_of_python(path))
        return false;
    if (is_below(path, c->tree) && !strstr(path, "/site-packages/"))
        return true;
    below = below_import_root(path);
    sources = join(c->root, "src");
    found = has(c->root, below) || has(c->folder, below) || (sources && has(sources, below));
    free(sources);
    return found;
}

/* stderr, all of it, goes where a harness answers; the harness of a function answers into stdout, which nobody reads.
 */
static int run_verbose(
    struct prove_runner *r, const struct prove_subject *s, uint64_t timeout_ns, struct prove_run *ret, struct error *e)
{
    static const char *const command = "exec \"$@\" 2>&3 3>&-", *const function = "exec \"$@\" 2>&3 3>&1";
    struct subject_call call;
    struct prove_process how = {.timeout_ns = timeout_ns};
    struct prove_batch_options options = {.loops = 1, .batches = 1};
    /* nothing into the user's tree */
    const char *environment[VERBOSE_VARIABLES + 1] = {"PYTHONVERBOSE=1", "PYTHONDONTWRITEBYTECODE=1"};
    size_t count = 0;
    int result = subject_batch_call_init(&call, s, &options, &how, e);
    const char *const *theirs = call.process.environment;

    while (result == 0 && call.process.argv[count])
        count++;
    char **words = result == 0 ? calloc(count + 5, sizeof(*words)) : NULL;
    if (words) {
        words[0] = (char *)(uintptr_t) "sh";
        words[1] = (char *)(uintptr_t) "-c";
        words[2] = (char *)(uintptr_t)(s->kind == PROVE_FUNCTION ? function : command);
        words[3] = words[0];
        memcpy(words + 4, call.process.argv, count * sizeof(*words));
        for (size_t i = 0; theirs && theirs[i] && i + 2 < VERBOSE_VARIABLES; i++)
            environment[i + 2] = theirs[i];
        call.process.argv = words;
        call.process.environment = environment;
        call.process.answers = true;
        result = prove_run(r, &call.process, 1, ret, e);
    } else if (result == 0) {
        result = error_set(e, ENOMEM, "out of memory");
    }
    subject_call_release(&call);
    free(words);
    return result;
}

int prove_checkout_probe(struct prove_runner *r, const struct prove_checkout *c, const struct prove_subject *s,
    uint64_t timeout_ns, struct error *e)
{
    struct prove_run run;
    char file[4096];

    for (size_t i = 0; s->argv[i]; i++)
        if (is_below(s->argv[i], c->tree) && has(c->root, s->argv[i] + strlen(c->tree) + 1))
            return error_set(
                e, EXDEV, "'%s' is your own file and not the revision's: name it from this folder", s->argv[i]);
    int result = run_verbose(r, s, timeout_ns, &run, e);
    if (result < 0)
        return result;
    const char *at = (const char *)run.answer.data, *end = at ? at + run.answer.size : NULL;
    while (result == 0 && at && imports_next(&at, end, file, sizeof(file)))
        if (is_stranger(c, file))
            result = error_set(e, EXDEV,
                "the command imports %s, and not the checkout of %.12s: an editable install? name a python "
                "in which it is not installed",
                file, c->revision);
    if (run.interrupted)
        result = error_set(e, ECANCELED, "interrupted");
    prove_run_release(&run);
    return result;
}
