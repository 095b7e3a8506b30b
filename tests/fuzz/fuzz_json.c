/* SPDX-License-Identifier: MIT */
/* fuzz_json.c - any bytes as one JSON object: the quick reader and yajl must agree on all of it. */
#include "fuzz.h"

#include "ingest/json.h"
#include "ingest/json_quick.h"
#include "util/hash.h"

enum { LONGEST = 65536 };

/* Every key is wanted, and numbered by its name and place, so that nothing goes unseen. */
static unsigned number_key(unsigned inside, const char *text, size_t length)
{
    uint64_t hash = inside;
    for (size_t i = 0; i < length; i++)
        hash = hash_add(hash, (uint8_t)text[i]);
    unsigned key = (unsigned)(hash % 1000);
    return key <= JSON_TOP ? JSON_UNWANTED : key;
}

struct seen {
    uint64_t hash, count;
};

static void see_value(void *user, unsigned key, const char *text, size_t length)
{
    struct seen *seen = user;
    seen->hash = hash_add(hash_add(seen->hash, key), length);
    for (size_t i = 0; i < length; i++)
        seen->hash = hash_add(seen->hash, (uint8_t)text[i]);
    seen->count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_format format = {
        .key = number_key, .value = see_value, .each = UINT64_C(0x5555555555555555)};
    static struct arena scratch;
    const char *line = (const char *)data;
    if (scratch.base == NULL)
        promise(arena_init(&scratch, json_scratch_size(LONGEST)) == EDDY_OK);
    if (size > LONGEST)
        return 0;
    struct seen strict = {0}, quick = {0};
    arena_reset(&scratch);
    enum reason reason = json_strict(&scratch, line, size, &format, &strict);
    promise(reason == REASON_NONE || reason == REASON_bad_json || reason == REASON_bad_utf8);
    if (!json_quick_can(line, size))
        return 0;
    promise(json_quick(line, size, &format, &quick) == (reason == REASON_NONE));
    promise(reason != REASON_NONE || (quick.hash == strict.hash && quick.count == strict.count));
    return 0;
}
