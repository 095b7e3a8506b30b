/* SPDX-License-Identifier: MIT */
/* fuzz_json_read.c - any bytes as JSON of others: what is read is a tree that can be walked. */
#include "fuzz.h"

#include "../../plugins/common/json_read.c"
#include "../../plugins/common/json_visit.c"
#include "../../plugins/common/say.c"

enum { LONGEST = 65536, DEPTH = 8, VALUES = 1000 };

/* How many values are in it, itself too; looks up each key. */
static size_t walk(const struct json_value *value, unsigned depth)
{
    promise(depth <= DEPTH);
    size_t count = 1;
    if (value->kind == JSON_STRING)
        promise(value->is.text[value->length] == '\0');
    const struct json_value *at = json_first(value);
    for (uint32_t i = 0; i < value->length && at != NULL; i++) {
        if (value->kind == JSON_OBJECT) {
            promise(at->kind == JSON_STRING);
            promise(json_text(at) == NULL || json_find(value, json_text(at)) != NULL);
            count++;
            at++;
        }
        count += walk(at, depth + 1);
        at = json_behind(at);
    }
    promise(at == NULL || at == json_behind(value));
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_limits limits = {.depth = DEPTH, .values = VALUES};
    struct json_tree *tree = NULL;
    eddy_error err = {0};
    if (size > LONGEST)
        return 0;
    int status = json_tree_new((const char *)data, size, &limits, &tree, &err);
    if (status < 0) {
        promise(status == EDDY_EINPUT && tree == NULL);
        promise(strncmp(err.message, "bad JSON", 8) == 0);
        return 0;
    }
    promise(walk(json_tree_root(tree), 0) <= VALUES);
    json_tree_free(tree);
    return 0;
}
