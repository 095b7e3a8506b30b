/* SPDX-License-Identifier: MIT */
/* fuzz_zeek_tsv.c - a conn.log as TSV: headers and rows, any bytes. */
#include "records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ingest_conf conf = {.max_line = 8192, .link_header = 14, .context = true};
    static struct stream *stream;
    if (stream == NULL)
        promise(stream_new(&conf, "zeek-tsv", &stream, NULL) == EDDY_OK);
    struct digest digest = {0};
    (void)stream_feed(stream, data, size, digest_record, &digest);
    (void)stream_end(stream, digest_record, &digest);
    return 0;
}
