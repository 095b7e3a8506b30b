/* SPDX-License-Identifier: MIT */
/* registry_url.h - addresses with a maximum length, put together of words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct url {
    char text[4096];
    size_t length;
    bool full; /* something did not fit: not to be used */
};

void url_begin(struct url *url, const char *server); /* without '/' at its end */
void url_add(struct url *url, const char *plain);
/* What is no letter, digit or one of -._~ is written as %20; so are slashes, unless wanted. */
void url_add_escaped(struct url *url, const char *word, bool slashes);
