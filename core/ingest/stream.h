/* SPDX-License-Identifier: MIT */
/* stream.h - the first step: the bytes of a log, cut anywhere, into flows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "eddy.h"
#include "part.h"
#include "reason.h"

struct ingest_conf {
    uint64_t max_line;
    uint64_t link_header;
    bool context; /* read the records that are no flows but name what flows are about */
};

extern const struct part ingest_part;

struct stream;

/* One record: every line of the log is one, and so is damage to its compression. */
struct stream_record {
    enum reason reason; /* REASON_NONE: `flow` is filled */
    eddy_flow *flow;    /* borrowed, may be changed; NULL if there is neither flow nor context */
    const struct context *context; /* for REASON_dns_context and its like: `flow` has its ends */
    const char *line;              /* borrowed, not ended by NUL; of one too long, what fits */
    size_t length;                 /* 0 for REASON_bad_stream */
    uint64_t offset;               /* of the line in the decompressed stream */
};

/* May not call back into the stream. */
typedef void stream_record_fn(void *user, const struct stream_record *record);

/* `format` is the name of an input ("eve") or NULL: detected, and detected again when the stream
 * changes. All memory but a decoder's is allocated here. EDDY_ECONFIG for an unknown format. */
int stream_new(const struct ingest_conf *conf, const char *format, struct stream **out,
               eddy_error *err);
void stream_free(struct stream *stream);

/* Passes on the records that are complete now, in order; the same however the bytes are cut.
 * EDDY_OK; EDDY_EINPUT when the compression is found damaged (one REASON_bad_stream; the rest of
 * the stream is ignored, with EDDY_OK); EDDY_ENOMEM (as damage) if there is no decoder to be had.
 */
int stream_feed(struct stream *stream, const void *bytes, size_t length, stream_record_fn *each,
                void *user);

/* The stream ends: a last line without newline is a record, a compressed stream cut off is one
 * REASON_bad_stream (and EDDY_EINPUT; the line it was cut in is not read). Then ready for another.
 */
int stream_end(struct stream *stream, stream_record_fn *each, void *user);

/* Before the first bytes: lines that begin in the first `bytes` (decompressed) are only read for
 * headers, and for the format. They are not passed on. Holds until stream_end. */
void stream_skip(struct stream *stream, uint64_t bytes);

/* The name of the format, "" while it is not known. */
const char *stream_format(const struct stream *stream);
