/* SPDX-License-Identifier: MIT */
/* zeek_context.h - the fields of dns.log, ssl.log, quic.log and http.log. */
#pragma once

#include "zeek.h"

/* Sets one of the fields from ZEEK_QUERY on. */
void zeek_set_context(struct zeek_conn *conn, enum zeek_field field, const char *text,
                      size_t length);
