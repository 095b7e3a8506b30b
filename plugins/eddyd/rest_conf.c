/* SPDX-License-Identifier: MIT */
/* rest_conf.c - the settings of the REST interface, section [rest], and the token. */
#include "rest_conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "setting_name.h"

#define FILE_MAX ((size_t)1 << 20) /* bytes of a certificate or key */

static int take(const char *value, char **out, eddy_error *err)
{
    *out = strdup(value != NULL ? value : "");
    return *out != NULL ? EDDY_OK : fault(err, EDDY_ENOMEM, "out of memory");
}

static unsigned count_of(const eddy_config *config, const char *key)
{
    return (unsigned)strtoul(eddy_config_value(config, key), NULL, 10); /* checked when set */
}

int rest_conf_read(const eddy_config *config, struct rest_conf *out, eddy_error *err)
{
    struct rest_conf c = {.max_body = (size_t)setting_bytes(config, "rest.max_body"),
                          .max_batch = count_of(config, "rest.max_batch"),
                          .timeout_ms = setting_milliseconds(config, "rest.timeout"),
                          .connections = count_of(config, "rest.connections"),
                          .parallel = count_of(config, "rest.parallel")};
    char **texts[] = {&c.http, &c.token_file, &c.tls_cert, &c.tls_key, &c.models};
    const char *const keys[] = {"eddyd.http", "rest.token_file", "rest.tls_cert", "rest.tls_key",
                                "rest.models"};
    int status = EDDY_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == EDDY_OK; i++)
        status = take(eddy_config_value(config, keys[i]), texts[i], err);
    if (status < 0)
        rest_conf_done(&c);
    else
        *out = c;
    return status;
}

int rest_conf_copy(const struct rest_conf *from, struct rest_conf *out, eddy_error *err)
{
    struct rest_conf c = *from;
    char **texts[] = {&c.http, &c.token_file, &c.tls_cert, &c.tls_key, &c.models};
    c.http = c.token_file = c.tls_cert = c.tls_key = c.models = NULL;
    const char *const values[] = {from->http, from->token_file, from->tls_cert, from->tls_key,
                                  from->models};
    int status = EDDY_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == EDDY_OK; i++)
        status = take(values[i], texts[i], err);
    if (status < 0)
        rest_conf_done(&c);
    else
        *out = c;
    return status;
}

void rest_conf_done(struct rest_conf *c)
{
    free(c->http);
    free(c->token_file);
    free(c->tls_cert);
    free(c->tls_key);
    free(c->models);
    *c = (struct rest_conf){0};
}

bool rest_conf_is_off(const struct rest_conf *c)
{
    return strcmp(c->http, "off") == 0;
}

void rest_conf_warn(const struct rest_conf *old, const struct rest_conf *now, const struct say *to)
{
    const struct {
        const char *key;
        bool differs;
    } all[] = {{"eddyd.http", strcmp(old->http, now->http) != 0},
               {"rest.tls_cert", strcmp(old->tls_cert, now->tls_cert) != 0},
               {"rest.tls_key", strcmp(old->tls_key, now->tls_key) != 0},
               {"rest.models", strcmp(old->models, now->models) != 0},
               {"rest.max_body", old->max_body != now->max_body},
               {"rest.max_batch", old->max_batch != now->max_batch},
               {"rest.timeout", old->timeout_ms != now->timeout_ms},
               {"rest.connections", old->connections != now->connections},
               {"rest.parallel", old->parallel != now->parallel}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].differs)
            say(to, LOG_WARNING, "%s needs a restart, what was there before stays in force",
                all[i].key);
}

void rest_conf_keep(struct rest_conf *old, struct rest_conf *now)
{
    struct rest_conf swap = *now;
    char *new_token = now->token_file;
    *now = *old;
    now->token_file = new_token;
    swap.token_file = old->token_file;
    *old = swap;
}

/* ---- where ---- */

