/* A learner's variant of the capstone: drawn from its seed, laid down, and told of once it is passed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/program.h"

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

#define SITES_MAX 64u

static void release_json(json_t **j)
{
    json_decref(*j);
}

/* ---- drawing ---- */
static int take_record(struct variant *v, const uint8_t *name, uint32_t name_size, const uint8_t *data, uint32_t size)
{
    if (name_size == 3 && memcmp(name, "KEY", 3) == 0) {
        v->key = (const char *)data;
        v->key_size = size;
    } else if (name_size == 5 && memcmp(name, "NAMES", 5) == 0) {
        v->names = (const char *)data;
        v->names_size = size;
    } else {
        if (v->count == VARIANT_FILES_MAX || name_size >= sizeof(v->texts[0]))
            return -EBADMSG;
        memcpy(v->texts[v->count], name, name_size);
        v->files[v->count] = (struct source_file){v->texts[v->count], (const char *)data, size};
        v->count++;
    }
    return 0;
}

int variant_draw(struct runner *s, uint64_t seed, struct variant *ret, struct error *e)
{
    struct reader at;
    *ret = (struct variant){.count = 0};
    int r = variant_make(s, seed, &ret->payload, &at, e);
    if (r < 0)
        return r;
    while (r == 0 && at.at < at.end && !at.failed) {
        uint32_t name_size = reader_le32(&at);
        const uint8_t *name = reader_bytes(&at, name_size);
        uint32_t size = reader_le32(&at);
        const uint8_t *data = reader_bytes(&at, size);
        r = at.failed ? -EBADMSG : take_record(ret, name, name_size, data, size);
    }
    if (r == 0 && !at.failed && ret->count > 0 && ret->key && ret->names)
        return 0;
    variant_release(ret);
    return error_set(e, EBADMSG, "the maker of variants sent none");
}

void variant_release(struct variant *v)
{
    buffer_release(&v->payload);
    *v = (struct variant){.count = 0};
}

/* A runner of its own, for what is asked for outside of a check. */
static int draw_alone(
    const struct grade_lab *lab, uint64_t seed, const char *python, struct variant *ret, struct error *e)
{
    const struct grade_options o = {.python = python, .level_most = SANDBOX_LEVEL_BEST};
    struct runner runner;
    int r = lab->kind == GRADE_PROGRAM && seed != 0 ? runner_init(&runner, lab, &o, e)
                                                    : error_set(e, EINVAL, "%s has no variant", lab->id);
    if (r < 0)
        return r;
    r = variant_draw(&runner, seed, ret, e);
    runner_release(&runner);
    return r;
}

/* ---- laying down ---- */
struct laying {
    const char *folder;
    unsigned written, kept;
    struct error *e;
};

static int make_folders(struct laying *l, const char *below)
{
    char path[4096];
    for (const char *end = below; end; end = end[0] ? end + 1 : NULL) {
        end = strchrnul(end, '/');
        int size = snprintf(path, sizeof(path), "%s/%.*s", l->folder, (int)(end - below), below);
        if (size >= (int)sizeof(path))
            return error_set(l->e, ENAMETOOLONG, "cannot make %s: its path is too long", below);
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return error_set(l->e, errno, "cannot make the folder %s: %s", path, strerror(errno));
    }
    return 0;
}

/* below: "" or a folder. What is there is left. */
static int lay(struct laying *l, const char *below, const char *name, const char *text, size_t size)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/%s%s%s", l->folder, below, below[0] ? "/" : "", name) >= (int)sizeof(path))
        return error_set(l->e, ENAMETOOLONG, "cannot write %s: its path is too long", name);
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 && errno == EEXIST) {
        l->kept++;
        return 0;
    }
    int r = fd < 0 ? -errno : file_write_all(fd, text, size);
    if (r < 0)
        return error_set(l->e, -r, "cannot write %s: %s", path, strerror(-r));
    l->written++;
    return 0;
}

static int lay_package(struct laying *l, const struct variant *v, const char *below)
{
    int r = make_folders(l, below);
    for (size_t i = 0; r == 0 && i < v->count; i++)
        r = lay(l, below, strrchr(v->files[i].name, '/') + 1, v->files[i].text, v->files[i].size);
    return r;
}

