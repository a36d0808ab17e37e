/*
 * What the files of this room share. One python_process holds interpreters, each holds threads, each thread holds the
 * copy of target memory that its last sample was read from (a snapshot) and what that taught about the next one.
 */
#ifndef PITVIPER_PYTHON_INSIDE_H
#define PITVIPER_PYTHON_INSIDE_H

#include "python/layout.h"
#include "python/python.h"

enum {
    THREADS_CAP = 1 << 16, /* thread states followed in one interpreter; a longer list is a torn one */
    DEPTH_CAP = 1 << 20,   /* frames in one stack; a longer chain is a cycle */
    INTERPRETERS_CAP = 1 << 12,
    HEAP_FRAME_PLANNED = 4, /* samples for which a frame outside the data stack is still predicted, */
    HEAP_PAGES = 2, /* and the pages that generators lay on last (3.11+): new ones come where others were freed, */
    HEAP_PAGE_KNOWN = 1024,  /* for so many samples after the last, */
    HURRIED_NS = 20000,      /* unless samples are taken at shorter gaps than this: they come soon again then; */
    HEAP_FRAMES_SPARE = 64,  /* before 3.11 the frames that returned last, which calls get again, */
    HEAP_SPARE_KNOWN = 4096, /* for so many samples */
    MOMENT_KINDS = 64,       /* of which moments are counted apart */
    HEAP_FRAME_KNOWN = 48,   /* samples for which its caller is remembered */
    REGION_NONE = INT32_MAX,
    OWNER_GENERATOR = 1,
    OWNER_ENTRY = 3, /* FRAME_OWNED_BY_CSTACK (3.12, 3.13), _BY_INTERPRETER (3.14+); 4 is _BY_CSTACK in 3.14 */
    OWNER_LAST = 4,
    CODE_AGE_LEAST_NS = 20000000, /* after which a code object's identity is read again; */
    CODE_AGE_MOST_NS = 80000000,  /* once none was found in the place of another for two seconds */
};

/* ---- memory of the target, as last copied ---- */
struct region {
    uint64_t start;
    uint32_t size;   /* 0: could not be read */
    uint32_t offset; /* in snapshot.data */
};
struct snapshot {
    uint8_t *data;
    size_t used, capacity;
    struct region *regions;
    size_t count, regions_capacity, planned; /* regions[0..planned) were predicted, the rest fetched on demand */
    size_t last_hit;
    size_t pages, pages_end; /* regions[pages..pages_end) are whole pages that generators lie on */
};

struct chunk { /* one _PyStackChunk of the data stack */
    uint64_t base;
    uint32_t size, read, peak; /* its own size; how many bytes to copy; the most needed since `read` was last set */
};
struct heap_frame {             /* a frame outside the data stack: generators, and every frame before 3.11 */
    uint64_t address, previous; /* previous: its caller when it last had one */
    uint32_t idle;              /* samples since it was last seen */
    uint32_t code;              /* what ran in it then */
    uint32_t region;            /* of the snapshot, that it is copied with; REGION_NONE: it was not planned */
};
struct heap_page {
    uint64_t address; /* 0: none */
    uint32_t idle;    /* samples since a generator was met there */
};

struct entry_frame { /* 3.12+: the interpreter loop's own frame on the C stack, between callee and caller */
    uint64_t address, previous, instr; /* instr: where its caller stood then */
};

/* ---- pieces of memory that are read together ---- */
struct batch_piece {
    uint64_t start;
    uint32_t size, next; /* next: of the same span, in order of address; UINT32_MAX at its end */
    uint8_t *to;
    uint32_t *ret_size; /* set to what arrived, if that is less than was asked for */
};
struct batch_span { /* one segment of process_vm_readv */
    uint64_t start, end;
    uint32_t first, piece_count;
    bool alone; /* takes no other piece */
};
struct batch {
    struct batch_piece *pieces;
    struct batch_span *spans;
    struct iovec *local, *remote;
    uint8_t *whole; /* spans with several pieces, until those are taken out of them */
    size_t piece_count, piece_capacity, span_count, span_capacity, local_capacity, remote_capacity, whole_capacity;
};

