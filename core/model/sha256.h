/* SPDX-License-Identifier: MIT */
/* sha256.h - SHA-256 (FIPS 180-4) of bytes and files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

#define SHA256_SIZE 32

/* False if the library can't (a policy of the machine forbids it, or out of memory). */
bool sha256_of(const void *bytes, size_t length, uint8_t out[SHA256_SIZE]);

int sha256_of_file(const char *path, uint8_t out[SHA256_SIZE], eddy_error *err);

/* 64 lower-case digits and a NUL. */
void sha256_hex(const uint8_t digest[SHA256_SIZE], char out[65]);