int grade_program_write(const struct grade_lab *lab, uint64_t seed, const char *python, const char *folder,
    unsigned *ret_written, unsigned *ret_kept, struct error *e)
{
    static const char *const tools[] = {"run.py", "workloads.py"};
    struct laying l = {.folder = folder, .e = e};
    struct variant v;
    int r = draw_alone(lab, seed, python, &v, e);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tools); i++) {
        const struct grade_file *f = grade_lab_file(lab, tools[i]);
        r = lay(&l, "", tools[i], f->data, f->size);
    }
    if (r == 0)
        r = lay_package(&l, &v, GRADE_PROGRAM_FOLDER);
    if (r == 0)
        r = lay_package(&l, &v, GRADE_PROGRAM_UNTOUCHED);
    variant_release(&v);
    if (r < 0)
        return r;
    *ret_written = l.written;
    *ret_kept = l.kept;
    return 0;
}

/* ---- the key, as text ---- */
static const char *text_of(json_t *from, const char *key)
{
    const char *text = json_string_value(json_object_get(from, key));
    return text ? text : "";
}

static json_t *entry_of(json_t *list, const char *id)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(text_of(json_array_get(list, i), "id"), id) == 0)
            return json_array_get(list, i);
    return NULL;
}

static void put_site(struct buffer *b, json_t *site, json_t *known)
{
    json_t *what = json_object_get(json_object_get(known, "sites"), text_of(site, "site"));
    buffer_printf(b, "- `%s`", text_of(site, "function"));
    for (size_t i = 0; i < json_array_size(json_object_get(site, "also")); i++)
        buffer_printf(b, "%s`%s`", i == 0 ? "; also " : ", ",
            json_string_value(json_array_get(json_object_get(site, "also"), i)));
    buffer_printf(b, ": %s.\n", text_of(site, "what"));
    if (what)
        buffer_printf(b, "  What a quick repair forgets: %s.\n", text_of(what, "trap"));
}

static void put_key(struct buffer *b, const struct grade_lab *lab, json_t *key, json_t *known)
{
    json_t *plants = json_object_get(key, "plants"), *decoys = json_object_get(key, "decoys");
    const char *last = "";
    buffer_printf(b, "# %s: what was planted in your copy\n", lab->title);
    for (size_t i = 0; i < json_array_size(plants) && i < SITES_MAX; i++) {
        json_t *site = json_array_get(plants, i),
               *plant = entry_of(json_object_get(known, "plants"), text_of(site, "id"));
        if (strcmp(last, text_of(site, "id")) != 0)
            buffer_printf(b, "\n## %s (`%s`, module %.2s)\n\n", text_of(plant, "title"), text_of(site, "scenario"),
                text_of(plant, "module"));
        last = text_of(site, "id");
        put_site(b, site, plant);
    }
    buffer_append_string(b, "\n## What looks like one and is none\n\n");
    for (size_t i = 0; i < json_array_size(decoys) && i < SITES_MAX; i++)
        put_site(b, json_array_get(decoys, i), NULL);
    buffer_append_string(b,
        "\nThe repair that the limits were made with is `capstone/solution` of the course, with the "
        "names of `capstone/app`.\n");
}

int grade_program_key(
    const struct grade_lab *lab, uint64_t seed, const char *python, struct buffer *into, struct error *e)
{
    const struct grade_file *plants = grade_lab_file(lab, "plants.json");
    struct variant v;
    int r = draw_alone(lab, seed, python, &v, e);
    if (r < 0)
        return r;
    CLEANUP(release_json) json_t *key = json_loadb(v.key, v.key_size, 0, NULL);
    CLEANUP(release_json) json_t *known = json_loadb(plants->data, plants->size, 0, NULL);
    if (key && known)
        put_key(into, lab, key, known);
    else
        r = error_set(e, EBADMSG, "the course has no key of this variant");
    variant_release(&v);
    return r == 0 && into->failed ? error_set(e, ENOMEM, "out of memory for the key") : r;
}
