/* SPDX-License-Identifier: MIT */
/* context.h - what a sensor saw beside the flows: names asked for, called, or certified. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTEXT_NAME = 256,  /* a name of DNS has at most 253 characters, more only with escapes */
    CONTEXT_ANSWERS = 8, /* addresses of one answer that are kept */
    CONTEXT_JA3 = 33,    /* an MD5 in hexadecimal */
    CONTEXT_JA4 = 40     /* 36 characters */
};

enum context_kind { CONTEXT_NONE = 0, CONTEXT_DNS, CONTEXT_TLS, CONTEXT_HTTP };

/* One record of DNS, TLS (or QUIC) or HTTP; its time, ends and id are in the eddy_flow beside it,
 * with the one who asked as src. Texts are printable ASCII that needs no quoting anywhere but for
 * the backslash: a byte that is not becomes \xHH. Names are lower-cased and without the root's
 * dot; IDN stays as it is on the wire, in punycode. */
struct context {
    enum context_kind kind;
    char name[CONTEXT_NAME]; /* the query name, SNI or HTTP host; of a longer one, its end */
    char ja3[CONTEXT_JA3], ja4[CONTEXT_JA4]; /* of the client; "" if not known */

    /* DNS only. */
    bool answered;  /* there is an answer in the record, also one without addresses */
    bool no_domain; /* and it says NXDOMAIN */
    bool carries;   /* of type TXT or NULL: made to carry any data */
    uint8_t answers;
    uint8_t answer[CONTEXT_ANSWERS][16];
};

/* Forgets the last record; not every byte of it. */
void context_begin(struct context *context);

void context_name(struct context *context, const char *text, size_t length);
/* Whatever is no such fingerprint is not kept. */
void context_ja3(struct context *context, const char *text, size_t length);
void context_ja4(struct context *context, const char *text, size_t length);
void context_type(struct context *context, const char *text, size_t length);
void context_rcode(struct context *context, const char *text, size_t length);
/* Kept if it is an address, once. */
void context_answer(struct context *context, const char *text, size_t length);

/* Is there anything in it to remember? */
bool context_says(const struct context *context);
