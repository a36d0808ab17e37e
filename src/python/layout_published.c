/*
 * The layout that a 3.13+ interpreter publishes about itself (struct _Py_DebugOffsets, Include/internal/
 * pycore_runtime.h of 3.13, pycore_debug_offsets.h of 3.14 and 3.15), plus this minor version's distances.
 * The shape of the struct is frozen within a minor version from its first release candidate on; the values in
 * it are not.
 *
 * Everything is checked here, once, so that the sampling path needs no checks: every field lies inside its
 * struct, is aligned to its width, overlaps no other field that is read, and every struct has a size that
 * could be.
 */
#include "python/layout_private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    WORD_VERSION = 8,
    WORD_FREE_THREADED = 16,
    PREFIX_SIZE = 24,
    /* PY_RELEASE_LEVEL_GAMMA (release candidate), Include/patchlevel.h */
    RELEASE_CANDIDATE = 0xc,
    FIRST_FREE_THREADED = 14, /* the first minor version whose free-threaded build has a table */
    FIELD_CAP = 128,
};

/* What a struct's size may be: from the headers of 3.8 to 3.15, with generous room to grow. */
static const struct {
    uint64_t least, most;
} size_limits[PYTHON_GROUP_COUNT] = {
    [PYTHON_GROUP_runtime] = {256, 16u << 20},
    [PYTHON_GROUP_interpreter] = {512, 16u << 20},
    [PYTHON_GROUP_gil] = {32, 4096},
    [PYTHON_GROUP_thread] = {128, 65536},
    [PYTHON_GROUP_cframe] = {8, 256},
    [PYTHON_GROUP_chunk] = {32, 64},
    [PYTHON_GROUP_frame] = {64, 1024},
    [PYTHON_GROUP_code] = {128, 2048},
    [PYTHON_GROUP_monitoring] = {64, 1024},
    [PYTHON_GROUP_function] = {128, 1024},
    [PYTHON_GROUP_object] = {16, 128},
    [PYTHON_GROUP_type] = {256, 4096},
    [PYTHON_GROUP_unicode] = {32, 256},
    [PYTHON_GROUP_bytes] = {32, 256},
    [PYTHON_GROUP_tuple] = {24, 256},
    [PYTHON_GROUP_integer] = {24, 256},
    [PYTHON_GROUP_dict] = {40, 512},
    [PYTHON_GROUP_module] = {24, 512},
    [PYTHON_GROUP_list] = {24, 256},
    [PYTHON_GROUP_set] = {40, 512},
    [PYTHON_GROUP_weakref] = {24, 256},
    [PYTHON_GROUP_generator] = {80, 1024},
};

static const char *const group_names[PYTHON_GROUP_COUNT] = {
    [PYTHON_GROUP_runtime] = "runtime_state",
    [PYTHON_GROUP_interpreter] = "interpreter_state",
    [PYTHON_GROUP_gil] = "gil_runtime_state",
    [PYTHON_GROUP_thread] = "thread_state",
    [PYTHON_GROUP_cframe] = "cframe",
    [PYTHON_GROUP_chunk] = "stack_chunk",
    [PYTHON_GROUP_frame] = "interpreter_frame",
    [PYTHON_GROUP_code] = "code_object",
    [PYTHON_GROUP_monitoring] = "monitoring_data",
    [PYTHON_GROUP_function] = "function_object",
    [PYTHON_GROUP_object] = "pyobject",
    [PYTHON_GROUP_type] = "type_object",
    [PYTHON_GROUP_unicode] = "unicode_object",
    [PYTHON_GROUP_bytes] = "bytes_object",
    [PYTHON_GROUP_tuple] = "tuple_object",
    [PYTHON_GROUP_integer] = "long_object",
    [PYTHON_GROUP_dict] = "dict_object",
    [PYTHON_GROUP_module] = "module_object",
    [PYTHON_GROUP_list] = "list_object",
    [PYTHON_GROUP_set] = "set_object",
    [PYTHON_GROUP_weakref] = "weakref_object",
    [PYTHON_GROUP_generator] = "gen_object",
};

