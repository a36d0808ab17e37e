/* A recording's events into the model: ids to what they mean, the same thing once. */
#include "profile/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int text_of(struct load *l, const char *text, const char **ret, uint32_t *ret_id)
{
    uint32_t id;
    int r = strings_intern(&l->w->strings, text, strlen(text), &id);
    if (r < 0)
        return r;
    *ret = strings_get(&l->w->strings, id, NULL);
    if (ret_id != NULL)
        *ret_id = id;
    return 0;
}

/* ---- functions, lines, nodes ---- */

int load_function(
    struct load *l, enum profile_kind kind, const char *name, const char *file, uint32_t first_line, uint32_t *ret)
{
    uint32_t key[4] = {(uint32_t)kind, 0, 0, first_line};
    struct profile_function f = {.kind = kind, .first_line = first_line};
    int r = text_of(l, name, &f.name, &key[1]);
    if (r == 0)
        r = text_of(l, file, &f.file, &key[2]);
    if (r == 0)
        r = array_reserve(
            &l->w->functions, &l->w->function_capacity, l->p->function_count + 1, sizeof(*l->w->functions));
    if (r == 0)
        r = strings_intern(&l->function_keys, (const char *)key, sizeof(key), ret);
    if (r == 0 && *ret == l->p->function_count)
        l->w->functions[l->p->function_count++] = f;
    return r;
}

/* The line of that key; where it is new, as it is told here. */
static int find_line(struct load *l, struct map *in, uint64_t key, const struct profile_line *as, uint32_t *ret)
{
    uint64_t index;
    if (!map_get(in, key, &index)) {
        index = l->p->line_count;
        int r = array_reserve(&l->w->lines, &l->w->line_capacity, index + 1, sizeof(*l->w->lines));
        if (r == 0)
            r = index >= PROFILE_NONE ? -ENOMEM : map_put(in, key, index);
        if (r < 0)
            return r;
        l->w->lines[index] = *as;
        l->p->line_count++;
    }
    *ret = (uint32_t)index;
    return 0;
}

int load_line(struct load *l, uint32_t function, uint32_t line, uint32_t column, uint32_t *ret)
{
    const struct profile_line as = {
        .function = function, .line = line, .column = l->p->options.columns && line > 0 ? column : 0};
    int r = find_line(l, &l->line_index, (uint64_t)function << 32 | line, &as, ret);
    /* Another column than that of the line's first place: by that one and the column. */
    if (r == 0 && l->w->lines[*ret].column != as.column)
        r = find_line(l, &l->place_index, (uint64_t)*ret << 32 | as.column, &as, ret);
    return r;
}

int load_node(struct load *l, uint32_t parent, uint32_t line, uint32_t *ret)
{
    uint64_t key = (uint64_t)parent << 32 | line, index;
    if (!map_get(&l->node_index, key, &index)) {
        index = l->p->node_count;
        int r = array_reserve(&l->w->nodes, &l->w->node_capacity, index + 1, sizeof(*l->w->nodes));
        if (r == 0)
            r = index >= PROFILE_NONE ? -ENOMEM : map_put(&l->node_index, key, index);
        if (r < 0)
            return r;
        l->w->nodes[index] =
            (struct profile_node){.parent = parent, .line = line, .first_child = PROFILE_NONE, .sibling = PROFILE_NONE};
        l->p->node_count++;
    }
    *ret = (uint32_t)index;
    return 0;
}

static int find_pseudo(struct load *l, enum profile_kind kind, uint32_t *ret_line)
{
    static const char *const names[] = {
        [PROFILE_PYTHON] = "",
        [PROFILE_GC] = "<garbage collector>",
        [PROFILE_CUT] = "<unknown callers>",
        [PROFILE_NO_FRAME] = "<no Python frame>",
    };
    uint32_t function = 0;
    int r = load_function(l, kind, names[kind], "", 0, &function);
    return r < 0 ? r : load_line(l, function, 0, 0, ret_line);
}

/* ---- what a recording defines ---- */

static int on_code(void *context, const struct record_code *c)
{
    struct load *l = context;
    int r = array_reserve(&l->code_function, &l->code_capacity, (size_t)c->id + 1, sizeof(*l->code_function));
    if (r < 0)
        return r;
    return load_function(l, PROFILE_PYTHON, c->qualname, c->file, c->first_line, &l->code_function[c->id]);
}

