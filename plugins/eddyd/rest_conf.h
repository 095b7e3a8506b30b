/* SPDX-License-Identifier: MIT */
/* rest_conf.h - the settings of the REST interface, section [rest], and the token. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"
#include "say.h"
#include "sockets.h"

struct rest_conf {
    char *http;                                     /* eddyd.http */
    char *token_file, *tls_cert, *tls_key, *models; /* paths; empty: none */
    size_t max_body, max_batch;
    int64_t timeout_ms;
    unsigned connections, parallel;
};

int rest_conf_read(const eddy_config *config, struct rest_conf *out, eddy_error *err);
int rest_conf_copy(const struct rest_conf *from, struct rest_conf *out, eddy_error *err);
void rest_conf_done(struct rest_conf *c);

/* Can it be served as the settings say? Others than this machine only with a token. */
int rest_conf_check(const struct rest_conf *c, eddy_error *err);
bool rest_conf_is_off(const struct rest_conf *c);

/* For a reload: says what differs and needs a restart, and takes it over from the old settings. */
void rest_conf_warn(const struct rest_conf *old, const struct rest_conf *now, const struct say *to);
void rest_conf_keep(struct rest_conf *old, struct rest_conf *now);

/* Where it is served; `local`: only this machine can reach it. */
int rest_conf_where(const struct rest_conf *c, struct socket_at *out, bool *local, eddy_error *err);

/* All of a small file, NUL-terminated, the caller's to free; NULL: `err` says why. */
char *rest_conf_file(const char *path, eddy_error *err);

enum { TOKEN_MIN = 16, TOKEN_MAX = 512 };

struct token {
    char text[TOKEN_MAX + 1]; /* the rest is 0 */
    size_t length;            /* 0: there is none */
};

/* Reads the token of a file; `to` is told if others can read it, too. */
int token_read(const char *path, const struct say *to, struct token *out, eddy_error *err);

/* Takes as long whether they differ at the beginning or at the end. */
bool token_same(const struct token *token, const char *text);
