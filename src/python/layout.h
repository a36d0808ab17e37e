/*
 * layout: where things are in CPython's memory, by version. 3.13 and later publish most of it (_Py_DebugOffsets in
 * _PyRuntime), which is hostile until python_layout_validate has passed; the rest, and all of 3.8 to 3.12, comes from
 * tables generated from each version's own headers (layout_3_8.c ... layout_3_15.c, made by tools/layout/generate).
 *
 * Offsets are bytes. NONE marks a field that the version does not have. For 3.13+ a table holds only what is not
 * published, as *distances* from a published field of the same struct, because published fields move between patch
 * releases and their neighbours move with them. Free-threaded builds (3.14t, 3.15t) have tables of their own.
 */
#ifndef PITVIPER_PYTHON_LAYOUT_H
#define PITVIPER_PYTHON_LAYOUT_H

#include "python/python.h"

#define PYTHON_FIELD_NONE UINT16_MAX

/* struct, field: see the comment of each group for its CPython name. X-macro, so that validation and the test that
 * compares a table with a running interpreter go over all of them. */
/* clang-format would lay this macro out anew each time. */
/* clang-format off */
#define PYTHON_LAYOUT_FIELDS(X)                                                                                        \
    /* _PyRuntimeState. gil: struct _gil_runtime_state inside it (3.8-3.11). gc_collecting: 3.8 only */                \
    X(runtime, finalizing) X(runtime, interpreters_head) X(runtime, gil) X(runtime, gc_collecting)                     \
    /* PyInterpreterState. gil: the pointer ceval.gil (3.12+). gc_collecting: 3.9+. modules: the dict */               \
    X(interpreter, next) X(interpreter, id) X(interpreter, threads_head) X(interpreter, threads_main)                  \
    X(interpreter, gil) X(interpreter, gc_collecting) X(interpreter, modules) X(interpreter, sysdict)                  \
    X(interpreter, code_generation) X(interpreter, tlbc_generation)                                                    \
    /* struct _gil_runtime_state */                                                                                    \
    X(gil, enabled) X(gil, last_holder) X(gil, locked) X(gil, switch_number)                                           \
    /* PyThreadState. frame: frame (3.8-3.10), cframe (3.11, 3.12), current_frame (3.13+) */                           \
    X(thread, prev) X(thread, next) X(thread, interpreter) X(thread, frame) X(thread, thread_id)                       \
    X(thread, native_thread_id) X(thread, datastack_chunk) X(thread, datastack_top) X(thread, base_frame)              \
    X(thread, holds_gil) X(thread, gil_requested) X(thread, state)                                                     \
    /* c_profileobj and c_traceobj (3.11+): what sys.setprofile and sys.settrace were given */                         \
    X(thread, profileobj) X(thread, traceobj)                                                                          \
    /* _PyCFrame (3.11, 3.12) */                                                                                       \
    X(cframe, current_frame)                                                                                           \
    /* _PyStackChunk (3.11+) */                                                                                        \
    X(chunk, previous) X(chunk, size) X(chunk, top) X(chunk, data)                                                     \
    /* PyFrameObject (3.8-3.10) or _PyInterpreterFrame. instr: f_lasti (int), prev_instr or instr_ptr. func: f_func,   \
       f_funcobj. state: f_executing (3.8, 3.9) or f_state (3.10). stacktop: int stacktop (3.11-3.13) or               \
       stackpointer (3.14+). valuestack, stackdepth: f_valuestack and f_stacktop (a pointer; 3.10: f_stackdepth) */                                                                                         \
    X(frame, previous) X(frame, code) X(frame, func) X(frame, instr) X(frame, stacktop) X(frame, return_offset)        \
    X(frame, owner) X(frame, is_entry) X(frame, state) X(frame, localsplus) X(frame, tlbc_index)                       \
    X(frame, valuestack) X(frame, stackdepth)                                                                          \
    /* PyCodeObject. bytecode: the co_code pointer (3.8-3.10) or co_code_adaptive itself. size: ob_size (3.11+) */     \
    X(code, size) X(code, filename) X(code, name) X(code, qualname) X(code, linetable) X(code, firstlineno)            \
    X(code, flags) X(code, stacksize) X(code, nlocalsplus) X(code, framesize) X(code, version) X(code, bytecode)       \
    X(code, tlbc) X(code, monitoring)                                                                                  \
    /* _PyCoMonitoringData (3.12+): pointers to what INSTRUMENTED_LINE and INSTRUMENTED_INSTRUCTION stand for */        \
    X(monitoring, lines) X(monitoring, instructions)                                                                   \
    /* PyFunctionObject */                                                                                             \
    X(function, code) X(function, version)                                                                             \
    /* PyObject, PyTypeObject, PyUnicodeObject (state: the bit field word), PyBytesObject, PyTupleObject, PyLongObject */\
    X(object, type) X(type, name) X(type, flags) X(type, basicsize) X(type, base) X(type, dictoffset)                  \
    X(unicode, length) X(unicode, state) X(unicode, ascii_data) X(unicode, compact_data) X(bytes, size) X(bytes, data) X(tuple, size)     \
    X(tuple, items) X(integer, tag) X(integer, digit)                                                                  \
    /* PyDictObject, PyModuleObject */                                                                                 \
    X(dict, keys) X(dict, values) X(dict, used) X(module, dict)                                                        \
    /* PyListObject, PySetObject, PyWeakReference, PyGenObject (coroutines and asynchronous generators begin as it     \
       does). frame: gi_frame (3.8-3.10) or gi_iframe itself */                                                        \
    X(list, size) X(list, items) X(set, mask) X(set, table) X(weakref, object) X(generator, frame) X(generator, state)
