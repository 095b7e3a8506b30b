/* SPDX-License-Identifier: MIT */
/* decompress.c - plain, gzip or zstd bytes into plain ones (the only file that includes zlib and
 * zstd). */
#include "decompress.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST /* next_in is only read */
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "eddy.h"

enum kind {
    KIND_UNKNOWN = 0, /* too few bytes so far */
    KIND_PLAIN,
    KIND_GZIP,
    KIND_ZSTD,
    KIND_BROKEN /* nothing more is read of this stream */
};

enum { MAGIC = 4, CHUNK = 65536, WINDOW_LOG_MAX = 27 /* what `zstd -d` accepts unasked */ };

struct decompress {
    enum kind kind;
    unsigned char magic[MAGIC]; /* the first bytes, until the kind is known */
    size_t magic_length;
    z_stream gzip;
    bool gzip_open; /* inflateInit2 has been called */
    ZSTD_DStream *zstd;
    size_t zstd_hint; /* bytes it can use next; 0 between two frames */
    bool inside;      /* of a gzip member or zstd frame: the end would come too early */
    char out[CHUNK];
};

int decompress_new(struct decompress **out)
{
    struct decompress *d = calloc(1, sizeof *d);
    if (d == NULL)
        return EDDY_ENOMEM;
    *out = d;
    return EDDY_OK;
}

void decompress_free(struct decompress *d)
{
    if (d == NULL)
        return;
    if (d->gzip_open)
        (void)inflateEnd(&d->gzip);
    (void)ZSTD_freeDStream(d->zstd);
    free(d);
}

/* ---- gzip --------------------------------------------------------------- */

static int gzip_begin(struct decompress *d)
{
    enum { GZIP_ONLY = 16, WINDOW_BITS = 15 };
    int status =
        d->gzip_open ? inflateReset(&d->gzip) : inflateInit2(&d->gzip, GZIP_ONLY + WINDOW_BITS);
    if (status != Z_OK)
        return EDDY_ENOMEM; /* the only way either can fail with these arguments */
    d->gzip_open = true;
    d->inside = true;
    return EDDY_OK;
}

/* One call of inflate. */
static int gzip_step(struct decompress *d, decompress_fn *each, void *user)
{
    d->gzip.next_out = (unsigned char *)d->out;
    d->gzip.avail_out = CHUNK;
    int status = inflate(&d->gzip, Z_NO_FLUSH);
    if (d->gzip.avail_out < CHUNK)
        each(user, d->out, CHUNK - d->gzip.avail_out);
    if (status == Z_STREAM_END)
        d->inside = false;
    if (status == Z_MEM_ERROR)
        return EDDY_ENOMEM;
    return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR ? EDDY_OK
                                                                             : EDDY_EINPUT;
}

static int gzip_feed(struct decompress *d, const unsigned char *bytes, size_t length,
                     decompress_fn *each, void *user)
{
    int status = EDDY_OK;
    while (length > 0 && status == EDDY_OK) {
        if (!d->inside) { /* another member, or the zeros that tapes and tar end with */
            if (*bytes != 0)
                status = gzip_begin(d);
            if (!d->inside) {
                bytes++;
                length--;
                continue;
            }
        }
        uInt part = length < UINT_MAX ? (uInt)length : UINT_MAX;
        d->gzip.next_in = bytes;
        d->gzip.avail_in = part;
        do {
            status = gzip_step(d, each, user);
        } while (status == EDDY_OK && d->inside &&
                 (d->gzip.avail_in > 0 || d->gzip.avail_out == 0));
        bytes += part - d->gzip.avail_in;
        length -= part - d->gzip.avail_in;
    }
    return status;
}

/* ---- zstd --------------------------------------------------------------- */

static int zstd_begin(struct decompress *d)
{
    if (d->zstd == NULL)
        d->zstd = ZSTD_createDStream();
    if (d->zstd == NULL)
        return EDDY_ENOMEM;
    (void)ZSTD_DCtx_reset(d->zstd, ZSTD_reset_session_only);
    (void)ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    d->zstd_hint = 0;
    d->inside = false;
    return EDDY_OK;
}

/* How many bytes to pass at once. zstd would take all, but when it then finds damage, it forgets
 * what it has written in the same call, and how much that is would depend on how the stream was
 * cut. So: the first byte of a frame alone (keeps zstd from decoding the frame as a whole), then
 * what the next block needs, without the 3 bytes of the following block's header. */
static size_t zstd_part(const struct decompress *d, size_t length)
{
    size_t part = d->zstd_hint > 3 ? d->zstd_hint - 3 : d->zstd_hint;
    if (!d->inside || part == 0)
        part = 1;
    return part < length ? part : length;
}