static int on_frame(void *context, const struct record_frame *f)
{
    struct load *l = context;
    int r = array_reserve(&l->frame_line, &l->frame_capacity, (size_t)f->id + 1, sizeof(*l->frame_line));
    if (r < 0)
        return r;
    uint32_t *line = &l->frame_line[f->id];
    switch (f->kind) {
    case RECORD_FRAME_PYTHON:
        return load_line(l, l->code_function[f->code], f->line, f->column, line);
    case RECORD_FRAME_GC:
        return find_pseudo(l, PROFILE_GC, line);
    case RECORD_FRAME_CUT:
        return find_pseudo(l, PROFILE_CUT, line);
    }
    return -EINVAL;
}

static int on_stack(void *context, uint32_t id, uint32_t parent, uint32_t frame)
{
    struct load *l = context;
    int r = array_reserve(&l->stack_node, &l->stack_capacity, (size_t)id + 1, sizeof(*l->stack_node));
    if (r < 0)
        return r;
    uint32_t above = parent == 0 ? 0 : l->stack_node[parent];
    return load_node(l, above, l->frame_line[frame], &l->stack_node[id]);
}

static int on_process(void *context, const struct record_process *p)
{
    struct load *l = context;
    struct whole *w = l->w;
    int r = array_reserve(&w->processes, &w->process_capacity, (size_t)p->id + 1, sizeof(*w->processes));
    if (r < 0)
        return r;
    if (p->id == l->p->process_count) {
        r = runs_begin(l, p->run);
        if (r < 0)
            return r;
        w->processes[p->id] = (struct profile_process){.status = -1, .run = p->run};
        l->p->process_count++;
    }
    struct profile_process *to = &w->processes[p->id];
    to->id = p->id;
    to->parent = p->parent;
    to->pid = p->pid;
    to->image = p->image;
    to->start_ns = p->start_ns;
    r = text_of(l, p->python, &to->python, NULL);
    return r < 0 ? r : text_of(l, p->command, &to->command, NULL);
}

static int on_process_end(void *context, const struct record_process_end *end)
{
    struct load *l = context;
    struct profile_process *p = &l->w->processes[end->process];
    p->ended = true;
    p->status = end->status;
    p->end_ns = end->time_ns;
    p->cpu_ns = end->cpu_ns;
    return 0;
}

static int on_thread(void *context, const struct record_thread *t)
{
    struct load *l = context;
    struct whole *w = l->w;
    int r = array_reserve(&w->threads, &w->thread_capacity, (size_t)t->id + 1, sizeof(*w->threads));
    if (r == 0)
        r = array_reserve(&l->threads, &l->thread_capacity, (size_t)t->id + 1, sizeof(*l->threads));
    if (r < 0)
        return r;
    if (t->id == l->p->thread_count) {
        const struct profile_options *o = &l->p->options;
        bool named = o->thread == NULL || (l->follows ? pick_matches(o, t) : map_get(&l->named, t->id, NULL));
        bool picked = named && (o->pid == 0 || w->processes[t->process].pid == o->pid);
        w->threads[t->id] = (struct profile_thread){.process = t->process};
        l->threads[t->id] = (struct run_thread){.picked = picked,
            .cell = PROFILE_NONE,
            .lane = PROFILE_NONE,
            .task = PROFILE_NONE,
            .since = l->p->ticks,
            .since_ns = l->p->last_ns};
        l->p->thread_count++;
    }
    /* A thread never changes its process; what a stranger's file says later is not heard. */
    w->threads[t->id].tid = t->tid;
    return text_of(l, t->name, &w->threads[t->id].name, NULL);
}

static int on_thread_cpu(void *context, const struct record_thread_cpu *c)
{
    struct load *l = context;
    struct profile_thread *t = &l->w->threads[c->thread];
    t->measured = true;
    t->kernel_cpu_ns = c->kernel_cpu_ns;
    t->kernel_wait_ns = c->kernel_wait_ns;
    return 0;
}

