/*
 * Code objects: read once, kept for the life of the process, and checked again and again, because CPython frees and
 * reuses their addresses within milliseconds while a program starts.
 */
#include "python/inside.h"
#include "python/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_ENTRY_MOST = 8, /* bytes of monitoring data for one code unit: an opcode and up to 4 bytes of a line */
    CODE_HEADER_CAP = 512,
    BYTECODE_CAP = 64 << 20,
    SHIM_BYTES = 16,
    IN_USE_NS = 50000000, /* without being seen in a stack, and a code object is in use no more */
    LOOKS_AT_ONCE = 64,
    COPIES_CAP = 1 << 20, /* thread-local indexes: as many as threads at one time */
    CODE_NAMES = 16,      /* co_names, from co_code (Include/code.h, 3.8; Include/cpython/code.h, 3.9, 3.10) */
    CODE_FRAME = 80,      /* and co_zombieframe */
    NAMES_CAP = 1 << 16,
    CALLS_MOST = 64,    /* calls after a load of a name, of which one may be its own */
    OP_LOAD_NAME = 101, /* Include/opcode.h, the same in 3.8 to 3.10 */
    OP_LOAD_ATTR = 106,
    OP_LOAD_GLOBAL = 116,
    OP_EXTENDED_ARG = 144,
    OP_LOAD_METHOD = 160,
};

/* Include/cpython/code.h, the same in 3.8 to 3.15. */
enum {
    CO_GENERATOR = 0x20,
    CO_COROUTINE = 0x80,
    CO_ITERABLE_COROUTINE = 0x100,
    CO_ASYNC_GENERATOR = 0x200,
    BYTECODE_BLOCK = 128, /* bytes; less than a code object's header */
};

int codes_init(struct codes *c)
{
    memset(c, 0, sizeof(*c));
    c->age_ns = CODE_AGE_LEAST_NS;
    map_init(&c->by_address);
    map_init(&c->by_block);
    map_init(&c->copies);
    arena_init(&c->names, SIZE_MAX);
    return 0;
}

void codes_release(struct codes *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->items[i]->line_table);
        free(c->items[i]->starts);
        free(c->items[i]);
    }
    free(c->items);
    free(c->headers);
    free(c->looked_at);
    free(c->in_use);
    map_release(&c->by_address);
    map_release(&c->by_block);
    map_release(&c->copies);
    arena_release(&c->names);
    memset(c, 0, sizeof(*c));
}

static uint32_t header_size(const struct python_layout *l)
{
    uint32_t size = l->code_firstlineno + 4u;
    const uint16_t needed[] = {l->code_size, l->code_filename, l->code_name, l->code_qualname, l->code_linetable,
        l->code_flags, l->code_stacksize, l->code_nlocalsplus, l->code_framesize, l->code_version,
        l->version < 0x030b ? l->code_bytecode : PYTHON_FIELD_NONE};

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (needed[i] != PYTHON_FIELD_NONE && needed[i] + 8u > size)
            size = needed[i] + 8u;
    return size;
}

static uint64_t field64(const uint8_t *header, uint16_t at)
{
    return at == PYTHON_FIELD_NONE ? 0 : load64(header + at);
}

static uint32_t field32(const uint8_t *header, uint16_t at)
{
    return at == PYTHON_FIELD_NONE ? 0 : load32(header + at);
}

static void identity_of(const struct python_layout *l, const uint8_t *header, uint64_t identity[5])
{
    identity[0] = field64(header, l->code_qualname != PYTHON_FIELD_NONE ? l->code_qualname : l->code_name);
    identity[1] = field64(header, l->code_filename);
    identity[2] = field64(header, l->code_linetable);
    identity[3] = l->version < 0x030b ? field64(header, l->code_bytecode) : field64(header, l->code_size);
    identity[4] = (uint64_t)field32(header, l->code_firstlineno) << 32 | field32(header, l->code_version);
}

static int header_read(struct python_process *p, uint64_t address, uint8_t header[CODE_HEADER_CAP])
{
    uint32_t size = header_size(&p->layout);

    if (size > CODE_HEADER_CAP || (address & 7) || address < 4096)
        return -EAGAIN;
    p->counters.reads++;
    int r = target_read(p->target, address, header, size);
    if (r < 0)
        return r == -EFAULT ? -EAGAIN : r;
    uint64_t type = load64(header + p->layout.object_type);
    if (p->codes.code_type)
        return type == p->codes.code_type ? 0 : -EAGAIN;
    uint64_t name;
    char text[5];
    if (target_read(p->target, type + p->layout.type_name, &name, sizeof(name)) < 0 ||
        target_read(p->target, name, text, sizeof(text)) < 0 || memcmp(text, "code", 5) != 0)
        return -EAGAIN;
    p->codes.code_type = type;
    return 0;
}