/* ---- code objects ---- */
struct code {
    struct python_code public;
    uint64_t address;     /* 0 once its address holds another code object */
    uint64_t identity[5]; /* name, file, line table, bytecode or size, first line: equal means the same object */
    uint64_t verified_ns, used_ns; /* when its identity was read last, and when it was in a stack */
    uint64_t bytecode;             /* address of the first instruction */
    uint64_t frame;                /* before 3.11: where its frame was met last; 0: none yet */
    uint32_t bytecode_size;        /* bytes */
    uint32_t frame_bytes;          /* of a frame on the data stack; 0 unknown */
    uint32_t locals;               /* slots of a frame before its value stack: variables, arguments, cells; 3.11+ */
    uint32_t line_table_size;
    uint8_t *line_table;
    uint8_t *starts; /* bit per code unit: an instruction starts here; NULL until needed */
    uint8_t *drops;  /* the same: one starts here that is PYTHON_OP_DROPS; within `starts` */
    bool generator, coroutine;
    bool shim;   /* the interpreter's own glue, never shown */
    bool roams;  /* before 3.11: it was met in more than one frame */
    bool in_use; /* among codes.in_use */
};
struct code_look { /* one code object's header, as asked for and as it arrived */
    uint32_t id, size;
};
struct codes {
    struct code **items;
    struct map copies; /* code id << 32 | thread-local index -> address of that copy of the bytecode (3.14t+) */
    size_t count, capacity;
    uint8_t *headers; /* of those that are being looked at again */
    struct code_look *looked_at;
    uint32_t *in_use; /* ids of those that were in a stack a moment ago */
    size_t headers_capacity, looked_at_count, looked_at_capacity, in_use_count, in_use_capacity;
    struct map by_address;
    struct map by_block; /* 3.14+: those whose bytecode lies there; block_key() */
    struct arena names;
    uint64_t code_type; /* address of PyCode_Type once learnt */
    uint64_t age_ns;    /* after which an identity is read again */
    bool coroutines;    /* one of them is a coroutine's */
};

/* ---- one step of a stack ---- */
struct step {
    uint64_t address, previous, func;
    uint64_t bytecode; /* of the copy that the frame runs */
    uint32_t code;     /* id */
    uint32_t at;
    uint32_t caller_at; /* where its caller is shown, if this one is shown above it; UINT32_MAX: where that was read */
    uint32_t stacktop;  /* saved depth of the value stack, in slots from localsplus; UINT32_MAX: none, it runs */
    bool entered;       /* entered from C: between it and its caller lies a C call */
    bool heap;          /* not on the data stack */
    bool named;         /* before 3.11: its frame itself names `previous` */
    bool guessed;       /* it had lost its caller by then: `previous` is the one it was last seen with */
    bool late;          /* outside the data stack and not in the copy: it was read later than the rest */
};

struct running {    /* the asyncio task that a thread ran when that was read last */
    uint64_t frame; /* of the stack's outermost coroutine, */
    uint32_t code;  /* and its code; */
    uint32_t id;    /* python_running's, 0: none; */
    uint64_t read_ns;
    /* Where that was found; as long as it stays so, one read tells it. */
    uint64_t task, coroutine, keys, name;
    uint8_t name_head[64];       /* what the name object began with */
    uint32_t name_code, name_id; /* the coroutine's code; what the name led to */
};

