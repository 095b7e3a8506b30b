/* SPDX-License-Identifier: MIT */
/* fuzz_zeek_json.c - one line of Zeek JSON, any bytes. */
#include "fuzz.h"

#include "ingest/json.h"

extern const struct input ingest_zeek_json;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { LINE_MAX_BYTES = 65536 };
    static struct arena scratch;
    if (scratch.base == NULL)
        promise(arena_init(&scratch, json_scratch_size(LINE_MAX_BYTES)) == EDDY_OK);
    if (size <= LINE_MAX_BYTES)
        check_line(&ingest_zeek_json, data, size, &scratch);
    return 0;
}
