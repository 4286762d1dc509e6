/* Payloads: masks, weights and curves in and out, and the digest over them.
 *
 * In the file a mask is packed as numpy.unpackbits takes it apart: the first element is the highest
 * bit of the first byte, and the bits that fill up the last byte are zero. Weights are the
 * parameter's floats as they are. A curve's NaNs are all written as the same NaN.
 *
 * The digest is XXH3 over the bytes as the file holds them, in this order: the mask, parameter by
 * parameter; the sets of weights by index, parameter by parameter; the curve. It is the same
 * whether the content is on its way in or read back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "datasets.h"
#include "h5.h"
#include "handle.h"

/* One payload on its way: into the file, or back out of it to be digested. */
struct passage {
    struct store *store;
    int32_t index; /* of the network */
    const struct store_network *network;
    struct hash_stream *digest;
    void *scratch; /* bytes enough for any one parameter, or the curve */
};

static int check_network(const struct store *store, int32_t network, struct error *err)
{
    if (network < 0 || network >= store->network_count)
        return error_set(err, ERROR_INTERNAL, "there is no network %d", network);
    return 0;
}

static int check_when(const struct store_network *network, int32_t when, struct error *err)
{
    if (when < 0 || when >= network->when_count)
        return error_set(err, ERROR_INTERNAL, "%s has no set of weights %d", network->name, when);
    return 0;
}

/* --- masks --- */

static void pack_bits(const uint8_t *mask, int64_t count, uint8_t *packed)
{
    memset(packed, 0, (size_t)(count + 7) / 8);
    for (int64_t i = 0; i < count; i++)
        packed[i / 8] = (uint8_t)(packed[i / 8] | (mask[i] != 0) << (7 - i % 8));
}

static void unpack_bits(const uint8_t *packed, int64_t count, uint8_t *mask)
{
    for (int64_t i = 0; i < count; i++)
        mask[i] = packed[i / 8] >> (7 - i % 8) & 1;
}

/* Without a mask (NULL) what the file holds is digested. */
static int pass_mask(struct passage *passage, int64_t slot, const uint8_t *mask, struct error *err)
{
    for (int32_t p = 0; p < passage->network->parameter_count; p++) {
        const struct store_parameter *parameter = &passage->network->parameters[p];
        hid_t dataset = passage->store->handles[passage->index].masks[p];
        if (!parameter->prunable)
            continue;
        int status;
        if (mask != NULL) {
            pack_bits(mask + parameter->offset, parameter->count, passage->scratch);
            status = store_write_rows(passage->store, dataset, H5T_NATIVE_UINT8, slot, 1,
                                      passage->scratch, err);
        } else {
            status = store_read_rows(passage->store, dataset, H5T_NATIVE_UINT8, slot, 1,
                                     passage->scratch, err);
        }
        if (status != 0)
            return -1;
        hash_stream_add(passage->digest, passage->scratch, (size_t)datasets_mask_bytes(parameter));
    }
    return 0;
}

int store_read_mask(struct store *store, int32_t network, int64_t slot, uint8_t *mask,
                    struct error *err)
{
    if (check_network(store, network, err) != 0)
        return store_named(store, -1, err);
    const struct store_network *of = &store->networks[network];
    uint8_t *packed = mem_zeroed((size_t)of->block_size, 1, err);
    if (packed == NULL)
        return -1;
    memset(mask, 1, (size_t)of->block_size);
    int status = 0;
    for (int32_t p = 0; p < of->parameter_count && status == 0; p++) {
        const struct store_parameter *parameter = &of->parameters[p];
        if (!parameter->prunable)
            continue;
        status = store_read_rows(store, store->handles[network].masks[p], H5T_NATIVE_UINT8, slot, 1,
                                 packed, err);
        if (status == 0)
            unpack_bits(packed, parameter->count, mask + parameter->offset);
    }
    free(packed);
    return store_named(store, status, err);
}

/* --- weights --- */

static void fill_missing(float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = NAN;
}

static int write_weights(struct passage *passage, int32_t when, int64_t slot, const float *block,
                         struct error *err)
{
    for (int32_t p = 0; p < passage->network->parameter_count; p++) {
        const struct store_parameter *parameter = &passage->network->parameters[p];
        const float *values = block != NULL ? block + parameter->offset : passage->scratch;
        if (block == NULL)
            fill_missing(passage->scratch, parameter->count);
        if (store_write_rows(passage->store,
                             weights_handle(passage->store, passage->index, when, p),
                             H5T_NATIVE_FLOAT, slot, 1, values, err) != 0)
            return -1;
        hash_stream_add(passage->digest, values, (size_t)parameter->count * sizeof *values);
    }
    return 0;
}

static int digest_weights(struct passage *passage, int32_t when, int64_t slot, struct error *err)
{
    for (int32_t p = 0; p < passage->network->parameter_count; p++) {
        if (store_read_rows(passage->store, weights_handle(passage->store, passage->index, when, p),
                            H5T_NATIVE_FLOAT, slot, 1, passage->scratch, err) != 0)
            return -1;
        hash_stream_add(passage->digest, passage->scratch,
                        (size_t)passage->network->parameters[p].count * sizeof(float));
    }
    return 0;
}

int store_read_weights(struct store *store, int32_t network, int32_t when, int64_t slot,
                       float *block, struct error *err)
{
    if (check_network(store, network, err) != 0 ||
        check_when(&store->networks[network], when, err) != 0)
        return store_named(store, -1, err);
    const struct store_network *of = &store->networks[network];
    memset(block, 0, (size_t)of->block_size * sizeof *block);
    for (int32_t p = 0; p < of->parameter_count; p++)
        if (store_read_rows(store, weights_handle(store, network, when, p), H5T_NATIVE_FLOAT, slot,
                            1, block + of->parameters[p].offset, err) != 0)
            return store_named(store, -1, err);
    return 0;
}