static int text_read(struct python_process *p, uint64_t address, const char **ret)
{
    CLEANUP(buffer_release) struct buffer b;

    buffer_init(&b, 64 << 10);
    int r = python_read_str(p->target, &p->layout, address, &b);
    if (r < 0)
        return r;
    char *copy = arena_strndup(&p->codes.names, (const char *)b.data, b.size);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

/* The bytecode's place and size: the bytes object of co_code before 3.11, the tail of the code object itself since. */
static int bytecode_find(struct python_process *p, const uint8_t *header, struct code *c)
{
    const struct python_layout *l = &p->layout;
    uint64_t size;

    if (l->version < 0x030b) {
        uint64_t bytes = load64(header + l->code_bytecode);
        int r = target_read(p->target, bytes + l->bytes_size, &size, sizeof(size));
        if (r < 0)
            return -EAGAIN;
        c->bytecode = bytes + l->bytes_data;
    } else {
        size = load64(header + l->code_size) * 2; /* Py_SIZE counts code units */
        c->bytecode = c->address + l->code_bytecode;
    }
    if (size == 0 || size > BYTECODE_CAP)
        return -EAGAIN;
    c->bytecode_size = (uint32_t)size;
    return 0;
}

static int code_fill(struct python_process *p, const uint8_t *header, struct code *c)
{
    const struct python_layout *l = &p->layout;
    CLEANUP(buffer_release) struct buffer table;

    buffer_init(&table, PYTHON_BYTES_CAP);
    c->public.first_line = field32(header, l->code_firstlineno);
    c->public.flags = field32(header, l->code_flags);
    c->generator = (c->public.flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) != 0;
    c->coroutine = (c->public.flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE)) != 0;
    p->codes.coroutines = p->codes.coroutines || c->coroutine;
    uint32_t words = field32(header, l->code_framesize);
    if (l->version >= 0x030b && l->code_framesize == PYTHON_FIELD_NONE) /* 3.11: Include/internal/pycore_frame.h */
        words = field32(header, l->code_nlocalsplus) + field32(header, l->code_stacksize) + l->frame_localsplus / 8u;
    c->frame_bytes = words < (1u << 24) ? words * 8 : 0;
    c->locals = l->code_nlocalsplus != PYTHON_FIELD_NONE ? field32(header, l->code_nlocalsplus) : 0;
    int r = bytecode_find(p, header, c);
    if (r < 0)
        return r;
    r = text_read(p, c->identity[0], &c->public.qualname);
    if (r == 0)
        r = text_read(p, c->identity[1], &c->public.file);
    if (r < 0)
        return r;
    /* _Py_MakeShimCode (Objects/codeobject.c, 3.12+) gives one text for name and file, and there are few instructions:
     * "<interpreter trampoline>", and from 3.13 on what stands between a class that is called and its "__init__". */
    c->shim = c->bytecode_size <= SHIM_BYTES && strcmp(c->public.qualname, c->public.file) == 0;
    r = python_read_bytes(p->target, l, c->identity[2], &table);
    if (r < 0)
        return r;
    c->line_table_size = (uint32_t)table.size;
    c->line_table = table.data;
    table.data = NULL;
    return 0;
}

/* A code object's header is longer than a block, so at most one bytecode begins in each, and at most one goes on there.
 */
static uint64_t block_key(uint64_t address, bool begins)
{
    return address / BYTECODE_BLOCK << 1 | begins;
}

/* 3.14+: by where its bytecode lies, too. */
static int blocks_put(struct codes *cs, const struct code *c, uint64_t id)
{
    int r = map_put(&cs->by_block, block_key(c->bytecode, true), id);

    for (uint64_t at = c->bytecode / BYTECODE_BLOCK + 1; r == 0 && at * BYTECODE_BLOCK < c->bytecode + c->bytecode_size;
         at++)
        r = map_put(&cs->by_block, block_key(at * BYTECODE_BLOCK, false), id);
    return r;
}

