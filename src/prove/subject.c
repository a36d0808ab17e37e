/* Subjects: what is run, made from what the user wrote. */
#include "prove/inside.h"
#include "python/python.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUBJECT_BYTES_MAX = 16 << 20 };
#define RESOLVE_NS (UINT64_C(60) * 1000000000)

/* NULL: out of memory, told. */
static struct prove_subject *subject_begin(
    const struct prove_subject_options *options, const char *name, struct error *e)
{
    struct prove_subject *s = calloc(1, sizeof(*s));
    if (s) {
        arena_init(&s->arena, SUBJECT_BYTES_MAX);
        s->options = options ? *options : (struct prove_subject_options){0};
        s->name = arena_strndup(&s->arena, name, strlen(name));
    }
    if (s && s->name)
        return s;
    prove_subject_free(s);
    error_set(e, ENOMEM, "out of memory");
    return NULL;
}

void prove_subject_free(struct prove_subject *s)
{
    if (!s)
        return;
    arena_release(&s->arena);
    free(s);
}

/* A script or -m gets its python here. */
static int set_words(struct prove_subject *s, int argc, char **argv, struct error *e)
{
    char *interpreter = arena_alloc(&s->arena, 4096);
    char **words = interpreter ? python_command(s->options.python, argc, argv, interpreter, 4096) : NULL;
    size_t count = 0;

    while (words && words[count])
        count++;
    char **kept = words ? arena_alloc(&s->arena, (count + 1) * sizeof(*kept)) : NULL;
    for (size_t i = 0; kept && i < count; i++) {
        kept[i] = arena_strndup(&s->arena, words[i], strlen(words[i]));
        if (!kept[i])
            kept = NULL;
    }
    free(words);
    s->argv = kept;
    return kept ? 0 : error_set(e, ENOMEM, "out of memory");
}

static int set_shell(struct prove_subject *s, struct error *e)
{
    char **words = arena_alloc(&s->arena, 4 * sizeof(*words));
    if (!words)
        return error_set(e, ENOMEM, "out of memory");
    words[0] = (char *)(uintptr_t) "sh";
    words[1] = (char *)(uintptr_t) "-c";
    words[2] = (char *)(uintptr_t)s->name;
    s->argv = words;
    s->shell = true;
    return 0;
}

static int set_function(struct prove_subject *s, struct error *e)
{
    char *interpreter = arena_alloc(&s->arena, 4096);
    char **words = arena_alloc(&s->arena, 2 * sizeof(*words));
    if (!interpreter || !words)
        return error_set(e, ENOMEM, "out of memory");
    if (s->options.args) {
        char *whole = realpath(s->options.args, NULL);
        if (!whole)
            return error_set(e, errno, "cannot read the arguments in '%s': %s", s->options.args, strerror(errno));
        s->options.args = arena_strndup(&s->arena, whole, strlen(whole));
        free(whole);
        if (!s->options.args)
            return error_set(e, ENOMEM, "out of memory");
    }
    python_choose(s->options.python, NULL, interpreter, 4096);
    words[0] = interpreter;
    s->argv = words;
    s->kind = PROVE_FUNCTION;
    return 0;
}

int prove_subject_new(
    const char *text, const struct prove_subject_options *options, struct prove_subject **ret, struct error *e)
{
    struct prove_subject *s = subject_begin(options, text, e);
    char **words;
    size_t count = 0;
    bool shell;
    int r;

    if (!s)
        return -ENOMEM;
    if (split_is_function(text)) {
        r = set_function(s, e);
    } else {
        r = split_words(text, &s->arena, &words, &count, &shell, e);
        if (r < 0)
            error_prefix(e, "in '%.100s'", text);
        else if (count == 0)
            r = error_set(e, EINVAL, "there is no command to run in '%.100s'", text);
        else
            r = shell ? set_shell(s, e) : set_words(s, (int)count, words, e);
    }
    if (r < 0)
        prove_subject_free(s);
    else
        *ret = s;
    return r;
}

int prove_subject_new_command(
    char *const *argv, const struct prove_subject_options *options, struct prove_subject **ret, struct error *e)
{
    CLEANUP(buffer_release) struct buffer name;
    struct prove_subject *s;
    int count = 0;

    buffer_init(&name, SPAWN_WORDS_MAX);
    for (; argv[count]; count++) {
        if (count > 0)
            buffer_append_byte(&name, ' ');
        buffer_append_string(&name, argv[count]);
    }
    if (count == 0)
        return error_set(e, EINVAL, "there is no command to run");
    s = subject_begin(options, buffer_text(&name), e);
    if (!s)
        return -ENOMEM;
    int r;
    if (count == 1 && split_is_function(argv[0]))
        r = set_function(s, e);
    else
        r = set_words(s, count, (char **)(uintptr_t)argv, e);
    if (r < 0)
        prove_subject_free(s);
    else
        *ret = s;
    return r;
}

/* ---- shims ---- */

/* Whether the word names, on the path or by itself, a file that begins with #!. */
static bool is_shim(const char *word)
{
    const char *path = strchr(word, '/') ? "" : getenv("PATH");
    char file[4096], begin[2] = "";

    for (const char *at = path ? path : "/bin:/usr/bin";;) {
        size_t size = strcspn(at, ":");
        snprintf(file, sizeof(file), "%.*s%s%s", (int)size, at, size ? "/" : "", word);
        if (access(file, X_OK) == 0) {
            CLEANUP(fd_close) int fd = open(file, O_RDONLY | O_CLOEXEC);
            return fd >= 0 && read(fd, begin, 2) == 2 && begin[0] == '#' && begin[1] == '!';
        }
        if (at[size] == '\0')
            return false;
        at += size + 1;
    }
}

bool subject_is_python(const struct prove_subject *s)
{
    const char *slash = strrchr(s->argv[0], '/');
    return !s->shell && strncmp(slash ? slash + 1 : s->argv[0], "python", 6) == 0;
}

int prove_subject_resolve(struct prove_runner *r, struct prove_subject *s, struct error *e)
{
    char *words[] = {
        s->argv[0], (char *)(uintptr_t) "-c", (char *)(uintptr_t) "import sys; print(sys.executable)", NULL};
    struct prove_process p = {
        .argv = words, .folder = s->options.folder, .environment = s->options.environment, .timeout_ns = RESOLVE_NS};
    struct prove_run run;

    if (!subject_is_python(s) || !is_shim(s->argv[0]))
        return 0;
    int result = prove_run(r, &p, 1, &run, e);
    if (result < 0)
        return result;
    result = prove_run_check(&run, s->argv[0], e);
    if (result == 0 && run.out.kept > 1 && run.out.head[0] == '/') {
        size_t count = 1;
        while (s->argv[count])
            count++;
        char **words_new = arena_alloc(&s->arena, (count + 1) * sizeof(*words_new));
        char *python = arena_strndup(&s->arena, run.out.head, run.out.kept - 1);
        if (words_new && python) {
            memcpy(words_new, s->argv, count * sizeof(*words_new));
            words_new[0] = python;
            s->argv = words_new;
        }
    }
    prove_run_release(&run);
    return result;
}
