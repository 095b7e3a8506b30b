/* SPDX-License-Identifier: MIT */
/* sha256.c - SHA-256 of bytes and files; the only file that includes openssl's headers.
 *
 * From libcrypto: it is on every Debian and EL system (its licence is Apache-2.0), its EVP
 * functions are the same in 1.1, 3 and 4 (nettle's changed in 4.0), and libcurl uses it anyway. */
#include "model/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/io.h"

bool sha256_of(const void *bytes, size_t length, uint8_t out[SHA256_SIZE])
{
    return EVP_Digest(bytes, length, out, NULL, EVP_sha256(), NULL) == 1;
}

static int digest_all(int fd, EVP_MD_CTX *context, uint8_t *out)
{
    char piece[65536];
    ssize_t n;
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        return EDDY_ENOMEM;
    while ((n = io_read(fd, piece, sizeof piece)) > 0)
        if (EVP_DigestUpdate(context, piece, (size_t)n) != 1)
            return EDDY_ENOMEM;
    if (n < 0)
        return EDDY_EIO;
    return EVP_DigestFinal_ex(context, out, NULL) == 1 ? EDDY_OK : EDDY_ENOMEM;
}

int sha256_of_file(const char *path, uint8_t out[SHA256_SIZE], eddy_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(err, EDDY_EIO, "%s: %s", path, strerror(errno));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int status = context == NULL ? EDDY_ENOMEM : digest_all(fd, context, out);
    int reason = errno;
    EVP_MD_CTX_free(context);
    (void)close(fd); /* read only */
    if (status == EDDY_EIO)
        return error_set(err, EDDY_EIO, "%s: %s", path, strerror(reason));
    return status == EDDY_OK ? EDDY_OK : error_nomem(err);
}

void sha256_hex(const uint8_t digest[SHA256_SIZE], char out[65])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[64] = '\0';
}
