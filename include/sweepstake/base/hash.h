/* Hashing: XXH3 (xxHash), 64 bits for checksums, 128 bits for task keys and content. */
#ifndef SWEEPSTAKE_BASE_HASH_H
#define SWEEPSTAKE_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HASH_HEX_SIZE 33 /* 32 hexadecimal digits and the terminator */

/* 128 bits in the canonical (big-endian) byte order, so that text and bytes agree. */
struct hash128 {
    unsigned char bytes[16];
};

struct hash128 hash128_of(const void *bytes, size_t length);
void hash128_hex(struct hash128 hash, char hex[HASH_HEX_SIZE]);
/* Back from 32 digits (no more are read); false where one is not hexadecimal. */
bool hash128_parse(const char *hex, struct hash128 *hash);
uint64_t hash64_of(const void *bytes, size_t length);

/* Streaming: the digest depends on the bytes alone, not on how they were cut. */
struct hash_stream;
struct hash_stream *hash_stream_create(struct error *err);
void hash_stream_add(struct hash_stream *stream, const void *bytes, size_t length);
uint64_t hash_stream_digest64(const struct hash_stream *stream);
struct hash128 hash_stream_digest128(const struct hash_stream *stream);
void hash_stream_destroy(struct hash_stream *stream); /* accepts NULL */

#endif
