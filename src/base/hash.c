/* Hashing by xxHash. The 64- and the 128-bit XXH3 differ in their last step only (xxhash.h says
 * so and the unit test checks it), which is why one stream gives both digests. */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

struct hash_stream {
    XXH3_state_t *state;
};

static struct hash128 canonical(XXH128_hash_t value)
{
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, value);
    struct hash128 hash;
    memcpy(hash.bytes, bytes.digest, sizeof hash.bytes);
    return hash;
}

struct hash128 hash128_of(const void *bytes, size_t length)
{
    return canonical(XXH3_128bits(bytes, length));
}

void hash128_hex(struct hash128 hash, char hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof hash.bytes; i++) {
        hex[2 * i] = digits[hash.bytes[i] >> 4];
        hex[2 * i + 1] = digits[hash.bytes[i] & 15];
    }
    hex[HASH_HEX_SIZE - 1] = '\0';
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool hash128_parse(const char *hex, struct hash128 *hash)
{
    for (size_t i = 0; i < sizeof hash->bytes; i++) {
        int high = digit_value(hex[2 * i]);
        int low = high < 0 ? -1 : digit_value(hex[2 * i + 1]);
        if (low < 0)
            return false;
        hash->bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

uint64_t hash64_of(const void *bytes, size_t length)
{
    return XXH3_64bits(bytes, length);
}

struct hash_stream *hash_stream_create(struct error *err)
{
    struct hash_stream *stream = mem_zeroed(1, sizeof *stream, err);
    if (stream == NULL)
        return NULL;
    stream->state = XXH3_createState();
    if (stream->state == NULL) {
        error_set(err, ERROR_RESOURCE, "not enough memory for a hash state");
        free(stream);
        return NULL;
    }
    XXH3_128bits_reset(stream->state);
    return stream;
}

void hash_stream_add(struct hash_stream *stream, const void *bytes, size_t length)
{
    XXH3_128bits_update(stream->state, bytes, length);
}

uint64_t hash_stream_digest64(const struct hash_stream *stream)
{
    return XXH3_64bits_digest(stream->state);
}

struct hash128 hash_stream_digest128(const struct hash_stream *stream)
{
    return canonical(XXH3_128bits_digest(stream->state));
}

void hash_stream_destroy(struct hash_stream *stream)
{
    if (stream == NULL)
        return;
    XXH3_freeState(stream->state);
    free(stream);
}