static int on_meta(void *context, const char *key, const char *value)
{
    struct load *l = context;
    struct profile_meta m;
    uint32_t key_id, value_id;
    uint64_t index = l->p->meta_count;
    int r = text_of(l, key, &m.key, &key_id);
    if (r == 0)
        r = text_of(l, value, &m.value, &value_id);
    if (r < 0)
        return r;
    /* Notes may have one key and stand beside each other; of the rest the last counts. */
    bool note = strncmp(key, "note.", 5) == 0;
    uint64_t identity = (uint64_t)key_id << 32 | (note ? value_id : UINT32_MAX);
    if (!map_get(&l->meta_index, identity, &index)) {
        r = array_reserve(&l->w->metas, &l->w->meta_capacity, l->p->meta_count + 1, sizeof(*l->w->metas));
        if (r == 0)
            r = map_put(&l->meta_index, identity, index);
        if (r < 0)
            return r;
        l->p->meta_count++;
    }
    l->w->metas[index] = m;
    return 0;
}

static int on_counters(void *context, const struct record_counters *c)
{
    struct load *l = context;
    l->p->counters = *c;
    l->p->has_counters = true;
    return 0;
}

static int on_source(
    void *context, const char *path, const uint8_t digest[32], const uint8_t *text, size_t size, bool whole)
{
    struct load *l = context;
    struct whole *w = l->w;
    struct profile_source s = {.whole = whole};
    uint32_t path_id;
    uint64_t index;
    int r = text_of(l, path, &s.path, &path_id);
    if (r < 0)
        return r;
    memcpy(s.sha256, digest, sizeof(s.sha256));
    if (map_get(&w->source_index, path_id, &index) && (w->sources[index].size > 0 || size == 0))
        return 0;
    if (size > 0 && w->texts.used + size < SOURCE_BYTES_MAX) {
        s.text = arena_strndup(&w->texts, (const char *)text, size);
        if (s.text == NULL)
            return -ENOMEM;
        s.size = size;
    }
    s.whole = whole && s.size == size;
    if (!map_get(&w->source_index, path_id, &index)) {
        index = l->p->source_count;
        r = array_reserve(&w->sources, &w->source_capacity, index + 1, sizeof(*w->sources));
        if (r == 0)
            r = map_put(&w->source_index, path_id, index);
        if (r < 0)
            return r;
        l->p->source_count++;
    }
    w->sources[index] = s;
    return 0;
}

/* ---- what happens ---- */

static int on_state(void *context, uint32_t thread, uint32_t stack, uint32_t state)
{
    struct load *l = context;
    uint32_t node = 0;
    if (stack != 0) {
        node = l->stack_node[stack];
    } else if ((state & RECORD_PRESENT) != 0) {
        if (l->no_frame == PROFILE_NONE) {
            uint32_t line;
            int r = find_pseudo(l, PROFILE_NO_FRAME, &line);
            if (r == 0)
                r = load_node(l, 0, line, &l->no_frame);
            if (r < 0)
                return r;
        }
        node = l->no_frame;
    }
    return track_state(l, thread, node, state);
}

static int on_task(void *context, const struct record_task *t)
{
    struct load *l = context;
    struct profile_task task = {.function = l->code_function[t->code]};
    uint32_t name;
    uint64_t index = l->p->task_count;
    int r = text_of(l, t->name, &task.name, &name);
    if (r == 0)
        r = array_reserve(&l->task_index, &l->task_index_capacity, (size_t)t->id + 1, sizeof(*l->task_index));
    if (r < 0)
        return r;
    uint64_t key = (uint64_t)name << 32 | task.function;
    if (!map_get(&l->task_names, key, &index)) {
        r = array_reserve(&l->w->tasks, &l->w->task_capacity, index + 1, sizeof(*l->w->tasks));
        if (r == 0)
            r = index >= PROFILE_NONE ? -ENOMEM : map_put(&l->task_names, key, index);
        if (r < 0)
            return r;
        l->w->tasks[l->p->task_count++] = task;
    }
    l->task_index[t->id] = (uint32_t)index;
    return 0;
}

static int on_thread_task(void *context, uint32_t thread, uint32_t task)
{
    struct load *l = context;
    return track_task(l, thread, task != 0 ? l->task_index[task] : PROFILE_NONE);
}

static int on_tick(void *context, uint64_t time_ns)
{
    struct load *l = context;
    if (l->p->ticks == 0)
        l->p->first_ns = l->p->last_ns = time_ns;
    runs_tick(l, time_ns);
    if (time_ns > l->p->last_ns)
        l->p->last_ns = time_ns;
    return track_ticks(l, 1);
}