bool codes_of_instruction(const struct python_process *p, uint64_t address, uint32_t *ret_id)
{
    const struct codes *cs = &p->codes;
    uint64_t id;

    for (int begins = 0; begins < 2; begins++)
        if (map_get(&cs->by_block, block_key(address, begins), &id) && cs->items[id]->address &&
            address - cs->items[id]->bytecode < cs->items[id]->bytecode_size) {
            *ret_id = (uint32_t)id;
            return true;
        }
    return false;
}

static int code_add(struct python_process *p, uint64_t address, uint32_t *ret_id)
{
    uint8_t header[CODE_HEADER_CAP];
    struct codes *cs = &p->codes;

    int r = header_read(p, address, header);
    if (r < 0)
        return r;
    if (array_reserve(&cs->items, &cs->capacity, cs->count + 1, sizeof(*cs->items)) < 0)
        return -ENOMEM;
    struct code *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->address = address;
    identity_of(&p->layout, header, c->identity);
    r = code_fill(p, header, c);
    if (r == 0)
        r = map_put(&cs->by_address, address, cs->count);
    if (r == 0 && p->layout.version >= 0x030e)
        r = blocks_put(cs, c, cs->count);
    if (r < 0) {
        free(c->line_table);
        free(c);
        return r == -EFAULT ? -EAGAIN : r;
    }
    c->verified_ns = clock_monotonic_ns();
    *ret_id = (uint32_t)cs->count;
    cs->items[cs->count++] = c;
    return 0;
}

int codes_find(struct python_process *p, uint64_t address, uint32_t *ret_id)
{
    uint64_t id;

    if (map_get(&p->codes.by_address, address, &id)) {
        *ret_id = (uint32_t)id;
        return 0;
    }
    return code_add(p, address, ret_id);
}

static bool needs_look(const struct code *c, uint64_t now_ns, uint64_t max_age_ns)
{
    return c->address && now_ns >= c->verified_ns + max_age_ns;
}

/* Takes a code object among those whose header is read next. */
static int look_add(struct codes *cs, uint32_t id, uint64_t now_ns)
{
    struct code *c = cs->items[id];

    if (array_reserve(&cs->looked_at, &cs->looked_at_capacity, cs->looked_at_count + 1, sizeof(*cs->looked_at)) < 0)
        return -ENOMEM;
    cs->looked_at[cs->looked_at_count++].id = id;
    c->verified_ns = now_ns; /* a recursive function is asked for once */
    if (!c->in_use &&
        array_reserve(&cs->in_use, &cs->in_use_capacity, cs->in_use_count + 1, sizeof(*cs->in_use)) == 0) {
        cs->in_use[cs->in_use_count++] = id;
        c->in_use = true;
    }
    return 0;
}

/* One read for many: the others in use that will need a look before long. */
static int look_add_others(struct codes *cs, uint64_t now_ns, uint64_t age_ns)
{
    int r = 0;

    for (size_t i = 0; i < cs->in_use_count && cs->looked_at_count < LOOKS_AT_ONCE && r == 0;) {
        uint32_t id = cs->in_use[i];
        struct code *c = cs->items[id];
        if (!c->address || now_ns - c->used_ns > IN_USE_NS) {
            cs->in_use[i] = cs->in_use[--cs->in_use_count];
            c->in_use = false;
            continue;
        }
        if (needs_look(c, now_ns, age_ns))
            r = look_add(cs, id, now_ns);
        i++;
    }
    return r;
}

static int looks_read(struct python_process *p)
{
    struct codes *cs = &p->codes;
    uint32_t size = header_size(&p->layout);
    size_t n = cs->looked_at_count;
    int r = array_reserve(&cs->headers, &cs->headers_capacity, n * size, 1);

    batch_clear(&p->batch);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct code_look *look = &cs->looked_at[i];
        look->size = size;
        r = batch_add(&p->batch, cs->items[look->id]->address, size, cs->headers + i * size, &look->size);
    }
    if (r == 0)
        r = batch_read(p);
    batch_clear(&p->batch);
    return r;
}