struct thread {
    uint64_t address, ident, next;
    pid_t tid;
    uint32_t serial;
    bool has_gil, fresh; /* fresh: read at this sample */
    bool attached;       /* 3.14t+: it may run Python, as the GIL's holder may in other builds */
    struct snapshot snapshot;
    struct chunk *chunks; /* [0] the oldest */
    size_t chunk_count, chunk_capacity;
    uint64_t head, head_address;   /* the pointer to its innermost frame, read before all else; where it lies */
    uint32_t head_size;            /* 8, or 0: not read alone */
    uint64_t cframe;               /* 3.11, 3.12: where its _PyCFrame was last; 0 none */
    uint64_t cframe_first;         /* where it was when that was read, first of all; */
    uint32_t cframe_size;          /* 8, or 0: not read alone */
    uint64_t c_stack;              /* an entry frame was met there (3.12+); 0: none yet */
    uint64_t cframes, cframes_end; /* the part of the C stack in which they were met */
    uint32_t learnt;               /* samples it learnt from */
    uint64_t root;                 /* the outermost frame of what was last published; 0: none */
    struct heap_frame *heap;       /* those of the last stack first, leaf first; then those of the samples before */
    size_t heap_count, heap_capacity;
    struct map heap_index;              /* address -> place in heap */
    struct heap_page pages[HEAP_PAGES]; /* that generators lay on, the latest first */
    struct entry_frame entries[64];     /* by a hash of their address; what was read there last */
    bool read_late;     /* a frame outside the data stack was not foreseen: it was read after the rest */
    bool mended;        /* the last walk went on where a frame had lost its caller between two reads */
    struct step *steps; /* of the last walk, leaf first */
    size_t step_count, step_capacity;
    struct step *kept; /* what the first of several reads of one sample showed, the outermost first */
    size_t kept_count, kept_capacity;
    size_t order, order_depth; /* where in `steps` those begin that were published, the outermost first */
    uint64_t *code_pointers;   /* of the last walk, same order: a repeated pointer needs no look-up */
    size_t code_pointers_capacity;
    struct python_frame *frames;
    size_t depth, frames_capacity;
    enum python_stack_result result;
    struct running running;
};

struct interpreter {
    uint64_t address, gil, switch_number, holder, words_ns; /* words_ns: when the GIL was last looked at */
    bool gil_known, gil_locked, in_gc, listed;              /* gil_known: it proves whose stack cannot have changed */
    uint32_t tlbc_generation, attached;                     /* 3.14t+; attached: how many of its threads were */
    uint64_t threads_head;
    struct thread **threads; /* in the order of the target's list */
    size_t count, capacity;
};

struct edges {
    struct map accepted; /* hash of (caller code, at, callee code, entered) -> enum acceptance */
    struct map pending;  /* the same, of edges that nothing proves -> how often met, and (high half) how often two reads
                            agreed;  by the key of `sites`, for all instructions together */
    struct map barren;   /* (caller code, at, entered) -> when an instruction was read there that can't have called */
    struct map
        mismatched;     /* hash of (caller code, at, callee code, entered) -> when their versions were read to differ */
    struct map unsited; /* by the key of `sites` -> when no call of the callee was found in the caller's bytecode;
                           before 3.11, where that never changes, no load of its name */
    struct map served;  /* (caller code, at) -> the callee's code that was accepted there last */
    struct map claimed; /* callee code that was entered from C, or is a generator's -> (caller code, at) that was
                           accepted for it last */
    struct map driven; /* (caller code, at) -> which slot of its frame holds the generator that C drives for it there */
    struct map callers; /* callee's code -> (caller code, at) that was accepted last, without C between */
    struct map sites;   /* hash of (caller code, callee code) -> the last accepted `at`, or PYTHON_AT_UNKNOWN */
};

struct moments {            /* stacks that ended above where the copy shows them to end, by what they ended in */
    uint32_t met, restored; /* how many; how many of them could be put back */
    uint32_t due;
};