static int on_restart(void *context)
{
    struct load *l = context;
    l->p->restarts++;
    for (uint32_t i = 0; i < l->p->thread_count; i++) {
        int r = track_state(l, i, 0, 0);
        if (r == 0)
            r = track_task(l, i, PROFILE_NONE);
        if (r < 0)
            return r;
    }
    return 0;
}

const struct record_events load_events = {
    .meta = on_meta,
    .process = on_process,
    .process_end = on_process_end,
    .thread = on_thread,
    .thread_cpu = on_thread_cpu,
    .code = on_code,
    .frame = on_frame,
    .stack = on_stack,
    .state = on_state,
    .task = on_task,
    .thread_task = on_thread_task,
    .tick = on_tick,
    .counters = on_counters,
    .source = on_source,
    .restart = on_restart,
};

/* ---- from the first byte to the last ---- */

void load_release(struct load *l)
{
    strings_release(&l->function_keys);
    map_release(&l->line_index);
    map_release(&l->place_index);
    map_release(&l->node_index);
    map_release(&l->cell_index);
    map_release(&l->lanes);
    map_release(&l->task_names);
    map_release(&l->meta_index);
    map_release(&l->named);
    map_release(&l->flat);
    free(l->code_function);
    free(l->frame_line);
    free(l->stack_node);
    free(l->task_index);
    free(l->threads);
    free(l->function_pairs);
    free(l->line_pairs);
    free(l->path.steps);
    free(l->path.lines);
    free(l->path.functions);
    free(l->path.ahead);
}

void load_release_tables(struct whole *w)
{
    free(w->functions);
    free(w->lines);
    free(w->nodes);
    free(w->cells);
    free(w->processes);
    free(w->threads);
    free(w->tasks);
    free(w->sources);
    free(w->metas);
}

void profile_free(struct profile *p)
{
    if (p == NULL)
        return;
    struct whole *w = (struct whole *)p;
    load_release_tables(w);
    strings_release(&w->strings);
    arena_release(&w->texts);
    map_release(&w->source_index);
    free(w->runs);
    free(w->calls);
    free(w->function_runs);
    free(w->line_runs);
    free(w->function_run_starts);
    free(w->line_run_starts);
    free(w);
}

void load_show(struct whole *w)
{
    struct profile *p = &w->p;
    double present = (double)p->present, ticks = (double)p->ticks;
    p->on_cpu = profile_interval((double)w->cpu.y, w->cpu.yy, w->cpu.yn, present, w->present_squared, ticks);
    p->has_gil = profile_interval((double)w->gil.y, w->gil.yy, w->gil.yn, present, w->present_squared, ticks);
    p->waits_for_gil =
        profile_interval((double)w->waits.y, w->waits.yy, w->waits.yn, present, w->present_squared, ticks);
    p->functions = w->functions;
    p->lines = w->lines;
    p->nodes = w->nodes;
    p->cells = w->cells;
    p->processes = w->processes;
    p->threads = w->threads;
    p->tasks = w->tasks;
    p->sources = w->sources;
    p->metas = w->metas;
    p->gil_wait_known = profile_meta(p, "gil_wait") != NULL && profile_meta(p, "note.gil_wait") == NULL;
    p->runs = w->runs;
    p->calls = w->calls;
}

static int load_finish(struct load *l)
{
    int r = track_settle(l);
    if (r == 0)
        r = totals_finish(l->w);
    if (r < 0)
        return r;
    track_sums(l, NULL, l->w);
    r = runs_finish(l);
    if (r < 0)
        return r;
    load_show(l->w);
    return 0;
}

int load_start(struct load *l, const struct profile_options *options)
{
    l->w = calloc(1, sizeof(*l->w));
    if (l->w == NULL)
        return -ENOMEM;
    l->p = &l->w->p;
    l->p->options = *options;
    arena_init(&l->w->texts, SOURCE_BYTES_MAX * 2u);
    map_init(&l->w->source_index);
    l->no_frame = PROFILE_NONE;
    int r = strings_init(&l->w->strings, SIZE_MAX);
    if (r == 0)
        r = strings_init(&l->function_keys, SIZE_MAX);
    if (r == 0)
        r = array_reserve(&l->w->nodes, &l->w->node_capacity, 1, sizeof(*l->w->nodes));
    if (r < 0)
        return r;
    l->w->nodes[0] = (struct profile_node){.line = PROFILE_NONE, .first_child = PROFILE_NONE, .sibling = PROFILE_NONE};
    l->p->node_count = 1;
    return 0;
}

