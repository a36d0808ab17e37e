/*
 * The bytes of a `.pit` file, shared by the writer and the reader only. docs/format.md tells the same in
 * prose.
 */
#ifndef PITVIPER_RECORD_FORMAT_H
#define PITVIPER_RECORD_FORMAT_H

#include <stdint.h>

/* The file header: magic, le32 version, le32 CRC32C of the twelve bytes before. The magic holds a byte above
 * 127 and both line endings, so that a transfer in text mode is found at once. This header never changes its
 * shape, so that any reader can name a version that it does not know. */
static const uint8_t format_magic[8] = {0x8b, 'P', 'I', 'T', '\r', '\n', 0x1a, '\n'};
#define FORMAT_VERSION 2
#define FORMAT_HEADER_SIZE 16

/* A chunk: type, encoding, two zero bytes, le32 length of the payload as it is stored, le32 sequence (from 0, never
 * falling), le32 CRC32C of the stored payload, le32 CRC32C of the sixteen bytes before. The sequence shows a chunk that
 * was lost or doubled. A header proves itself, so that a reader finds the next one after damage in one pass.
 * Version 1 had no checksum of the header, and its one CRC32C was over the twelve bytes before it and the payload. */
#define FORMAT_CHUNK_HEADER 20
#define FORMAT_CHUNK_HEADER_1 16
enum format_chunk {
    FORMAT_CHUNK_DATA = 1,
    FORMAT_CHUNK_RESTART = 2, /* data, which needs nothing of what came before */
    FORMAT_CHUNK_END = 3,     /* empty; the writer was closed in order */
};
enum format_encoding {
    FORMAT_RAW = 0,
    FORMAT_ZSTD = 1, /* one zstd frame that tells its content's size; each chunk by itself */
};

#define FORMAT_CHUNK_TARGET (64u << 10)      /* payload at which a chunk is closed */
#define FORMAT_CHUNK_MAX (4u << 20)          /* of a payload, stored and unpacked; one large event has its own chunk */
#define FORMAT_CHUNK_NS UINT64_C(1000000000) /* age at which a chunk is closed */
#define FORMAT_TICK_NS 1000                  /* the unit of a tick's time; version 1: 1 */
#define FORMAT_RESTART_BYTES (4u << 20)      /* of file, after which the writer wants a restart */
#define FORMAT_LIMIT_MIN 1000000             /* of a file that is thinned */
#define FORMAT_METAS_MAX 256                 /* that a restart repeats */
#define FORMAT_STRING_MAX (1u << 20)         /* a longer string is cut, with an ellipsis at its end */
#define FORMAT_SOURCE_MAX (2u << 20)         /* a longer source text is cut, and no longer called whole */
#define FORMAT_STRINGS_MAX (256u << 20)      /* all strings between two restarts */
#define FORMAT_STRING_OVERHEAD 64            /* that each counts for there besides its bytes */
#define FORMAT_PROCESSES_MAX (1u << 20)
#define FORMAT_RUNS_MAX (1u << 16)
#define FORMAT_THREADS_MAX (1u << 22)
#define FORMAT_TASKS_MAX (1u << 22) /* between two restarts */
#define FORMAT_IDS_MAX (1u << 27)   /* code, frames, stacks, each between two restarts */

/* Ticks and states are told by the first bits of their first byte:
 *   10xxxxxx +1 byte, 110xxxxx +2, 1110xxxx +3, 11110000 +varint: tick; big-endian time since the last tick
 *   01TFCddd: state. T: a thread id follows (else the thread of the last state). F: a byte of flags follows
 * (else that thread's last). ddd, and with C a varint above it: zigzag of the stack less that thread's last.
 * Bytes below 0x40 are the definitions. From FORMAT_SKIPPABLE on they have a length before their payload, and
 * a reader that does not know one, or knows only its first fields, skips the rest. */
#define FORMAT_TICK_VARINT 0xf0
#define FORMAT_STATE 0x40
#define FORMAT_STATE_THREAD 0x20
#define FORMAT_STATE_FLAGS 0x10
#define FORMAT_STATE_MORE 0x08
#define FORMAT_STATE_BITS 3

enum format_event {
    FORMAT_STRING = 1, /* size, bytes; id is the next */
    FORMAT_CODE = 2,   /* process, qualname string, file string, first line; id is the next */
    FORMAT_FRAME = 3,  /* kind, zigzag of code less last frame's, line, zigzag end line less line, column, end column */
    FORMAT_STACK = 4,  /* last id less parent, zigzag of frame less last stack's frame; id is the next */
    FORMAT_SKIPPABLE = 0x20,
    FORMAT_META = 0x20,        /* key, value */
    FORMAT_PROCESS = 0x21,     /* id, parent, pid, start, image, python, command; run, 0 where absent */
    FORMAT_PROCESS_END = 0x22, /* process, time, cpu, zigzag status */
    FORMAT_THREAD = 0x23,      /* id, process, tid, name */
    FORMAT_THREAD_CPU = 0x24,  /* thread, cpu, wait */
    FORMAT_COUNTERS = 0x25,    /* the counters in their order; those left out at the end are 0 */
    FORMAT_SOURCE = 0x26,      /* whole, 32 bytes of SHA-256, path, text */
    FORMAT_TASK = 0x27,        /* id, process, code, name */
    FORMAT_THREAD_TASK = 0x28, /* thread, task (0: none), from the next tick on */
};

#endif
