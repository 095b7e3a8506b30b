/* SPDX-License-Identifier: MIT */
/* records.h - what a stream made of its bytes, as one number. */
#pragma once

#include "fuzz.h"
#include "ingest/stream.h"
#include "util/hash.h"

struct digest {
    uint64_t hash, count;
};

static inline uint64_t digest_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++)
        hash = hash_add(hash, at[i]);
    return hash;
}

static inline void digest_record(void *user, const struct stream_record *record)
{
    struct digest *digest = user;
    uint64_t hash = hash_add(digest->hash, (uint64_t)record->reason);
    hash = hash_add(hash, record->offset);
    hash = digest_bytes(hash_add(hash, record->length), record->line, record->length);
    bool context = reason_is_context(record->reason);
    promise((record->reason == REASON_NONE || context) == (record->flow != NULL));
    promise(context == (record->context != NULL));
    if (context) {
        check_context(record->context);
        hash = digest_bytes(hash, record->context->name, strlen(record->context->name));
    } else if (record->flow != NULL) {
        check_flow(record->flow);
        hash = hash_add(hash, (uint64_t)record->flow->start_us);
        hash = hash_add(hash, record->flow->bytes_out);
        hash = digest_bytes(hash, record->flow->src, 32);
        hash = digest_bytes(hash, record->flow->id, strlen(record->flow->id));
    }
    digest->hash = hash;
    digest->count++;
}