static ssize_t read_some(int fd, void *into, size_t size)
{
    ssize_t n;
    do
        n = read(fd, into, size);
    while (n < 0 && errno == EINTR);
    return n;
}

/* A pipe of which the first bytes have been taken. */
static int read_rest(const struct input *in, const struct record_events *of, void *context,
    struct record_summary *summary, struct error *e)
{
    struct record_reader *g;
    uint8_t piece[1 << 14];
    int r = record_reader_new(in->name, of, context, &g);
    if (r < 0)
        return r;
    r = record_reader_feed(g, in->head, in->head_size, e);
    while (r == 0 && !record_reader_done(g)) {
        ssize_t n = read_some(in->fd, piece, sizeof(piece));
        if (n < 0)
            r = error_set(e, errno, "cannot read %s: %s", in->name, strerror(errno));
        else if (n > 0)
            r = record_reader_feed(g, piece, (size_t)n, e);
        if (n == 0)
            break;
    }
    if (r == 0)
        r = record_reader_end(g, summary, e);
    record_reader_free(g);
    return r;
}

/* The first bytes say what it is; where they cannot be read twice, they are kept. */
static int input_head(struct input *in, struct error *e)
{
    off_t start = in->data == NULL ? lseek(in->fd, 0, SEEK_CUR) : -1;
    if (in->data != NULL) {
        in->head_size = in->size < sizeof(in->head) ? in->size : sizeof(in->head);
        memcpy(in->head, in->data, in->head_size);
        in->foreign = import_is_foreign(in->head, in->head_size);
        return 0;
    }
    while (in->head_size < sizeof(in->head)) {
        ssize_t n = read_some(in->fd, in->head + in->head_size, sizeof(in->head) - in->head_size);
        if (n < 0)
            return error_set(e, errno, "cannot read %s: %s", in->name, strerror(errno));
        if (n == 0)
            break;
        in->head_size += (size_t)n;
    }
    in->foreign = import_is_foreign(in->head, in->head_size);
    if (start >= 0 && lseek(in->fd, start, SEEK_SET) >= 0)
        in->head_size = 0;
    return 0;
}

int load_pass(const struct input *in, const struct record_events *of, void *context, struct record_summary *summary,
    struct error *e)
{
    if (in->data != NULL)
        return record_read_memory(in->data, in->size, in->name, of, context, summary, e);
    if (in->head_size > 0)
        return read_rest(in, of, context, summary, e);
    return record_read(in->fd, in->name, of, context, summary, e);
}

static int profile_load(struct input *in, const struct profile_options *options, struct profile **ret, struct error *e)
{
    struct load l = {0};
    struct error read_error = {.text = ""};
    struct record_summary summary = {0};
    int r = load_start(&l, options);
    if (r == 0)
        r = input_head(in, &read_error);
    if (r == 0 && in->foreign)
        r = input_spool(in, &read_error);
    if (r == 0 && !in->foreign && options->thread != NULL)
        r = pick_threads(&l, in, &read_error);
    if (r == 0 && in->foreign)
        r = import_read(&l, in, &summary, &read_error);
    else if (r == 0)
        r = load_pass(in, &load_events, &l, &summary, &read_error);
    if (r == 0) {
        l.p->summary = summary;
        r = load_finish(&l);
    }
    if (r == 0 && in->foreign)
        r = import_finish(&l);
    if (r < 0 && read_error.text[0] == '\0')
        error_set(&read_error, -r, "cannot read %s: %s", in->name, strerror(-r));
    load_release(&l);
    buffer_release(&in->spool);
    if (r < 0) {
        if (e != NULL)
            *e = read_error;
        profile_free((struct profile *)l.w);
        return r;
    }
    *ret = &l.w->p;
    return 0;
}

int profile_read(int fd, const char *name, const struct profile_options *options, struct profile **ret, struct error *e)
{
    struct input in = {.fd = fd, .name = name};
    return profile_load(&in, options, ret, e);
}

int profile_read_memory(const void *data, size_t size, const char *name, const struct profile_options *options,
    struct profile **ret, struct error *e)
{
    struct input in = {.fd = -1, .name = name, .data = data == NULL ? "" : data, .size = size};
    return profile_load(&in, options, ret, e);
}
