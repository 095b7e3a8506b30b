/* SPDX-License-Identifier: MIT */
/* http_none.c - in place of http_get.c where libcurl is missing. */
#include <stdio.h>

#include "http_get.h"

int http_can(void)
{
    return 0;
}

int http_get(const struct http_client *client, const struct http_want *want,
             struct http_reply *reply, eddy_error *err)
{
    (void)client;
    (void)want;
    *reply = (struct http_reply){0};
    err->code = EDDY_EUSAGE;
    (void)snprintf(err->message, sizeof err->message, "this eddy was built without libcurl");
    return EDDY_EUSAGE;
}
