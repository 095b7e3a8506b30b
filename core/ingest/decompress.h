/* SPDX-License-Identifier: MIT */
/* decompress.h - plain, gzip or zstd bytes into plain ones, told apart by their first bytes. */
#pragma once

#include <stddef.h>

struct decompress;

typedef void decompress_fn(void *user, const char *bytes, size_t length);

/* EDDY_OK or EDDY_ENOMEM. */
int decompress_new(struct decompress **out);
void decompress_free(struct decompress *d);

/* Plain bytes are passed on as they are, without a copy. Several gzip members or zstd frames in a
 * row are one stream. EDDY_OK, EDDY_EINPUT when the stream is damaged (what came before the damage
 * has been passed on), EDDY_ENOMEM. After a failure the rest of the stream is ignored, with
 * EDDY_OK. A decoder is allocated at the first compressed stream, and kept; zstd needs up to
 * 128 MiB if the file was made with --ultra or --long, usually 2 to 8. */
int decompress_feed(struct decompress *d, const void *bytes, size_t length, decompress_fn *each,
                    void *user);

/* The stream ends. EDDY_EINPUT if it was cut off. Then ready for another one. */
int decompress_end(struct decompress *d, decompress_fn *each, void *user);
