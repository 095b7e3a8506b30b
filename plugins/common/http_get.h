/* SPDX-License-Identifier: MIT */
/* http_get.h - asks a web server for something that it is not trusted about.
 *
 * Redirects are not followed, so that credentials never leave for another host; bodies are cut off
 * at a size, and the whole at a time; nothing is decompressed. */
#pragma once

#include <stddef.h>

#include "eddy.h"

struct http_client {
    const char *bearer; /* a token, or NULL */
    const char *user;   /* "name:password", or NULL */
    const char *ca;     /* a file of certificates to trust instead of the system's, or NULL */
    long timeout_ms;    /* for one answer, all of it */
};

/* Gets the next piece of a body. False: stop; `err` was set. */
typedef int http_sink(const char *bytes, size_t length, void *user, eddy_error *err);

struct http_want {
    const char *url; /* http:// or https:// */
    size_t max; /* longer bodies are refused: at once if the server says so, else when they are */
    http_sink *sink; /* gets bodies of answers with status 200, nothing of others */
    void *user;
};

struct http_reply {
    long status;        /* 200 ... */
    char type[64];      /* of the content, "" if it doesn't say */
    char location[160]; /* of a redirect, else "" */
    char refusal[512];  /* the beginning of the body of another status than 200 */
};

/* Whether this eddy was built with libcurl. Without, http_get() fails and says so. */
int http_can(void);

/* EDDY_OK if there was an answer, of whatever status; EDDY_EIO if there was none, or if it was cut
 * off, late or too long. `err` says why, without the address. */
int http_get(const struct http_client *client, const struct http_want *want,
             struct http_reply *reply, eddy_error *err);