static bool is_local(const struct socket_at *at)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at->address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at->address;
    if (at->kind != SOCKET_TCP)
        return true;
    if (at->address.ss_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

int rest_conf_where(const struct rest_conf *c, struct socket_at *out, bool *local, eddy_error *err)
{
    struct socket_at at = {0};
    int status = strncmp(c->http, "unix_stream:", 12) == 0 ? socket_parse(c->http, &at, err)
                                                           : socket_parse_host(c->http, &at, err);
    if (status < 0)
        return status;
    *local = is_local(&at);
    *out = at;
    return EDDY_OK;
}

/* ---- what is on disk ---- */

static int check_file(const char *key, const char *path, eddy_error *err)
{
    if (*path != '\0' && access(path, R_OK) != 0)
        return fault(err, EDDY_ECONFIG, "%s = %s: %s", key, path, strerror(errno));
    return EDDY_OK;
}

static int check_directory(const char *key, const char *path, eddy_error *err)
{
    struct stat st;
    if (*path == '\0')
        return EDDY_OK;
    if (stat(path, &st) != 0)
        return fault(err, EDDY_ECONFIG, "%s = %s: %s", key, path, strerror(errno));
    return S_ISDIR(st.st_mode) ? EDDY_OK
                               : fault(err, EDDY_ECONFIG, "%s = %s: not a directory", key, path);
}

static int check_token(const struct rest_conf *c, eddy_error *err)
{
    struct token token;
    eddy_error why;
    if (*c->token_file == '\0' || token_read(c->token_file, NULL, &token, &why) == EDDY_OK)
        return EDDY_OK;
    return fault(err, EDDY_ECONFIG, "rest.token_file = %s", why.message);
}

int rest_conf_check(const struct rest_conf *c, eddy_error *err)
{
    struct socket_at at;
    bool local;
    eddy_error why;
    if (rest_conf_is_off(c))
        return EDDY_OK;
    if (rest_conf_where(c, &at, &local, &why) < 0)
        return fault(err, EDDY_ECONFIG, "eddyd.http = %s", why.message);
    if (!local && *c->token_file == '\0')
        return fault(err, EDDY_ECONFIG,
                     "eddyd.http = %s: other machines reach it, so rest.token_file is needed (or "
                     "an address of this machine only, such as 127.0.0.1:9477)",
                     c->http);
    if ((*c->tls_cert == '\0') != (*c->tls_key == '\0'))
        return fault(err, EDDY_ECONFIG, "rest.tls_cert and rest.tls_key: one needs the other");
    int status = check_token(c, err);
    if (status == EDDY_OK)
        status = check_file("rest.tls_cert", c->tls_cert, err);
    if (status == EDDY_OK)
        status = check_file("rest.tls_key", c->tls_key, err);
    if (status == EDDY_OK)
        status = check_directory("rest.models", c->models, err);
    return status;
}

char *rest_conf_file(const char *path, eddy_error *err)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(FILE_MAX + 1);
    if (file == NULL || text == NULL) {
        (void)fault(err, EDDY_EIO, "%s: %s", path, strerror(errno));
        if (file != NULL)
            (void)fclose(file); /* nothing was read */
        free(text);
        return NULL;
    }
    size_t used = fread(text, 1, FILE_MAX + 1, file);
    bool failed = ferror(file) != 0;
    (void)fclose(file); /* read only */
    if (failed || used > FILE_MAX) {
        (void)fault(err, EDDY_EIO, "%s: %s", path, failed ? "can't be read" : "too long");
        free(text);
        return NULL;
    }
    text[used] = '\0';
    return text;
}

/* ---- the token ---- */

static int set_token(const char *path, char *text, struct token *out, eddy_error *err)
{
    size_t length = strcspn(text, "\r\n");
    if (strspn(text + length, "\r\n") != strlen(text + length))
        return fault(err, EDDY_ECONFIG, "%s: more than one line", path);
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return fault(err, EDDY_ECONFIG, "%s: a token has no blanks, only printable ASCII",
                         path);
    if (length < TOKEN_MIN || length > TOKEN_MAX)
        return fault(err, EDDY_ECONFIG, "%s: a token has %d to %d characters, this one %zu", path,
                     TOKEN_MIN, TOKEN_MAX, length);
    *out = (struct token){.length = length};
    memcpy(out->text, text, length);
    return EDDY_OK;
}

int token_read(const char *path, const struct say *to, struct token *out, eddy_error *err)
{
    struct stat st;
    char *text = rest_conf_file(path, err);
    if (text == NULL)
        return EDDY_EIO;
    int status = set_token(path, text, out, err);
    free(text);
    if (status == EDDY_OK && stat(path, &st) == 0 && (st.st_mode & 077) != 0)
        say(to, LOG_WARNING,
            "%s: others than its owner may read or change it (mode %03o): chmod 600", path,
            (unsigned)(st.st_mode & 0777));
    return status;
}

bool token_same(const struct token *token, const char *text)
{
    char other[TOKEN_MAX + 1] = {0};
    size_t length = strnlen(text, sizeof other);
    memcpy(other, text, length < sizeof other ? length : sizeof other - 1);
    unsigned char differs = length != token->length;
    for (size_t i = 0; i < sizeof other; i++)
        differs |= (unsigned char)(other[i] ^ token->text[i]);
    return differs == 0 && token->length > 0;
}
