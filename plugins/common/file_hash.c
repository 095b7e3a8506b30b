/* SPDX-License-Identifier: MIT */
/* file_hash.c - the SHA-256 of a file; the only file of the hosts that includes openssl's header.
 */
#include "file_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

/* False: errno says why; 0 if it was the library. */
static bool add_all(EVP_MD_CTX *context, int fd)
{
    char piece[65536];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
        errno = 0;
        if (n > 0 && EVP_DigestUpdate(context, piece, (size_t)n) != 1)
            return false;
    }
}

static bool digest(int fd, unsigned char out[EVP_MAX_MD_SIZE])
{
    errno = ENOMEM;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL)
        return false;
    errno = 0;
    bool good = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 && add_all(context, fd) &&
                EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

int file_hash(const char *path, char out[FILE_HASH_SIZE], eddy_error *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool good = fd >= 0 && digest(fd, bytes);
    int problem = errno;
    if (fd >= 0)
        (void)close(fd); /* read only */
    if (!good)
        return fault(err, EDDY_EIO, "%.160s: %s", path,
                     problem != 0 ? strerror(problem) : "libcrypto refuses SHA-256");
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return EDDY_OK;
}