static int zstd_feed(struct decompress *d, const unsigned char *bytes, size_t length,
                     decompress_fn *each, void *user)
{
    while (length > 0) {
        size_t part = zstd_part(d, length);
        ZSTD_inBuffer in = {bytes, part, 0};
        ZSTD_outBuffer out;
        size_t hint;
        do {
            out = (ZSTD_outBuffer){d->out, CHUNK, 0};
            hint = ZSTD_decompressStream(d->zstd, &out, &in);
            if (ZSTD_isError(hint))
                return ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation ? EDDY_ENOMEM
                                                                               : EDDY_EINPUT;
            if (out.pos > 0)
                each(user, d->out, out.pos);
            d->zstd_hint = hint;
            d->inside = hint > 0;
        } while (in.pos < in.size || (hint > 0 && out.pos == CHUNK));
        bytes += part;
        length -= part;
    }
    return EDDY_OK;
}

/* ---- The stream --------------------------------------------------------- */

static int pass(struct decompress *d, const unsigned char *bytes, size_t length,
                decompress_fn *each, void *user)
{
    int status = EDDY_OK;
    if (length == 0)
        return EDDY_OK;
    if (d->kind == KIND_PLAIN)
        each(user, (const char *)bytes, length);
    else if (d->kind == KIND_GZIP)
        status = gzip_feed(d, bytes, length, each, user);
    else if (d->kind == KIND_ZSTD)
        status = zstd_feed(d, bytes, length, each, user);
    if (status != EDDY_OK)
        d->kind = KIND_BROKEN;
    return status;
}

/* Kinds by their first bytes, with the bits that count. */
static const struct magic {
    enum kind kind;
    size_t length;
    unsigned char bytes[MAGIC], mask[MAGIC];
} magics[] = {
    {KIND_GZIP, 3, {0x1f, 0x8b, 0x08}, {0xff, 0xff, 0xff}},             /* RFC 1952; 8: deflate */
    {KIND_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}, {0xff, 0xff, 0xff, 0xff}}, /* RFC 8878 */
    {KIND_ZSTD, 4, {0x50, 0x2a, 0x4d, 0x18}, {0xf0, 0xff, 0xff, 0xff}}, /* pzstd begins so */
};

/* Are the first bytes those of this kind, as far as they go? */
static bool fits(const struct decompress *d, const struct magic *magic)
{
    for (size_t i = 0; i < d->magic_length && i < magic->length; i++) {
        if ((d->magic[i] & magic->mask[i]) != magic->bytes[i])
            return false;
    }
    return true;
}

/* Decides as soon as the first bytes allow. */
static int recognise(struct decompress *d)
{
    bool perhaps = false;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (!fits(d, &magics[i]))
            continue;
        perhaps = true;
        if (d->magic_length < magics[i].length)
            continue;
        d->kind = magics[i].kind;
        return d->kind == KIND_GZIP ? gzip_begin(d) : zstd_begin(d);
    }
    if (!perhaps)
        d->kind = KIND_PLAIN;
    return EDDY_OK;
}

int decompress_feed(struct decompress *d, const void *bytes, size_t length, decompress_fn *each,
                    void *user)
{
    const unsigned char *at = bytes;
    if (d->kind != KIND_UNKNOWN)
        return pass(d, at, length, each, user);
    size_t taken = 0;
    while (taken < length && d->kind == KIND_UNKNOWN) {
        d->magic[d->magic_length++] = at[taken++];
        int status = recognise(d);
        if (status != EDDY_OK) {
            d->kind = KIND_BROKEN;
            return status;
        }
    }
    if (d->kind == KIND_UNKNOWN)
        return EDDY_OK;
    if (d->magic_length == taken) /* nothing came earlier: the usual case needs no copy */
        return pass(d, at, length, each, user);
    int status = pass(d, d->magic, d->magic_length, each, user);
    return status != EDDY_OK ? status : pass(d, at + taken, length - taken, each, user);
}

int decompress_end(struct decompress *d, decompress_fn *each, void *user)
{
    int status = EDDY_OK;
    if (d->kind == KIND_UNKNOWN) {
        d->kind = KIND_PLAIN; /* too short to be anything else */
        status = pass(d, d->magic, d->magic_length, each, user);
    } else if ((d->kind == KIND_GZIP || d->kind == KIND_ZSTD) && d->inside) {
        status = EDDY_EINPUT;
    }
    d->kind = KIND_UNKNOWN;
    d->magic_length = 0;
    d->inside = false;
    return status;
}
