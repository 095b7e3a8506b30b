/* SPDX-License-Identifier: MIT */
/* fuzz_stream.c - any bytes as a stream of any format and compression: whole and cut, they must
 * give the same records. The first byte says how to cut. */
#include "records.h"

/* Feeds pieces of 1 to 256 bytes, each in a block of its own so that reading beyond it is seen. */
static int feed_cut(struct stream *stream, const uint8_t *data, size_t size, uint64_t seed,
                    struct digest *digest)
{
    int status = EDDY_OK;
    for (size_t at = 0; at < size;) {
        seed = hash_mix(seed + 1);
        size_t part = 1 + (seed & (seed >> 8) & 0xff);
        if (part > size - at)
            part = size - at;
        uint8_t *piece = malloc(part);
        promise(piece != NULL);
        memcpy(piece, data + at, part);
        int fed = stream_feed(stream, piece, part, digest_record, digest);
        free(piece);
        if (fed != EDDY_OK)
            status = fed;
        at += part;
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ingest_conf conf = {.max_line = 4096, .link_header = 14, .context = true};
    static struct stream *stream;
    if (stream == NULL)
        promise(stream_new(&conf, NULL, &stream, NULL) == EDDY_OK);
    if (size == 0)
        return 0;
    struct digest whole = {0}, cut = {0};
    int whole_status = stream_feed(stream, data + 1, size - 1, digest_record, &whole);
    int whole_end = stream_end(stream, digest_record, &whole);
    int cut_status = feed_cut(stream, data + 1, size - 1, data[0], &cut);
    int cut_end = stream_end(stream, digest_record, &cut);
    promise(whole.count == cut.count && whole.hash == cut.hash);
    promise(whole_status == cut_status && whole_end == cut_end);
    return 0;
}
