/* SPDX-License-Identifier: MIT */
/* error.h - fills an eddy_error; every function returns the status, for `return error_set(...)`. */
#pragma once

#include "eddy.h"

/* `err` may be NULL. The message is cut to fit. */
int error_set(eddy_error *err, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int error_nomem(eddy_error *err);
