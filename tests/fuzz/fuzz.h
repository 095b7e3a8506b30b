/* SPDX-License-Identifier: MIT */
/* fuzz.h - what the fuzzers share: a broken promise aborts, so that libFuzzer keeps the input. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eddy.h"
#include "ingest/conn.h"
#include "ingest/stream.h"
#include "part.h"
#include "util/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void promise(bool kept)
{
    if (!kept)
        abort();
}

/* Text that needs no quoting anywhere, and ends within its field. */
static inline void check_text(const char *text, size_t room)
{
    size_t length = strnlen(text, room);
    promise(length < room);
    for (size_t i = 0; i < length; i++)
        promise(text[i] > ' ' && text[i] < 0x7f && strchr("\"',\\<>&", text[i]) == NULL);
}

/* The same, where a backslash may stand. */
static inline void check_name(const char *text, size_t room)
{
    size_t length = strnlen(text, room);
    promise(length < room);
    for (size_t i = 0; i < length; i++)
        promise(text[i] > ' ' && text[i] < 0x7f && strchr("\"',<>&", text[i]) == NULL);
}

/* What holds for every flow that a decoder lets through. */
static inline void check_flow(const eddy_flow *flow)
{
    promise(flow->size == sizeof *flow);
    check_text(flow->app, sizeof flow->app);
    check_text(flow->id, sizeof flow->id);
    promise(flow->state <= EDDY_CONN_CLOSED);
    promise((flow->quality & ~7u) == 0);
    promise(((flow->tcp_out | flow->tcp_in) & ~TCP_KEPT) == 0);
    promise(flow->proto == IP_TCP || (flow->tcp_out | flow->tcp_in) == 0);
    if (flow->proto == IP_ICMP || flow->proto == IP_ICMP6)
        promise(flow->src_port == 0 && flow->dst_port == 0);
    promise(flow->duration_us == EDDY_UNSET || flow->duration_us <= INT64_MAX);
}

/* And for every other record that is passed on. */
static inline void check_context(const struct context *context)
{
    promise(context->kind > CONTEXT_NONE && context->kind <= CONTEXT_HTTP);
    check_name(context->name, sizeof context->name);
    check_name(context->ja3, sizeof context->ja3);
    check_name(context->ja4, sizeof context->ja4);
    promise(context_says(context) && context->answers <= CONTEXT_ANSWERS);
}

/* One line through one input that has just begun, twice: the same must come out. */
static inline void check_line(const struct input *input, const uint8_t *data, size_t size,
                              struct arena *scratch)
{
    const char *line = (const char *)data;
    eddy_flow first, second;
    memset(&first, 0xaa, sizeof first);
    memset(&second, 0x55, sizeof second);
    static const struct ingest_conf conf = {
        .max_line = 1 << 20, .link_header = 14, .context = true};
    static max_align_t state[4];
    promise(input->state_size <= sizeof state);
    memset(state, 0, sizeof state);
    if (input->open != NULL)
        input->open(state, &conf);
    (void)input->recognise(line, size);
    arena_reset(scratch);
    struct context said[2];
    memset(said, 0x55, sizeof said); /* what is not set must not be read */
    context_begin(&said[0]);
    context_begin(&said[1]);
    enum reason reason = input->decode(state, scratch, line, size, &first, &said[0]);
    promise(reason < REASON_COUNT);
    arena_reset(scratch);
    promise(input->decode(state, scratch, line, size, &second, &said[1]) == reason);
    if (reason_is_context(reason)) {
        check_context(&said[0]);
        promise(strcmp(said[0].name, said[1].name) == 0 && said[0].answers == said[1].answers);
        promise(first.start_us == second.start_us && memcmp(first.src, second.src, 32) == 0);
        return;
    }
    if (reason != REASON_NONE)
        return;
    check_flow(&first);
    promise(first.start_us == second.start_us && first.bytes_out == second.bytes_out &&
            first.bytes_in == second.bytes_in && memcmp(first.src, second.src, 32) == 0 &&
            strcmp(first.id, second.id) == 0);
}
