/* SPDX-License-Identifier: MIT */
/* zeek.h - what a conn.log says, whether it came as TSV or as JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    ZEEK_FIELD_COUNT
};

#define ZEEK_BIT(field) (1u << (field))

/* One record while its fields come in, in any order. */
struct zeek_conn {
    eddy_flow *flow;
    unsigned seen;     /* ZEEK_BIT() of the fields that were set; a repeated one is ignored */
    enum reason wrong; /* the first field that could not be read */
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

/* Is this the name (#path, _path) of a log of finished connections? Not of conn_long.log and
 * open_conn.log, whose connections come again in conn.log when they end. */
bool zeek_is_conn_path(const char *path, size_t length);

/* A record into `flow`, which it zeroes. */
struct zeek_conn zeek_begin(eddy_flow *flow);

/* Sets a field that is not unset. */
void zeek_set(struct zeek_conn *conn, enum zeek_field field, const char *text, size_t length);

/* Fills what follows from all fields. REASON_NONE, or why this is no flow. */
enum reason zeek_finish(struct zeek_conn *conn);