int codes_verify(struct python_process *p, const struct step *steps, size_t count, uint64_t now_ns, uint64_t max_age_ns)
{
    struct codes *cs = &p->codes;
    uint32_t size = header_size(&p->layout);
    int r = 0;

    cs->looked_at_count = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        struct code *c = cs->items[steps[i].code];
        c->used_ns = now_ns;
        if (needs_look(c, now_ns, max_age_ns))
            r = look_add(cs, steps[i].code, now_ns);
    }
    if (cs->looked_at_count == 0)
        return r;
    if (r == 0)
        r = look_add_others(cs, now_ns, max_age_ns / 2);
    if (r == 0)
        r = looks_read(p);
    /* Where code objects come and go, each is looked at more often than where none has gone for long. */
    if (max_age_ns == cs->age_ns && cs->age_ns < CODE_AGE_MOST_NS)
        cs->age_ns += cs->age_ns / 32;
    for (size_t i = 0; i < cs->looked_at_count; i++) {
        struct code *c = cs->items[cs->looked_at[i].id];
        const uint8_t *header = cs->headers + i * size;
        uint64_t identity[5];
        if (r < 0) {
            c->verified_ns = 0;
            continue;
        }
        identity_of(&p->layout, header, identity);
        if (cs->looked_at[i].size == size && load64(header + p->layout.object_type) == cs->code_type &&
            memcmp(identity, c->identity, sizeof(identity)) == 0)
            continue;
        map_remove(&cs->by_address, c->address);
        c->address = 0;
        p->counters.recycled_codes++;
        cs->age_ns = CODE_AGE_LEAST_NS;
    }
    return r;
}

/* _PyCodeArray (Include/cpython/code.h, free-threaded builds): its size, then addresses, NULL where a thread has not
 * run the code. The first is that of the code object itself. */
static uint64_t copy_read(struct python_process *p, const struct code *c, uint32_t index)
{
    uint64_t array, head[2], copy;

    p->counters.reads += 3;
    if (target_read(p->target, c->address + p->layout.code_tlbc, &array, sizeof(array)) < 0 || array < 4096 ||
        (array & 7) || target_read(p->target, array, head, sizeof(head)) < 0 || head[1] != c->bytecode ||
        index >= head[0] || head[0] > COPIES_CAP ||
        target_read(p->target, array + 8 + 8ULL * index, &copy, sizeof(copy)) < 0 || (copy & 1))
        return 0;
    return copy;
}

uint64_t codes_bytecode(struct python_process *p, uint32_t id, uint32_t index)
{
    const struct code *c = p->codes.items[id];
    uint64_t key = (uint64_t)id << 32 | index, copy;

    if (index == 0 || map_get(&p->codes.copies, key, &copy))
        return index == 0 ? c->bytecode : copy;
    copy = c->address ? copy_read(p, c, index) : 0;
    return copy && map_put(&p->codes.copies, key, copy) == 0 ? copy : 0;
}

/* Pieces of a code's monitoring data: for each code unit what INSTRUMENTED_LINE and INSTRUMENTED_INSTRUCTION there
 * stand for (Include/cpython/code.h). An entry of the former begins with the opcode; from 3.14 on the size of one comes
 * first. `ret` has room for `count` entries. */
static bool hidden_read(struct python_process *p, const struct code *c, enum python_hidden_in in, uint32_t unit,
    uint32_t count, uint8_t *ret)
{
    const struct python_layout *l = &p->layout;
    uint64_t at;
    uint8_t stride = in == PYTHON_HIDDEN_IN_LINES ? 2 : 1;

    if (l->code_monitoring == PYTHON_FIELD_NONE)
        return false;
    p->counters.reads += 3;
    uint32_t field = in == PYTHON_HIDDEN_IN_LINES ? l->monitoring_lines : l->monitoring_instructions;
    if (target_read(p->target, c->address + l->code_monitoring, &at, sizeof(at)) < 0 || at < 4096 ||
        target_read(p->target, at + field, &at, sizeof(at)) < 0 || at < 4096)
        return false;
    if (in == PYTHON_HIDDEN_IN_LINES && l->version >= 0x030e &&
        (target_read(p->target, at++, &stride, 1) < 0 || stride == 0 || stride > LINE_ENTRY_MOST))
        return false;
    if (target_read(p->target, at + (uint64_t)unit * stride, ret, (size_t)count * stride) < 0)
        return false;
    for (uint32_t i = 0; i < count; i++)
        ret[i] = ret[i * stride];
    return true;
}

uint8_t codes_opcode_behind(struct python_process *p, uint32_t id, uint32_t at, uint8_t opcode)
{
    uint8_t entry[LINE_ENTRY_MOST];

    for (int i = 0; i < 2 && p->opcodes->by_number[opcode].hidden_in; i++) { /* a line may hide an instruction */
        if (!hidden_read(p, p->codes.items[id], p->opcodes->by_number[opcode].hidden_in, at / 2, 1, entry))
            return opcode;
        opcode = entry[0];
    }
    return opcode;
}