/* What has been placed so far: the field's group, span and name. */
struct placed {
    uint8_t group;
    uint64_t start, end;
    const char *name;
};
struct parse {
    const uint8_t *data;
    const struct python_published *shape;
    uint64_t sizes[PYTHON_GROUP_COUNT];
    struct placed placed[FIELD_CAP];
    size_t count;
    struct python_layout layout;
    struct error *error;
};

static uint64_t word_at(const uint8_t *data, size_t offset)
{
    uint64_t value;
    memcpy(&value, data + offset, sizeof value);
    return value;
}

static void member_set(struct python_layout *l, size_t member, uint16_t value)
{
    memcpy((uint8_t *)l + member, &value, sizeof value);
}

static uint16_t member_get(const struct python_layout *l, size_t member)
{
    uint16_t value;
    memcpy(&value, (const uint8_t *)l + member, sizeof value);
    return value;
}

static int place(struct parse *p, uint16_t member, uint8_t group, uint8_t width, uint64_t at, const char *name)
{
    /* The characters of a compact str start where its struct ends (Objects/unicodeobject.c: data = (op + 1)).
     */
    bool behind = group == PYTHON_GROUP_unicode && width == 1;
    uint64_t limit = p->sizes[group];
    if (at >= PYTHON_FIELD_NONE || (behind ? at > limit : at + width > limit))
        return error_set(p->error, EINVAL,
            "the interpreter publishes %s = %" PRIu64 ", outside its struct of %" PRIu64
            " bytes: damaged or not CPython's own table",
            name, at, limit);
    if (at % width != 0)
        return error_set(p->error, EINVAL,
            "the interpreter publishes %s = %" PRIu64 ", not aligned to its %u bytes: damaged table", name, at, width);
    for (size_t i = 0; i < p->count && !behind; i++) {
        const struct placed *other = &p->placed[i];
        if (other->group == group && at < other->end && other->start < at + width)
            return error_set(p->error, EINVAL,
                "the interpreter publishes %s = %" PRIu64 ", on top of %s = %" PRIu64 ": damaged table", name, at,
                other->name, other->start);
    }
    if (!behind && p->count < FIELD_CAP)
        p->placed[p->count++] = (struct placed){group, at, at + width, name};
    member_set(&p->layout, member, (uint16_t)at);
    return 0;
}

static int read_sizes(struct parse *p)
{
    for (size_t g = 0; g < PYTHON_GROUP_COUNT; g++) {
        if (p->shape->sizes[g] == 0) {
            p->sizes[g] = size_limits[g].most;
            continue;
        }
        uint64_t size = word_at(p->data, p->shape->sizes[g]);
        if (size < size_limits[g].least || size > size_limits[g].most)
            return error_set(p->error, EINVAL,
                "the interpreter publishes %s.size = %" PRIu64 ", not between %" PRIu64 " and %" PRIu64
                ": damaged or not CPython's own table",
                group_names[g], size, size_limits[g].least, size_limits[g].most);
        p->sizes[g] = size;
    }
    return 0;
}

