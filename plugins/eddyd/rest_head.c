/* SPDX-License-Identifier: MIT */
/* rest_head.c - what the headers of a request say, and what it is refused for because of them. */
#include "rest_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool has_token(const struct head *h, const struct token *token)
{
    bool has = h->authorization != NULL && strncasecmp(h->authorization, "Bearer ", 7) == 0;
    return token->length == 0 || (has && token_same(token, h->authorization + 7));
}

/* Digits that are too many count as very long. */
static size_t body_length(const struct head *h)
{
    return h->content_length != NULL ? strtoull(h->content_length, NULL, 10) : 0;
}

/* Is it one of `types`, NULL-terminated? What is not said is fine; parameters are ignored. */
static bool is_type(const char *value, const char *const *types)
{
    if (value == NULL)
        return true;
    size_t length = strcspn(value, "; \t");
    for (size_t i = 0; types[i] != NULL; i++) {
        size_t wanted = strlen(types[i]);
        bool any = types[i][wanted - 1] == '/'; /* text/ is all text */
        if (strncasecmp(value, types[i], wanted) == 0 && (any || length == wanted))
            return true;
    }
    return false;
}

static bool is_right_type(const struct route *route, const char *type)
{
    static const char *const lines[] = {"text/", "application/json", "application/jsonl",
                                        "application/x-ndjson", "application/ndjson",
                                        "application/gzip", "application/octet-stream",
                                        /* curl's own, where --data-binary is all that was said */
                                        "application/x-www-form-urlencoded", NULL};
    static const char *const tensors[] = {"application/json", "application/octet-stream", NULL};
    static const char *const json[] = {"application/json", NULL};
    return is_type(type, (route->flags & ROUTE_LINES) != 0     ? lines
                         : (route->flags & ROUTE_TENSORS) != 0 ? tensors
                                                               : json);
}

static void check_body(const struct head *h, size_t max, struct request *q, struct answer *a)
{
    bool lines = (q->route->flags & ROUTE_LINES) != 0;
    bool tensors = (q->route->flags & ROUTE_TENSORS) != 0;
    const char *encoding = h->content_encoding;
    if (encoding != NULL && strcasecmp(encoding, "identity") == 0)
        encoding = NULL;
    q->encoding = encoding;
    q->json_length =
        h->json_length != NULL && tensors ? strtoul(h->json_length, NULL, 10) : SIZE_MAX;
    if (!is_right_type(q->route, h->content_type))
        answer_error(a, STATUS_TYPE, "Content-Type: %s is taken here",
                     lines ? "text, application/json or application/x-ndjson" : "application/json");
    else if (encoding != NULL && (!lines || strcasecmp(encoding, "gzip") != 0))
        answer_error(a, STATUS_TYPE, "Content-Encoding: %s",
                     lines ? "only gzip is taken" : "none is taken here");
    else if (body_length(h) > max)
        answer_error(a, STATUS_TOO_LARGE, "more than the %zu bytes of rest.max_body", max);
    else if (h->json_length != NULL && h->json_length[strspn(h->json_length, "0123456789")] != '\0')
        answer_error(a, STATUS_BAD, "Inference-Header-Content-Length: not a number");
}

/* A page in a browser on this machine can have it send requests to us, but not without an Origin.
 */
static bool is_foreign_page(const struct head *h, const struct token *token)
{
    return token->length == 0 && h->origin != NULL;
}

void head_check(const struct head *h, const struct head_rules *rules, struct request *q,
                struct answer *a)
{
    const char *allow;
    q->route = route_find(h->method, h->path, q, &allow);
    bool post = (q->route->flags & ROUTE_POST) != 0;
    if ((q->route->flags & ROUTE_OPEN) == 0 && !has_token(h, rules->token)) {
        answer_error(a, STATUS_UNAUTHORIZED, "a token is needed: Authorization: Bearer ...");
    } else if (q->route->serve == NULL) {
        answer_error(a, STATUS_NOT_FOUND, "there is no such path: /openapi.yaml lists all");
    } else if (allow != NULL) {
        a->allow = allow;
        answer_error(a, STATUS_METHOD, "only %s", allow);
    } else if (post && is_foreign_page(h, rules->token)) {
        answer_error(a, STATUS_FORBIDDEN, "pages in browsers need a token (rest.token_file)");
    } else if (post && rules->refusing) {
        answer_error(a, STATUS_BUSY, "eddyd is stopping");
    } else if (post) {
        check_body(h, rules->max_body, q, a);
    } else if (body_length(h) > 0 || h->transfer_encoding != NULL) {
        answer_error(a, STATUS_TOO_LARGE, "no body is taken here");
    }
}

bool head_is_short(const struct head *h, size_t max_body)
{
    return h->expect == NULL && body_length(h) <= max_body;
}
