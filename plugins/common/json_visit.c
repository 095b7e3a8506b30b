/* SPDX-License-Identifier: MIT */
/* json_visit.c - walks through a JSON text of others; the only file of the hosts that includes
 * yajl. */
#include "json_visit.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "say.h"

/* yajl has no way to hear of a failed allocation, so there must be none. For a text of n bytes its
 * two buffers begin with 2 KiB and double until they hold n + 2; what was outgrown may stay behind.
 * The rest (handle, lexer, stack) takes less than 2 KiB. As in core/ingest/json.c. */
enum { SCRATCH_FIXED = 16384, SCRATCH_PER_BYTE = 8 };

/* Memory for yajl, from one block. Each piece has its size in front, to be copied when it grows. */
struct scratch {
    char *block;
    size_t used, size;
};

static void *scratch_alloc(void *context, size_t size)
{
    struct scratch *s = context;
    size_t needed =
        (size + 2 * sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (needed > s->size - s->used)
        return NULL; /* never: see SCRATCH_PER_BYTE */
    char *piece = s->block + s->used;
    memcpy(piece, &size, sizeof size);
    s->used += needed;
    return piece + sizeof(max_align_t);
}

static void *scratch_grow(void *context, void *old, size_t size)
{
    void *grown = scratch_alloc(context, size);
    if (old == NULL || grown == NULL)
        return grown;
    size_t before;
    memcpy(&before, (char *)old - sizeof(max_align_t), sizeof before);
    memcpy(grown, old, before < size ? before : size);
    return grown;
}

static void scratch_drop(void *context, void *piece)
{
    (void)context; /* all at once, with the block */
    (void)piece;
}

struct walk {
    const struct json_visitor *visitor;
    void *user;
    yajl_handle yajl;
    size_t depth;
    size_t end; /* byte behind the outermost object or array; 0: there is none, or not yet */
};

/* ---- what yajl calls: 0 ends the reading ---- */

static int pass_null(void *context)
{
    const struct walk *w = context;
    return w->visitor->null(w->user);
}

static int pass_boolean(void *context, int truth)
{
    const struct walk *w = context;
    return w->visitor->boolean(w->user, truth);
}

static int pass_number(void *context, const char *text, size_t length)
{
    const struct walk *w = context;
    return w->visitor->number(w->user, text, length);
}

static int pass_string(void *context, const unsigned char *text, size_t length)
{
    const struct walk *w = context;
    return w->visitor->string(w->user, (const char *)text, length);
}

static int pass_key(void *context, const unsigned char *text, size_t length)
{
    const struct walk *w = context;
    return w->visitor->key(w->user, (const char *)text, length);
}

static int pass_object(void *context)
{
    struct walk *w = context;
    w->depth++;
    return w->visitor->object(w->user);
}

static int pass_array(void *context)
{
    struct walk *w = context;
    w->depth++;
    return w->visitor->array(w->user);
}

static int pass_end(void *context)
{
    struct walk *w = context;
    if (--w->depth == 0)
        w->end = yajl_get_bytes_consumed(w->yajl);
    return w->visitor->end(w->user);
}

static const yajl_callbacks callbacks = {
    .yajl_null = pass_null,
    .yajl_boolean = pass_boolean,
    .yajl_number = pass_number,
    .yajl_string = pass_string,
    .yajl_start_map = pass_object,
    .yajl_map_key = pass_key,
    .yajl_end_map = pass_end,
    .yajl_start_array = pass_array,
    .yajl_end_array = pass_end,
};

/* ---- reading ---- */

/* What yajl says ends with a newline. */
static int say_why(const struct walk *w, eddy_error *err)
{
    const char *text = (const char *)yajl_get_error(w->yajl, 0, NULL, 0); /* in the scratch */
    if (text == NULL)
        text = "it can't be read";
    return fault(err, EDDY_EINPUT, "bad JSON before byte %zu: %.*s",
                 yajl_get_bytes_consumed(w->yajl), (int)strcspn(text, "\n"), text);
}

/* Behind the last bracket yajl lets through the beginning of a token that the end cuts off. */
static int check_end(const struct walk *w, const char *text, size_t length, eddy_error *err)
{
    size_t end = w->end > 0 ? w->end : length;
    while (end < length && memchr(" \t\r\n", text[end], 4) != NULL)
        end++;
    return end == length
               ? EDDY_OK
               : fault(err, EDDY_EINPUT, "bad JSON at byte %zu: it should have ended", end);
}

int json_visit(const char *text, size_t length, const struct json_visitor *visitor, void *user,
               eddy_error *err)
{
    if (length > INT_MAX)
        return fault(err, EDDY_EINPUT, "bad JSON: it is too long");
    struct scratch scratch = {.size = SCRATCH_FIXED + SCRATCH_PER_BYTE * length};
    scratch.block = malloc(scratch.size);
    if (scratch.block == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    yajl_alloc_funcs memory = {scratch_alloc, scratch_grow, scratch_drop, &scratch};
    struct walk w = {.visitor = visitor, .user = user};
    w.yajl = yajl_alloc(&callbacks, &memory, &w);
    yajl_status status = yajl_parse(w.yajl, (const unsigned char *)text, length);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(w.yajl);
    int result = status == yajl_status_ok ? check_end(&w, text, length, err) : say_why(&w, err);
    free(scratch.block);
    return result;
}