static int read_published(struct parse *p)
{
    for (size_t i = 0; i < p->shape->field_count; i++) {
        const struct python_published_field *f = &p->shape->fields[i];
        uint64_t at = word_at(p->data, f->word);
        if (f->how != PYTHON_WORD) {
            uint64_t second = word_at(p->data, f->second);
            /* Both inside the interpreter state, so that neither sum nor difference can wrap. */
            uint64_t limit = p->sizes[PYTHON_GROUP_interpreter];
            if (at >= limit || second >= limit || (f->how == PYTHON_WORD_MINUS && at < second))
                return error_set(p->error, EINVAL,
                    "the interpreter publishes %s = %" PRIu64 " and %" PRIu64 ": damaged table", f->name, at, second);
            at = f->how == PYTHON_WORD_PLUS ? at + second : at - second;
        }
        int r = place(p, f->member, f->group, f->width, at, f->name);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_distances(struct parse *p)
{
    for (size_t i = 0; i < p->shape->distance_count; i++) {
        const struct python_distance *d = &p->shape->distances[i];
        int64_t base = d->base == UINT16_MAX ? 0 : member_get(&p->layout, d->base);
        int64_t at = base + d->distance;
        int r = place(p, d->member, d->group, d->width, at < 0 ? UINT64_MAX : (uint64_t)at, d->name);
        if (r < 0)
            return r;
    }
    return 0;
}

static const struct python_published *find_shape(uint16_t version, bool free_threaded)
{
    static const struct python_published *const shapes[] = {&python_published_3_13, &python_published_3_14,
        &python_published_3_15, &python_published_3_14t, &python_published_3_15t};
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        if (shapes[i]->version == version && shapes[i]->free_threaded == free_threaded)
            return shapes[i];
    }
    return NULL;
}

int python_layout_from_debug_offsets(const void *data, size_t size, struct python_layout *ret, struct error *e)
{
    /* The eight bytes of debug_cookie, set by _PyRuntimeState_INIT (Python/pylifecycle.c). */
    if (size < PREFIX_SIZE || memcmp(data, "xdebugpy", 8) != 0)
        return error_set(e, EINVAL, "_PyRuntime does not begin with CPython's table of offsets");
    uint64_t hex = word_at(data, WORD_VERSION);
    if (hex >> 24 != 3)
        return error_set(e, ENOTSUP, "an interpreter of version %" PRIx64 " is none of CPython 3.8 to 3.15", hex);
    uint32_t minor = (uint32_t)(hex >> 16) & 0xff, micro = (uint32_t)(hex >> 8) & 0xff;
    uint32_t level = (uint32_t)(hex >> 4) & 0xf;
    uint64_t free_threaded = word_at(data, WORD_FREE_THREADED);
    if (free_threaded > 1)
        return error_set(
            e, EINVAL, "the interpreter publishes free_threaded = %" PRIu64 ": damaged table", free_threaded);
    const struct python_published *shape = find_shape((uint16_t)(0x300 | minor), free_threaded == 1);
    if (shape == NULL && free_threaded == 1 && minor < FIRST_FREE_THREADED)
        return error_set(e, ENOTSUP,
            "CPython 3.%u.%u is a free-threaded build, and only those from 3.14 on can be read: use a newer one, or "
            "the "
            "default build",
            minor, micro);
    if (shape == NULL)
        return error_set(e, ENOTSUP, "CPython 3.%u.%u is not known to this program: use a newer one", minor, micro);
    if (level < RELEASE_CANDIDATE)
        return error_set(e, ENOTSUP,
            "CPython 3.%u.%u is a pre-release whose memory may look like no other's: use a release", minor, micro);
    if (size < shape->size)
        return error_set(
            e, EINVAL, "the interpreter's table of offsets is cut short: %zu of %u bytes", size, shape->size);

    struct parse p = {.data = data, .shape = shape, .error = e};
    p.layout.version = shape->version;
    p.layout.published = true;
    p.layout.free_threaded = shape->free_threaded;
#define NONE_BY_DEFAULT(group, field) p.layout.group##_##field = PYTHON_FIELD_NONE;
    PYTHON_LAYOUT_FIELDS(NONE_BY_DEFAULT)
#undef NONE_BY_DEFAULT
    int r = read_sizes(&p);
    if (r == 0)
        r = read_published(&p);
    if (r == 0)
        r = add_distances(&p);
    if (r < 0)
        return r;
    p.layout.runtime_size = (uint32_t)p.sizes[PYTHON_GROUP_runtime];
    p.layout.interpreter_size = (uint32_t)p.sizes[PYTHON_GROUP_interpreter];
    p.layout.thread_size = (uint32_t)p.sizes[PYTHON_GROUP_thread];
    /* The published size counts one item of the array that the struct ends in. */
    p.layout.frame_size = p.layout.frame_localsplus;
    *ret = p.layout;
    return 0;
}
