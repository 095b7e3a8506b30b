/* SPDX-License-Identifier: MIT */
/* say.c - formats log lines and errors for shared host code. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

void say(const struct say *to, int level, const char *format, ...)
{
    if (to == NULL || to->line == NULL)
        return;
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments); /* a cut line is still a line */
    va_end(arguments);
    to->line(level, message, to->user);
}

int fault(eddy_error *err, int code, const char *format, ...)
{
    if (err == NULL)
        return code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    err->code = code;
    return code;
}
