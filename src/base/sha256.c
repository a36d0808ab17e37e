#include "base/base.h"

#include <string.h>

/* FIPS 180-4. The constants are the first 32 fraction bits of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5,                                                                         //
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, //
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, //
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, //
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, //
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, //
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, //
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate_right(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static uint32_t load_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be32(unsigned char *p, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* The eight working variables stay where they are; what each of them is moves by one a round. */
#define V(x) v[((x)-i) & 7]
static void compress(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64], v[8];
    for (size_t i = 0; i < 16; i++)
        w[i] = load_be32(block + 4 * i);
    for (size_t i = 16; i < 64; i++) {
        uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(v, state, sizeof v);
#pragma GCC unroll 8
    for (size_t i = 0; i < 64; i++) {
        uint32_t s1 = rotate_right(V(4), 6) ^ rotate_right(V(4), 11) ^ rotate_right(V(4), 25);
        uint32_t choice = (V(4) & V(5)) ^ (~V(4) & V(6));
        uint32_t t1 = V(7) + s1 + choice + round_constants[i] + w[i];
        uint32_t s0 = rotate_right(V(0), 2) ^ rotate_right(V(0), 13) ^ rotate_right(V(0), 22);
        uint32_t majority = (V(0) & V(1)) ^ (V(0) & V(2)) ^ (V(1) & V(2));
        V(3) += t1;
        V(7) = t1 + s0 + majority;
    }
    for (size_t i = 0; i < 8; i++)
        state[i] += v[i];
}
#undef V

void sha256_init(struct sha256 *h)
{
    *h = (struct sha256){
        .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_update(struct sha256 *h, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size_t held = h->size % 64;
    if (size == 0) /* data may be NULL then */
        return;
    h->size += size;
    if (held > 0) {
        size_t n = size < 64 - held ? size : 64 - held;
        memcpy(h->block + held, bytes, n);
        bytes += n;
        size -= n;
        if (held + n < 64)
            return;
        compress(h->state, h->block);
    }
    for (; size >= 64; bytes += 64, size -= 64)
        compress(h->state, bytes);
    if (size > 0)
        memcpy(h->block, bytes, size);
}

void sha256_final(struct sha256 *h, uint8_t ret_digest[32])
{
    unsigned char tail[72] = {0x80};
    uint64_t bits = h->size * 8;
    size_t zeros = (119 - h->size % 64) % 64; /* up to the last 8 bytes of a block */
    store_be32(tail + 1 + zeros, (uint32_t)(bits >> 32));
    store_be32(tail + 5 + zeros, (uint32_t)bits);
    sha256_update(h, tail, 9 + zeros);
    for (size_t i = 0; i < 8; i++)
        store_be32(ret_digest + 4 * i, h->state[i]);
}

void sha256(const void *data, size_t size, uint8_t ret_digest[32])
{
    struct sha256 h;
    sha256_init(&h);
    if (size > 0)
        sha256_update(&h, data, size);
    sha256_final(&h, ret_digest);
}