/* The opcodes of `bytes`, a whole bytecode, in place of what hides them. */
static void hidden_restore(struct python_process *p, const struct code *c, uint8_t *bytes)
{
    uint32_t units = c->bytecode_size / 2;
    CLEANUP(free_pointer) uint8_t *opcodes = NULL;

    for (enum python_hidden_in in = PYTHON_HIDDEN_IN_LINES; in <= PYTHON_HIDDEN_IN_INSTRUCTIONS; in++) {
        bool some = false;
        for (uint32_t u = 0; u < units; u++)
            some = some || p->opcodes->by_number[bytes[2 * u]].hidden_in == in;
        if (!some)
            continue;
        if (!opcodes)
            opcodes = malloc((size_t)units * LINE_ENTRY_MOST);
        if (!opcodes || !hidden_read(p, c, in, 0, units, opcodes))
            return;
        /* Also what only looks so, in a cache: that is not an instruction's start. */
        for (uint32_t u = 0; u < units; u++)
            if (p->opcodes->by_number[bytes[2 * u]].hidden_in == in)
                bytes[2 * u] = opcodes[u];
    }
}

/* Where instructions start, among their inline caches (3.11+), and which of them are DROPS. False if the bytecode can't
 * be read. */
static bool starts_know(struct python_process *p, struct code *c)
{
    uint32_t units = c->bytecode_size / 2;

    if (c->starts)
        return true;
    uint8_t *bytes = malloc(c->bytecode_size);
    c->starts = calloc(2, units / 8 + 1);
    p->counters.reads++;
    if (!bytes || !c->starts || target_read(p->target, c->bytecode, bytes, c->bytecode_size) < 0) {
        free(bytes);
        free(c->starts);
        c->starts = NULL;
        return false;
    }
    hidden_restore(p, c, bytes);
    c->drops = c->starts + units / 8 + 1;
    for (uint32_t u = 0; u < units; u += 1u + p->opcodes->by_number[bytes[2 * u]].caches) {
        c->starts[u / 8] |= (uint8_t)(1u << (u % 8));
        if (p->opcodes->by_number[bytes[2 * u]].class == PYTHON_OP_DROPS)
            c->drops[u / 8] |= (uint8_t)(1u << (u % 8));
    }
    free(bytes);
    return true;
}

static uint32_t start_at_or_before(const struct code *c, uint32_t at)
{
    uint32_t units = c->bytecode_size / 2, unit = at / 2;

    while (unit > 0 && unit < units && !(c->starts[unit / 8] & (1u << (unit % 8))))
        unit--;
    return unit * 2;
}

uint32_t codes_instruction_start(struct python_process *p, uint32_t id, uint32_t at)
{
    struct code *c = p->codes.items[id];

    if ((p->layout.version != 0x030b && p->layout.version != 0x030c) || !starts_know(p, c))
        return at;
    return start_at_or_before(c, at);
}

bool codes_instrumented_at(struct python_process *p, const struct step *s)
{
    uint8_t opcode;

    if (!p->tools_met || (p->layout.version != 0x030c && p->layout.version != 0x030d))
        return false;
    p->counters.reads++;
    return target_read(p->target, s->bytecode + codes_instruction_start(p, s->code, s->at), &opcode, 1) == 0 &&
           p->opcodes->by_number[opcode].instrumented;
}

bool codes_drops_at(struct python_process *p, uint32_t id, uint32_t at)
{
    struct code *c = p->codes.items[id];

    return at / 2 < c->bytecode_size / 2 && starts_know(p, c) && c->drops[at / 16] & (1u << (at / 2 % 8));
}

bool codes_instruction_before(struct python_process *p, uint32_t id, uint32_t at, uint32_t *ret_at)
{
    struct code *c = p->codes.items[id];

    if (p->layout.version < 0x030b || at < 2 || at > c->bytecode_size || !starts_know(p, c))
        return false;
    *ret_at = start_at_or_before(c, at - 2);
    return true;
}

bool codes_call_before(
    struct python_process *p, uint32_t id, uint64_t bytecode, uint32_t version, uint32_t at, uint32_t *ret_at)
{
    struct code *c = p->codes.items[id];
    CLEANUP(free_pointer) uint8_t *bytes = NULL;
    bool found = false;

