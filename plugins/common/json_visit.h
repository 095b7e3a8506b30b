/* SPDX-License-Identifier: MIT */
/* json_visit.h - walks through a JSON text of others, value by value. */
#pragma once

#include <stddef.h>

#include "eddy.h"

/* Each returns whether to go on. All must be there. Texts are not NUL-terminated, and valid until
 * the call returns. */
struct json_visitor {
    int (*null)(void *user);
    int (*boolean)(void *user, int truth);
    int (*number)(void *user, const char *text, size_t length); /* as written */
    int (*string)(void *user, const char *text, size_t length); /* unescaped UTF-8 */
    int (*object)(void *user);
    int (*key)(void *user, const char *text, size_t length);
    int (*array)(void *user);
    int (*end)(void *user); /* of the innermost object or array */
};

/* EDDY_OK; EDDY_EINPUT if it is no JSON, or more than one value, and also when a visitor said stop
 * (who has to remember why); EDDY_ENOMEM. Takes up to eight times the text and 16 KiB of memory;
 * only what strings with escapes need is touched. */
int json_visit(const char *text, size_t length, const struct json_visitor *visitor, void *user,
               eddy_error *err);
