/* SPDX-License-Identifier: MIT */
/* http_get.c - asks a web server for something; the only file that includes curl's header. */
#include "http_get.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "say.h"

#define CONNECT_MS 10000

struct transfer {
    CURL *curl;
    const struct http_want *want;
    struct http_reply *reply;
    eddy_error *err; /* set as soon as something of ours stops it */
    size_t length;   /* of the body so far */
    char problem[CURL_ERROR_SIZE];
};

static int fail(eddy_error *err, const char *problem)
{
    return fault(err, EDDY_EIO, "%s", problem);
}

static void too_long(struct transfer *t)
{
    t->err->code = EDDY_EIO;
    (void)snprintf(t->err->message, sizeof t->err->message, "longer than %zu bytes", t->want->max);
}

/* What a refusal says is kept for the message, up to what fits. */
static void keep(struct http_reply *reply, const char *bytes, size_t length)
{
    size_t used = strlen(reply->refusal), room = sizeof reply->refusal - 1 - used;
    size_t n = length < room ? length : room;
    memcpy(reply->refusal + used, bytes, n);
    reply->refusal[used + n] = '\0';
}

/* Called by curl with pieces of the body; another number than their length ends the transfer. */
static size_t on_body(char *bytes, size_t one, size_t length, void *user)
{
    struct transfer *t = user;
    long status = 0;
    (void)one; /* always 1 */
    (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (length > t->want->max - t->length) {
        too_long(t);
        return 0;
    }
    t->length += length;
    if (status != 200) {
        keep(t->reply, bytes, length);
        return length;
    }
    return t->want->sink(bytes, length, t->want->user, t->err) ? length : 0;
}

static bool set_up(struct transfer *t, const struct http_client *client)
{
    CURL *curl = t->curl;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, t->want->url);
    long wait_ms = client->timeout_ms < CONNECT_MS ? client->timeout_ms : CONNECT_MS;
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->problem);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, client->timeout_ms);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, wait_ms);
    (void)curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->want->max);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_USERAGENT, "eddy");
    if (code == CURLE_OK && client->ca != NULL)
        code = curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca);
    if (code == CURLE_OK && client->user != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        code = curl_easy_setopt(curl, CURLOPT_USERPWD, client->user);
    }
    if (code == CURLE_OK && client->bearer != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        code = curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, client->bearer);
    }
    return code == CURLE_OK;
}

static void describe(struct transfer *t)
{
    char *type = NULL, *location = NULL;
    (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
    (void)curl_easy_getinfo(t->curl, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &location);
    (void)snprintf(t->reply->type, sizeof t->reply->type, "%s", type != NULL ? type : "");
    (void)snprintf(t->reply->location, sizeof t->reply->location, "%s",
                   location != NULL ? location : "");
}

static int perform(struct transfer *t)
{
    CURLcode code = curl_easy_perform(t->curl);
    if (code == CURLE_FILESIZE_EXCEEDED)
        too_long(t);
    if (t->err->code != EDDY_OK)
        return t->err->code;
    if (code != CURLE_OK)
        return fail(t->err, t->problem[0] != '\0' ? t->problem : curl_easy_strerror(code));
    describe(t);
    return EDDY_OK;
}

int http_can(void)
{
    return 1;
}

int http_get(const struct http_client *client, const struct http_want *want,
             struct http_reply *reply, eddy_error *err)
{
    struct transfer t = {.want = want, .reply = reply, .err = err};
    *reply = (struct http_reply){0};
    *err = (eddy_error){0};
    t.curl = curl_easy_init();
    if (t.curl == NULL)
        return fail(err, "libcurl can't begin");
    int status = set_up(&t, client) ? perform(&t) : fail(err, "libcurl refuses a setting");
    curl_easy_cleanup(t.curl);
    return status;
}