struct python_process {
    struct target *target;
    struct python_layout layout;
    const struct python_opcodes *opcodes;
    struct python_info info;
    uint64_t runtime; /* address of _PyRuntime */
    struct interpreter *interpreters;
    size_t interpreter_count, interpreter_capacity;
    uint64_t listed_ns;          /* when interpreters and threads were last listed */
    uint64_t sampled_ns, gap_ns; /* the last sample; the time between two, smoothed */
    uint64_t code_generation;
    struct codes codes;
    struct edges edges;
    bool tools_met; /* an instrumented instruction was, so trace functions and their like may be at work */
    struct moments moments[MOMENT_KINDS]; /* on the data stack (before 3.11: all); generators, by who drives them */
    struct python_counters counters;
    struct python_thread *published;
    size_t published_count, published_capacity;
    uint32_t next_serial;
    uint32_t thread_low, thread_high; /* bytes of PyThreadState that a sample needs */
    uint32_t frame_header;            /* bytes of a frame before its locals */
    struct batch batch;
    struct asyncio *asyncio; /* NULL until a coroutine was seen, or tasks were asked for */
};

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint16_t load16(const uint8_t *p)
{
    uint16_t v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

/* 3.14+ tags references in their low bits (_PyStackRef); objects are aligned to 8 at least. */
static inline uint64_t untag(uint64_t reference)
{
    return reference & ~7ULL;
}

/* Frames are objects, and there is no data stack. */
static inline bool is_old(const struct python_process *p)
{
    return p->layout.version < 0x030b;
}

/* Where what was read of an entry frame is remembered; another one's may stand there. */
static inline struct entry_frame *entry_slot(struct thread *t, uint64_t address)
{
    return &t->entries[(address >> 4) % ARRAY_SIZE(t->entries)];
}

/* ---- find.c ---- */
struct python_found {
    uint64_t runtime;
    uint16_t version;
    const char *by;
};
int python_find_runtime(
    struct target *t, bool scan, struct python_found *ret, struct python_layout *ret_layout, struct error *e);

/* ---- process.c ---- */
int process_new(struct target *t, const struct python_found *found, const struct python_layout *layout,
    struct python_process **ret, struct error *e);
/* The full version from sys.version, which is not there yet while the interpreter starts. */
void process_version_read(struct python_process *p, uint64_t interpreter);
/* The interpreter's GIL, 0 while it has none yet; sets p->info.no_gil. 0 or -EAGAIN. */
int process_gil_read(struct python_process *p, uint64_t interpreter, uint64_t *ret_gil);

/* ---- codes.c ---- */
int codes_init(struct codes *c);
void codes_release(struct codes *c);
/* The code object at an address: known, or read now. -EAGAIN: what is there is no code object. */
int codes_find(struct python_process *p, uint64_t address, uint32_t *ret_id);
/* 3.14+: the code whose bytecode, the code object's own, has an instruction at `address`. False: none that is known. */
bool codes_of_instruction(const struct python_process *p, uint64_t address, uint32_t *ret_id);
/* Reads the identities of the steps' code objects again, where that was done longer than max_age_ns ago, and with them
 * others in use. One whose address holds another object by now is forgotten: its `address` is 0. */
int codes_verify(
    struct python_process *p, const struct step *steps, size_t count, uint64_t now_ns, uint64_t max_age_ns);
/* Where the bytecode is that a frame with this thread-local index runs; 0 if that can't be read. 3.14t+: each thread
 * specialises a copy of its own, of the same length; index 0 is the code object's own. */
uint64_t codes_bytecode(struct python_process *p, uint32_t id, uint32_t index);
/* The start of the instruction that holds byte `at` (3.11 and 3.12 point into inline caches). */
uint32_t codes_instruction_start(struct python_process *p, uint32_t id, uint32_t at);
/* The opcode that an instrumented one at byte `at` stands for (3.12+); the same where it stands for itself. */
uint8_t codes_opcode_behind(struct python_process *p, uint32_t id, uint32_t at, uint8_t opcode);
/* Does it stand at an instrumented instruction, which saves the stack pointer while it looks for tools to call, as if
 * it had called (3.12, 3.13)? Reads it. */
bool codes_instrumented_at(struct python_process *p, const struct step *s);
/* Is the instruction that starts at `at` one that pushes no frame, calls no C, and is never specialised (3.11+)? */
bool codes_drops_at(struct python_process *p, uint32_t id, uint32_t at);
/* The instruction before the one that starts at `at` (3.11+); false if there is none or it can't be told. */
bool codes_instruction_before(struct python_process *p, uint32_t id, uint32_t at, uint32_t *ret_at);
/* Where a caller stands that waits for the function of this version: the last call at or before `at` that is
 * specialised for it, else the first one (3.11+). False: there is none. */
bool codes_call_before(
    struct python_process *p, uint32_t id, uint64_t bytecode, uint32_t version, uint32_t at, uint32_t *ret_at);

/* Before 3.11: this code was met in the frame at `address`. */
void codes_frame_met(struct codes *cs, uint32_t id, uint64_t address);
/* Before 3.11: is this the frame that the code object keeps for its next call? */
bool codes_keep_frame(struct python_process *p, uint32_t id, uint64_t frame);
/* Before 3.11: where a caller has got what it calls, if that goes by the callee's name: the last load of that name at
 * or before `at`, else the first one. False: there is none. */
bool codes_load_before(struct python_process *p, uint32_t id, uint32_t callee, uint32_t at, uint32_t *ret_at);

/* ---- batch.c ---- */
void batch_clear(struct batch *b);
void batch_release(struct batch *b);
/* `size` bytes at `start` are wanted in `to`; both pointers stay valid until batch_read. 0 or -ENOMEM. */
int batch_add(struct batch *b, uint64_t start, uint32_t size, uint8_t *to, uint32_t *ret_size);
/* The same, in a segment of its own: it is read when its turn comes, not with what lies near it. */
int batch_add_alone(struct batch *b, uint64_t start, uint32_t size, uint8_t *to, uint32_t *ret_size);
/* Reads all of p->batch. 0, -ESRCH, -EPERM or -ENOMEM; what can't be read is told by each piece's ret_size alone. */
int batch_read(struct python_process *p);

/* ---- snapshot.c ---- */
int snapshot_plan(struct python_process *p, struct thread *t);    /* lays out the regions predicted to be needed */
int snapshot_request(struct python_process *p, struct thread *t); /* adds the planned regions to p->batch */
/* size bytes at address, from the copy or fetched now; NULL if they can't be had. Valid until the next fetch. */
const uint8_t *snapshot_at(struct python_process *p, struct thread *t, uint64_t address, uint32_t size);
/* The frame at `address`, if all of it was planned to be read: nothing is fetched here, later than the rest. */
const uint8_t *snapshot_copied(const struct python_process *p, const struct thread *t, uint64_t address);
/* The same of one that is known; NULL: it was not planned, or could not be read. */
const uint8_t *snapshot_heap_frame(const struct python_process *p, const struct thread *t, const struct heap_frame *f);
void snapshot_learn(struct python_process *p, struct thread *t); /* from t->steps: what to predict next time */
void snapshot_foresee(struct thread *t, uint64_t address); /* a frame outside the data stack that is needed next time */
/* A _PyCFrame (3.11, 3.12) lies there: it is copied from now on. */
void snapshot_cframe_met(struct thread *t, uint64_t address);
/* The caller that this code's frame outside the data stack had when it was last seen with one; 0 if never. */
uint64_t snapshot_last_caller(const struct thread *t, uint64_t address, uint32_t code);
struct chunk *snapshot_chunk_of(const struct thread *t, uint64_t address); /* NULL: not on the data stack */
int snapshot_chunks_refresh(struct python_process *p, struct thread *t, uint64_t top);
void thread_free(struct thread *t);

/* ---- walk.c: from a copy to a chain of frames ---- */
/* Offset of the instruction, and in which bytecode; false if the pointer lies outside the code: then the frame is torn
 * or freed. */
bool walk_instruction_offset(struct python_process *p, const uint8_t *frame, struct step *s);
/* How many slots the frame read from `address` has saved as in use; UINT32_MAX: none are, it runs or C does for it. */
uint32_t walk_saved_stacktop(const struct python_process *p, const uint8_t *frame, uint64_t address);
bool walk_executing(const struct python_process *p, const uint8_t *frame); /* 3.8 to 3.10 */
/* Reads one frame that is no entry frame. `caller`: that of a generator which has lost it by then; 0: the one that it
 * was last seen with. *ret_code_pointer: in, the pointer at this depth last time; out, now. -EAGAIN: it can't be told.
 */
int walk_step_read(struct python_process *p, struct thread *t, uint64_t address, uint64_t caller, struct step *ret,
    uint64_t *ret_code_pointer);
/* The same of a frame in the copy that may have returned; from 3.14 on only its instruction tells what ran in it
 * (Python/ceval.c, clear_thread_frame). -EAGAIN: it shows no code that is known. */
int walk_returned_read(struct python_process *p, struct thread *t, uint64_t address, struct step *ret);
/* Where the last of these frames on the data stack ends, the outermost first; 0: none is on it. */
uint64_t walk_data_stack_end(const struct python_process *p, const struct step *order, size_t count);
/* Remembers the entry frame (3.12+) at `address`, whose bytes are `frame`, and where its caller stands. */
const struct entry_frame *walk_entry_learn(
    struct python_process *p, struct thread *t, uint64_t address, const uint8_t *frame);
/* The thread's pointer to its innermost frame, read before all else. 0 or -EAGAIN. */
int walk_head(struct python_process *p, struct thread *t, uint64_t *ret);
/* The frame that it led to, straight or through an entry frame that is known; 0: none. */
uint64_t walk_led_to(struct python_process *p, struct thread *t);
uint64_t walk_data_stack_top(struct python_process *p, struct thread *t); /* 0: none is known */
/* Follows the chain in the snapshot into t->steps, from the thread's pointer or from the frame at `address`. 0, or
 * -EAGAIN: it is broken or ends at no known root. */
int walk_chain(struct python_process *p, struct thread *t);
int walk_from(struct python_process *p, struct thread *t, uint64_t address);
/* Before 3.11: a frame in the copy that is executing and was called by the one at `address`; 0: there is none. */
uint64_t walk_executing_callee(struct python_process *p, struct thread *t, uint64_t address);
int walk_reserve(struct thread *t, size_t depth);

/* ---- callees.c: what is live above a stack's last frame ---- */
/*
 * A frame's memory is read after the thread's pointer to it, and outlives the frame: what had been called may have
 * returned by then. A frame that runs saves no stack pointer (Python/ceval.c, SET_LOCALS_FROM_FRAME: stacktop is -1;
 * 3.14+: stackpointer is NULL), and one that pushed a callee's frame itself has saved it; up to 3.13 one that called C
 * has not.
 */
bool step_runs(const struct step *s);
/* The caller runs again. Or the callee only made a generator, into which its frame was copied (RETURN_GENERATOR). */
bool step_has_returned(const struct python_process *p, const struct step *caller, const struct step *callee);
/* The frame was popped, and what it held is let go in its caller's time: nothing is on its stack, not even its locals
 * (Python/frame.c, _PyFrame_ClearLocals, 3.13+). */
bool step_is_popped(const struct python_process *p, const struct step *s);
/* May a frame that the thread's pointer does not lead to be the innermost? It runs, or has not begun to; or its caller
 * waits for it. */
bool step_may_be_innermost(struct python_process *p, const struct step *s);
/* Callees that the copy shows above the top frame, one after the other, as long as each edge is accepted. The stack is
 * held leaf last in `order`; new steps are appended to it. search: for generators that were not met before, too.
 * *ret_whole: nothing more is seen to run above the last one. */
size_t callees_extend(struct python_process *p, struct thread *t, struct step *order, size_t count, size_t room,
    uint64_t now_ns, bool search, bool *ret_whole);

/* ---- moment.c: as it was when the thread's pointer was read ---- */
/* Cuts the stack, or puts back what has returned since, so that it ends in the frame that the thread's pointer led to,
 * where that can be told. `order` holds `depth` steps, the outermost first, and has room for `room`. Returns the new
 * depth; *ret_repaired is set where anything was put back. Does nothing before 3.11. */
size_t moment_restore(struct python_process *p, struct thread *t, struct step *order, size_t depth, size_t room,
    uint64_t now_ns, bool *ret_repaired);
/* A stack that ended above where the copy shows it to end was met, in a generator of this driver's or on the data stack
 * (NULL; before 3.11 always that), and could be put back or not. Generators that end, as those do whose one result is
 * asked for, are lost where others wait. */
void moment_count(struct python_process *p, const struct step *driver, bool restored);
/* Is what lies above where the thread's pointer led to be left out, this time? */
bool moment_leaves_out(struct python_process *p, const struct step *driver);

/* ---- stack.c: from a chain to a stack that can be believed ---- */
/* Checks every caller, repairs what fails, and publishes t->frames, t->depth and t->result. */
void stack_publish(struct python_process *p, struct thread *t, uint64_t now_ns);
/* Where the chain cannot be followed down from the leaf: builds the stack up from its root, frame by frame along
 * accepted edges, before 3.11 from the frames that are executing, and publishes what could be built as repaired. False
 * if that is nothing, or if something is seen to run above it. */
bool stack_otherwise(struct python_process *p, struct thread *t, uint64_t now_ns);
/* `order`, a part of t->steps, holds `depth` steps, the outermost first. The interpreter's own shims are left out. */
void stack_publish_steps(struct python_process *p, struct thread *t, struct step *order, size_t depth, bool repaired);

/* ---- kept.c: a sample that needs another read ---- */
/* Keeps what was published of the first read, if anything was; it is published no longer. */
void kept_take(struct python_process *p, struct thread *t);
/* After the other reads: shows what was kept, if anything was, unless what is published goes on from there. */
void kept_hold(struct python_process *p, struct thread *t);

/* ---- slots.c: what a caller's frame holds ---- */
enum {
    SLOT_NONE = INT32_MAX,
};
/* Slots [from, to), counted from the first variable on; NULL: they are not there. */
const uint8_t *slots_read(
    struct python_process *p, struct thread *t, const struct step *caller, uint32_t from, uint32_t to);
/* Which slot of the value stack holds the generator with this frame; SLOT_NONE: none, or more than one. */
uint32_t slots_find(struct python_process *p, struct thread *t, const struct step *caller, uint64_t frame);
/* Is the callee's function in one of the slots that a call instruction has just freed? */
bool slots_hold_callable(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee);
/* The generator is what FOR_ITER and SEND have on their stack, just below its saved top or at it, and its frame lies
 * inside it (PyGenObject.gi_iframe). */
bool slots_hold_generator(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee);
/* It is anywhere among the variables and on the value stack, whose top is saved while C runs from 3.14 on. */
bool slots_hold_anywhere(struct python_process *p, struct thread *t, const struct step *caller, uint64_t frame);
/* What lies on the value stack leads to it: an object that C made of it (enumerate; zip and map, whose iterators lie in
 * a tuple), or, by_self, the one whose __iter__ it is, its first variable: such a one C holds alone. Reads more of the
 * target. */
bool slots_lead_to(struct python_process *p, struct thread *t, const struct step *caller, uint64_t frame, bool by_self);

/* ---- edges.c ---- */
enum edge_verdict {
    EDGE_ACCEPTED,
    EDGE_REFUSED,
};
int edges_init(struct edges *s);
void edges_release(struct edges *s);
/* sighting: this stack shows the edge, which counts where it is accepted by numbers alone. */
bool edges_known(struct edges *s, const struct step *caller, const struct step *callee, bool sighting);
/* Is the instruction that the caller stands at known to drive a generator itself? */
bool edges_serve_generator(const struct python_process *p, const struct step *caller);
/* The frame of the generator that C drives for the caller at the instruction where it stands: a call has its arguments
 * always in the same slots. False: it is not known to drive any. */
bool edges_driven(struct python_process *p, struct thread *t, const struct step *caller, uint64_t *ret_frame);
/* Does the caller's value stack hold the generator with this frame? Or, where it has moved on since, a variable. */
bool edges_hold(struct python_process *p, struct thread *t, const struct step *caller, uint64_t frame);
/* Refused, by what was read a moment ago and what lies in the copy. */
bool edges_refused(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee, uint64_t now_ns);
enum edge_verdict edges_judge(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee, uint64_t now_ns);
/* Who was accepted last as the caller of this code, and at which instruction: one that pushed its frame itself, or C
 * lay between. False: nobody. */
bool edges_called_by(const struct edges *s, uint32_t callee, uint32_t *ret_code, uint32_t *ret_at);
bool edges_entered_by(const struct edges *s, uint32_t callee, uint32_t *ret_code, uint32_t *ret_at);
/* This __init__ was called for `maker` where that stands, with the shim of a class between; where that was last. */
void edges_made(struct edges *s, const struct step *maker, const struct step *init);
bool edges_make(const struct edges *s, const struct step *maker, const struct step *init, uint32_t *ret_at);
/* Before 3.11: the callee's frame names that of the caller, so that function has called it, unless the frame was
 * another's then: from where it loads a function of the callee's name, else from whichever instruction. */
void edges_pair_met(struct python_process *p, const struct step *caller, const struct step *callee);
/* Another instruction of the caller that calls the callee: known to, or by what is read now; false if there is none. */
bool edges_reseat(
    struct python_process *p, const struct step *caller, const struct step *callee, uint64_t now_ns, uint32_t *ret_at);

#endif