    if (!version || !starts_know(p, c) || (bytes = malloc(c->bytecode_size)) == NULL)
        return false;
    p->counters.reads++;
    if (target_read(p->target, bytecode, bytes, c->bytecode_size) < 0)
        return false;
    for (uint32_t i = 0; i < c->bytecode_size && (i <= at || !found); i += 2) {
        const struct python_opcode *op = &p->opcodes->by_number[bytes[i]];
        if (!(c->starts[i / 16] & (1u << (i / 2 % 8))) || op->class != PYTHON_OP_VERSIONED ||
            i + op->version_at + 4u > c->bytecode_size || load32(bytes + i + op->version_at) != version)
            continue;
        found = true; /* up to 3.12 a caller stands behind the inline caches (Python/ceval.c, JUMPBY) */
        *ret_at = i + (p->layout.version < 0x030d ? 2u * op->caches : 0);
    }
    return found;
}

void codes_frame_met(struct codes *cs, uint32_t id, uint64_t address)
{
    struct code *c = cs->items[id];

    c->roams = c->roams || (c->frame && c->frame != address);
    c->frame = address;
}

bool codes_keep_frame(struct python_process *p, uint32_t id, uint64_t frame)
{
    const struct code *c = p->codes.items[id];
    uint64_t kept;

    p->counters.reads++;
    return c->address &&
           target_read(p->target, c->address + p->layout.code_bytecode + CODE_FRAME, &kept, sizeof(kept)) == 0 &&
           kept == frame;
}

static uint32_t line_of(const struct python_process *p, uint32_t id, uint32_t at)
{
    struct python_location l;

    python_code_location(p, id, at, &l);
    return l.line;
}

/* Is something called on the line of the instruction at `at`, soon after it? */
static bool called_there(const struct python_process *p, uint32_t id, const uint8_t *bytes, uint32_t at)
{
    uint32_t line = line_of(p, id, at), end = p->codes.items[id]->bytecode_size, calls = 0;

    for (uint32_t i = at + 2; i < end && calls < CALLS_MOST; i += 2)
        if (p->opcodes->by_number[bytes[i]].call && (++calls, line_of(p, id, i) == line))
            return true;
    return false;
}

bool codes_load_before(struct python_process *p, uint32_t id, uint32_t callee, uint32_t at, uint32_t *ret_at)
{
    const struct code *c = p->codes.items[id];
    const struct python_layout *l = &p->layout;
    uint64_t names, count, name = p->codes.items[callee]->identity[0]; /* interned: one object for all its uses */
    CLEANUP(free_pointer) uint8_t *bytes = malloc(c->bytecode_size);
    CLEANUP(free_pointer) uint8_t *items = NULL;
    bool found = false;

    p->counters.reads += 4;
    if (!bytes || !c->address ||
        target_read(p->target, c->address + l->code_bytecode + CODE_NAMES, &names, sizeof(names)) < 0 ||
        target_read(p->target, names + l->tuple_size, &count, sizeof(count)) < 0 || count > NAMES_CAP ||
        (items = malloc(count * 8 + 1)) == NULL ||
        target_read(p->target, names + l->tuple_items, items, count * 8) < 0 ||
        target_read(p->target, c->bytecode, bytes, c->bytecode_size) < 0)
        return false;
    uint32_t argument = 0;
    for (uint32_t i = 0; i + 1 < c->bytecode_size && (i <= at || !found); i += 2) {
        argument = argument << 8 | bytes[i + 1];
        bool names_it = (bytes[i] == OP_LOAD_NAME || bytes[i] == OP_LOAD_ATTR || bytes[i] == OP_LOAD_GLOBAL ||
                            bytes[i] == OP_LOAD_METHOD) &&
                        argument < count && load64(items + 8 * (size_t)argument) == name &&
                        called_there(p, id, bytes, i);
        if (bytes[i] != OP_EXTENDED_ARG)
            argument = 0;
        if (names_it)
            *ret_at = i;
        found = found || names_it;
    }
    return found;
}

const struct python_code *python_code(const struct python_process *p, uint32_t id)
{
    return id < p->codes.count ? &p->codes.items[id]->public : NULL;
}

void python_code_location(const struct python_process *p, uint32_t id, uint32_t at, struct python_location *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (id < p->codes.count) {
        const struct code *c = p->codes.items[id];
        if (at == PYTHON_AT_START)
            ret->line = ret->end_line = c->public.first_line;
        else if (at != PYTHON_AT_UNKNOWN)
            python_location_find(p->layout.version, c->line_table, c->line_table_size, c->public.first_line, at, ret);
    }
}
