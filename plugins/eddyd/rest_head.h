/* SPDX-License-Identifier: MIT */
/* rest_head.h - what the headers of a request say, and what it is refused for because of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rest_answer.h"
#include "rest_route.h"

/* As the client sent them; NULL: not there. Valid as long as the request. */
struct head {
    const char *method, *path;
    const char *authorization, *origin, *expect;
    const char *content_type, *content_encoding, *content_length, *transfer_encoding;
    const char *json_length; /* Inference-Header-Content-Length */
};

/* Who may ask. */
struct head_rules {
    const struct token *token;
    size_t max_body;
    bool refusing; /* eddyd is stopping */
};

/* Finds the route, and fills in what the request needs of the headers. A request that is refused
 * has a status in `a`. */
void head_check(const struct head *h, const struct head_rules *rules, struct request *q,
                struct answer *a);

/* Of a refused request: is its body to be read? Else its connection would be reset, and its client
 * might never see the answer; but not for one that is long, or waits for a word. */
bool head_is_short(const struct head *h, size_t max_body);