/* --- curves --- */

static void copy_curve(struct store_curve_point *to, const struct store_curve_point *from,
                       int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        to[i] = (struct store_curve_point){
            .iteration = from[i].iteration,
            .train_loss = one_nan(from[i].train_loss),
            .validation_loss = one_nan(from[i].validation_loss),
            .validation_accuracy = one_nan(from[i].validation_accuracy),
            .test_loss = one_nan(from[i].test_loss),
            .test_accuracy = one_nan(from[i].test_accuracy),
        };
}

/* Without a curve (NULL) what the file holds is digested. */
static int pass_curve(struct passage *passage, int64_t offset, int32_t count,
                      const struct store_curve_point *curve, struct error *err)
{
    hid_t dataset = passage->store->tables[TABLE_CURVES], type = passage->store->curve_type;
    int status;
    if (curve != NULL) {
        copy_curve(passage->scratch, curve, count);
        status =
            store_write_rows(passage->store, dataset, type, offset, count, passage->scratch, err);
    } else {
        status =
            store_read_rows(passage->store, dataset, type, offset, count, passage->scratch, err);
    }
    if (status == 0)
        hash_stream_add(passage->digest, passage->scratch, (size_t)count * sizeof *curve);
    return status;
}

int store_read_curve(struct store *store, int64_t offset, int32_t count,
                     struct store_curve_point *curve, struct error *err)
{
    int status = store_read_rows(store, store->tables[TABLE_CURVES], store->curve_type, offset,
                                 count, curve, err);
    return store_named(store, status, err);
}

/* --- whole payloads --- */

static int check_payload(const struct store *store, const struct store_payload *payload,
                         struct error *err)
{
    if (check_network(store, payload->network, err) != 0)
        return -1;
    const struct store_network *network = &store->networks[payload->network];
    bool seen[STORE_MAX_WHENS] = {false};
    for (int32_t i = 0; i < payload->weights_count; i++) {
        int32_t when = payload->weights[i].when;
        if (check_when(network, when, err) != 0)
            return -1;
        if (seen[when])
            return error_set(err, ERROR_INTERNAL, "weights '%s' are given twice",
                             network->whens[when].name);
        seen[when] = true;
    }
    return 0;
}

static int open_passage(struct passage *passage, struct store *store,
                        const struct store_payload *payload, struct error *err)
{
    if (check_payload(store, payload, err) != 0)
        return -1;
    const struct store_network *network = &store->networks[payload->network];
    size_t bytes = (size_t)network->block_size * sizeof(float);
    size_t curve = (size_t)payload->curve_count * sizeof(struct store_curve_point);
    *passage = (struct passage){.store = store, .index = payload->network, .network = network};
    passage->scratch = mem_zeroed(bytes > curve ? bytes : curve, 1, err);
    if (passage->scratch != NULL)
        passage->digest = hash_stream_create(err);
    return passage->digest == NULL ? -1 : 0;
}

static void close_passage(struct passage *passage)
{
    hash_stream_destroy(passage->digest);
    free(passage->scratch);
}

/* Sends every part through in the order of the digest. `writing` = from the payload's blocks into
 * the file; else only what the file holds is read. */
static int pass_parts(struct passage *passage, const struct store_payload *payload, bool writing,
                      struct error *err)
{
    if (payload->mask_slot >= 0 &&
        pass_mask(passage, payload->mask_slot, writing ? payload->mask : NULL, err) != 0)
        return -1;
    for (int32_t when = 0; when < passage->network->when_count; when++)
        for (int32_t i = 0; i < payload->weights_count; i++) {
            int64_t slot = payload->weights[i].slot;
            if (payload->weights[i].when != when || slot < 0)
                continue;
            if ((writing ? write_weights(passage, when, slot, payload->weights[i].block, err)
                         : digest_weights(passage, when, slot, err)) != 0)
                return -1;
        }
    if (payload->curve_count <= 0)
        return 0;
    return pass_curve(passage, payload->curve_offset, payload->curve_count,
                      writing ? payload->curve : NULL, err);
}

int store_write_payload(struct store *store, const struct store_payload *payload, uint64_t *digest,
                        struct error *err)
{
    struct passage passage = {0};
    int status = store_writable(store, err);
    if (status == 0 && ((payload->mask_slot >= 0 && payload->mask == NULL) ||
                        (payload->curve_count > 0 && payload->curve == NULL)))
        status = error_set(err, ERROR_INTERNAL, "a payload without its mask or curve");
    if (status == 0)
        status = open_passage(&passage, store, payload, err);
    if (status == 0)
        status = pass_parts(&passage, payload, true, err);
    if (status == 0)
        status = store_sync(store, err);
    if (status == 0)
        *digest = hash_stream_digest64(passage.digest);
    close_passage(&passage);
    return store_named(store, status, err);
}

int store_read_digest(struct store *store, const struct store_payload *payload, uint64_t *digest,
                      struct error *err)
{
    struct passage passage = {0};
    int status = open_passage(&passage, store, payload, err);
    if (status == 0)
        status = pass_parts(&passage, payload, false, err);
    if (status == 0)
        *digest = hash_stream_digest64(passage.digest);
    close_passage(&passage);
    return store_named(store, status, err);
}
