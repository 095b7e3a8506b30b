/* SPDX-License-Identifier: MIT */
/* rest_openapi.h - openapi.yaml, built in. */
#pragma once

#include <stddef.h>

extern const char openapi_text[];
extern const size_t openapi_length;
