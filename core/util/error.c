/* SPDX-License-Identifier: MIT */
/* error.c - fills an eddy_error. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(eddy_error *err, int status, const char *format, ...)
{
    if (err == NULL)
        return status;
    va_list args;
    va_start(args, format);
    err->code = status;
    (void)vsnprintf(err->message, sizeof err->message, format, args); /* cut is fine */
    va_end(args);
    return status;
}

int error_nomem(eddy_error *err)
{
    return error_set(err, EDDY_ENOMEM, "out of memory");
}

const char *eddy_strerror(int status)
{
    switch (status) {
    case EDDY_OK:
        return "no error";
    case EDDY_ENOMEM:
        return "out of memory";
    case EDDY_EUSAGE:
        return "a call that eddy.h forbids";
    case EDDY_EIO:
        return "input/output failed";
    case EDDY_ECONFIG:
        return "unknown setting or bad value";
    case EDDY_EINPUT:
        return "the stream can't be read";
    default:
        return status > 0 ? "no error" : "unknown error";
    }
}
