/* Hashes are in task keys and checksums: the examples are xxHash's own and frozen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

static void test_frozen(void **state)
{
    (void)state;
    char hex[HASH_HEX_SIZE];
    hash128_hex(hash128_of("", 0), hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
    hash128_hex(hash128_of("sweepstake", 10), hex);
    assert_string_equal(hex, "d32f1e7e43ecf0ffe97bdf1d6addf857");
    assert_int_equal(hash64_of("", 0), 0x2d06800538d394c2);
    assert_int_equal(hash64_of("sweepstake", 10), 0x46f171aaa8b19762);
}

/* A stream in pieces of any size digests as the whole does, in both widths, also midway. */
static void test_stream(void **state)
{
    (void)state;
    unsigned char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i >> 3);
    static const size_t pieces[] = {1, 7, 64, 256, 1000, 5000};
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        struct error err = {0};
        struct hash_stream *stream = hash_stream_create(&err);
        assert_non_null(stream);
        for (size_t at = 0; at < sizeof bytes;) {
            size_t left = sizeof bytes - at, length = pieces[p] < left ? pieces[p] : left;
            hash_stream_add(stream, bytes + at, length);
            at += length;
            struct hash128 whole = hash128_of(bytes, at);
            struct hash128 streamed = hash_stream_digest128(stream);
            assert_memory_equal(whole.bytes, streamed.bytes, sizeof whole.bytes);
            assert_int_equal(hash_stream_digest64(stream), hash64_of(bytes, at));
        }
        hash_stream_destroy(stream);
    }
    hash_stream_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
