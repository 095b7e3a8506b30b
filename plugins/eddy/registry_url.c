/* SPDX-License-Identifier: MIT */
/* registry_url.c - addresses with a maximum length, put together of words. */
#include "registry_url.h"

#include <stdio.h>
#include <string.h>

static void put(struct url *url, const char *bytes, size_t length)
{
    if (length >= sizeof url->text - url->length) {
        url->full = true;
        return;
    }
    memcpy(url->text + url->length, bytes, length);
    url->length += length;
    url->text[url->length] = '\0';
}

void url_begin(struct url *url, const char *server)
{
    size_t length = strlen(server);
    while (length > 0 && server[length - 1] == '/')
        length--;
    *url = (struct url){0};
    put(url, server, length);
}

void url_add(struct url *url, const char *plain)
{
    put(url, plain, strlen(plain));
}

void url_add_escaped(struct url *url, const char *word, bool slashes)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *word != '\0'; word++) {
        char escaped[4];
        int n = snprintf(escaped, sizeof escaped, "%%%02X", (unsigned)(unsigned char)*word);
        if (strchr(safe, *word) != NULL || (slashes && *word == '/'))
            put(url, word, 1);
        else
            put(url, escaped, (size_t)n);
    }
}
