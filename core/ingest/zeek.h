/* SPDX-License-Identifier: MIT */
/* zeek.h - what a conn.log says, and what dns.log, ssl.log, quic.log and http.log call it, whether
 * they came as TSV or as JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "eddy.h"
#include "reason.h"

/* The columns eddy reads. */
enum zeek_field {
    ZEEK_NONE = 0, /* any other */
    ZEEK_TS,
    ZEEK_UID,
    ZEEK_ORIG_H,
    ZEEK_ORIG_P,
    ZEEK_RESP_H,
    ZEEK_RESP_P,
    ZEEK_PROTO,
    ZEEK_IP_PROTO,
    ZEEK_SERVICE,
    ZEEK_DURATION,
    ZEEK_ORIG_BYTES,
    ZEEK_RESP_BYTES,
    ZEEK_CONN_STATE,
    ZEEK_MISSED_BYTES,
    ZEEK_HISTORY,
    ZEEK_ORIG_PKTS,
    ZEEK_ORIG_IP_BYTES,
    ZEEK_RESP_PKTS,
    ZEEK_RESP_IP_BYTES,
    ZEEK_QUERY, /* from here on: of other logs than conn.log */
    ZEEK_QTYPE,
    ZEEK_RCODE,
    ZEEK_ANSWERS,
    ZEEK_SERVER_NAME,
    ZEEK_CIPHER,
    ZEEK_JA3,
    ZEEK_JA4,
    ZEEK_HOST,
    ZEEK_METHOD,
    ZEEK_FIELD_COUNT
};

#define ZEEK_BIT(field) (1u << (field))

/* Which log a record is from. */
enum zeek_log {
    ZEEK_LOG_UNKNOWN = 0,
    ZEEK_LOG_CONN,
    ZEEK_LOG_DNS,
    ZEEK_LOG_SSL,
    ZEEK_LOG_QUIC,
    ZEEK_LOG_HTTP,
    ZEEK_LOG_OTHER
};

/* One record while its fields come in, in any order. */
struct zeek_conn {
    eddy_flow *flow;
    struct context *context; /* NULL: nobody wants it */
    unsigned seen;           /* ZEEK_BIT() of the fields that were set; a repeated one is ignored */
    enum reason wrong;       /* the first field that could not be read */
    uint64_t payload_out, payload_in;
    char state[8]; /* conn_state */
    uint8_t state_length;
    char set_separator; /* of the members of `service` */
};

/* Which field a column is: "id.orig_h", "id_orig_h" (or with any other sign there). */
enum zeek_field zeek_field(const char *name, size_t length);

/* The four columns of the id by their last part: "orig_h". */
enum zeek_field zeek_id_field(const char *name, size_t length);

/* Do records with these fields come from conn.log? Other logs have ids and protocols, too. */
bool zeek_is_conn(unsigned fields);

/* The log with this name (#path, _path). conn_long.log and open_conn.log are others: their
 * connections come again in conn.log when they end. */
enum zeek_log zeek_log_named(const char *path, size_t length);

/* The log that has these fields, where no name tells. */
enum zeek_log zeek_log_with(unsigned fields);

/* Are its records read? With no context wanted only those of conn.log. */
bool zeek_log_wanted(enum zeek_log log, bool context);

/* A record into `flow`, which it zeroes, and `context`, which may be NULL. */
struct zeek_conn zeek_begin(eddy_flow *flow, struct context *context);

/* Sets a field that is not unset; of `answers`, one address or name. */
void zeek_set(struct zeek_conn *conn, enum zeek_field field, const char *text, size_t length);

/* Fills what follows from all fields. REASON_NONE, or why this is no flow. */
enum reason zeek_finish(struct zeek_conn *conn);

/* The same for a record of a log that names what flows are about: REASON_dns_context and its like,
 * REASON_other_event if there is nothing to join to a flow in it. */
enum reason zeek_finish_context(struct zeek_conn *conn, enum zeek_log log);
