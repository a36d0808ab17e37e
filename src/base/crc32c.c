#include "base/base.h"

#include <string.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#define HWCAP_CRC32_BIT (1UL << 7) /* HWCAP_CRC32 of the kernel's arm64 asm/hwcap.h */
#endif

/* The reflected Castagnoli polynomial 0x82f63b78, four bits at a step: for processors without the
 * instruction. */
static const uint32_t nibble_table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
    0x61c69362, 0x7198540d, //
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

static uint32_t update_by_table(uint32_t crc, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ nibble_table[crc & 15];
        crc = (crc >> 4) ^ nibble_table[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t update_by_instruction(
    uint32_t crc, const unsigned char *bytes, size_t size)
{
    uint64_t wide = crc, word;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; bytes++, size--)
        crc = __builtin_ia32_crc32qi(crc, *bytes);
    return crc;
}

static bool have_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__)

/* In assembly because gcc and clang name the intrinsics differently and hide them without -march=...+crc. */
static uint32_t update_by_instruction(uint32_t crc, const unsigned char *bytes, size_t size)
{
    uint64_t word;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
    }
    for (; size > 0; bytes++, size--) {
        uint32_t byte = *bytes;
        __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(byte));
    }
    return crc;
}

static bool have_instruction(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_CRC32_BIT) != 0;
}

#else

static uint32_t update_by_instruction(uint32_t crc, const unsigned char *bytes, size_t size)
{
    return update_by_table(crc, bytes, size);
}

static bool have_instruction(void)
{
    return false;
}

#endif

uint32_t crc32c(uint32_t seed, const void *data, size_t size)
{
    uint32_t crc = ~seed;
    crc = have_instruction() ? update_by_instruction(crc, data, size) : update_by_table(crc, data, size);
    return ~crc;
}