/* clang-format on */

struct python_layout {
    uint16_t version;   /* 0x0308 ... 0x030f */
    bool published;     /* came from _Py_DebugOffsets */
    bool free_threaded; /* only then: gil.enabled, thread.state, and the three of thread-local bytecode (tlbc) */
    uint32_t runtime_size, interpreter_size, thread_size, frame_size; /* bytes, without variable parts */
#define PYTHON_LAYOUT_MEMBER(group, field) uint16_t group##_##field;
    PYTHON_LAYOUT_FIELDS(PYTHON_LAYOUT_MEMBER)
#undef PYTHON_LAYOUT_MEMBER
};

/* The complete table of 3.8 to 3.12. NULL for another version. */
const struct python_layout *python_layout_table(uint16_t version);

/*
 * Reads the layout that a 3.13+ interpreter publishes: `data` are the first `size` bytes at _PyRuntime, which begin
 * with the cookie "xdebugpy", Py_Version as hex and the free-threaded flag. Fills what is published and adds the minor
 * version's distances. -EINVAL with a line (which field, which value) if anything is out of span, misaligned or
 * overlapping; -ENOTSUP for a version or build that there is no table of distances for (3.13t).
 */
int python_layout_from_debug_offsets(const void *data, size_t size, struct python_layout *ret, struct error *e);

/* ---- opcodes, by minor version: what the edge check needs (opcodes_3_8.c ..., made by tools/layout/generate) ---- */
enum python_opcode_class {
    PYTHON_OP_UNKNOWN = 0, /* no such opcode in this version: never believe it */
    PYTHON_OP_PURE,      /* can neither call nor drop a reference: nothing may stand above it (LOAD_FAST, CACHE ...) */
    PYTHON_OP_RUNS_C,    /* may reach Python only through C: a slot, a callback, and as DROPS does */
    PYTHON_OP_DROPS,     /* may do so only by dropping a last reference or looking at the eval breaker: POP_TOP,
                            RETURN_VALUE,     STORE_FAST, JUMP_BACKWARD ... */
    PYTHON_OP_INLINES,   /* may push a Python frame itself and may also call C: CALL, CALL_KW, SEND, FOR_ITER_GEN ... */
    PYTHON_OP_VERSIONED, /* inlines, for one function version only, held in its inline cache (CALL_PY_EXACT_ARGS ...) */
    PYTHON_OP_OPAQUE, /* instrumented or executor forms that hide the real opcode: only the weaker check is possible */
};
enum python_hidden_in { /* 3.12+: where the code keeps the opcode that an opaque one stands for */
    PYTHON_HIDDEN_NOWHERE = 0,
    PYTHON_HIDDEN_IN_LINES,
    PYTHON_HIDDEN_IN_INSTRUCTIONS,
};
struct python_opcode {
    uint8_t class;         /* enum python_opcode_class */
    uint8_t caches;        /* inline cache entries that follow, in code units of 2 bytes */
    uint8_t version_at;    /* VERSIONED: where the uint32 version starts, in bytes from the instruction; else 0 */
    uint8_t hidden_in;     /* OPAQUE: enum python_hidden_in */
    uint8_t counter_at;    /* where the adaptive counter (uint16) is, bytes from the instruction; 0: none */
    bool generator;        /* the frame it pushes belongs to a generator or coroutine (FOR_ITER_GEN, SEND_GEN, SEND) */
    bool call;             /* the callable lies on the caller's value stack (CALL family), at its saved stacktop */
    bool drops_while_hit;  /* RUNS_C: does no more than DROPS while its counter is pristine */
    bool instrumented;     /* calls tools (trace functions, 3.12+), whatever it does else */
    bool may_have_inlined; /* RUNS_C as it stands, but another form of its family inlines: the site may have been
                              specialised anew while the callee ran. A second read decides. */
};
struct python_opcodes {
    struct python_opcode by_number[256];
    uint16_t pristine_counter; /* what the counter of a specialised call holds until its first miss; 0: unknown */
};
const struct python_opcodes *python_opcodes_table(uint16_t version); /* NULL: no table */

/* ---- line tables: 3.8, 3.9 (lnotab), 3.10 (line ranges), 3.11+ (locations) ---- */
/* `at`: byte offset of the instruction. Any bytes are survived. Line 0 if the table does not say. No size limit. */
void python_location_find(
    uint16_t version, const uint8_t *table, size_t size, uint32_t first_line, uint32_t at, struct python_location *ret);

#endif
