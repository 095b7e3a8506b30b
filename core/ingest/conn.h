/* SPDX-License-Identifier: MIT */
/* conn.h - what both sensors call differently: states, protocols, applications, ids. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

/* Flags of a TCP header, RFC 9293. Others (URG, ECE, CWR) are not kept: Zeek does not log them. */
enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_KEPT = 31 };

enum ip_proto { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17, IP_ICMP6 = 58 };

/* What Suricata says in flow.state. */
enum suricata_state { SURICATA_NEW = 0, SURICATA_ESTABLISHED, SURICATA_CLOSED, SURICATA_BYPASSED };

/* The two mappings to eddy_conn. For all but TCP the state follows from the packets alone, so both
 * sensors agree; README.md has the tables and what is lost. `flow` needs its protocol, packets and
 * TCP flags. An unknown name counts as none. */
eddy_conn conn_from_zeek(const eddy_flow *flow, const char *conn_state, size_t length);
eddy_conn conn_from_suricata(const eddy_flow *flow, enum suricata_state state);

/* Sets EDDY_QUALITY_DIRECTION where neither the packets nor the ports tell who began: TCP without
 * its start, UDP from a well-known port to a higher one. `flow` needs its state. */
void conn_direction(eddy_flow *flow);

enum suricata_state conn_suricata_state(const char *name, size_t length);

/* IANA number of a protocol by its name in any case ("tcp", "IPv6-ICMP") or decimal number. 0 if
 * unknown. */
uint8_t conn_proto(const char *name, size_t length);

/* Puts an application into flow->app under its common name, which is Suricata's: Zeek's "ssl" and
 * Suricata's "tls" both become "tls". "failed" and other words for unknown become "". */
void conn_app(eddy_flow *flow, const char *name, size_t length);

/* The first application of Zeek's `service`, a set such as "gssapi,smb,-ssl". */
void conn_app_of_set(eddy_flow *flow, const char *set, size_t length, char separator);

/* Puts the sensor's id into flow->id, cut to 39 bytes. What would need quoting in CSV or JSON
 * becomes '?'. */
void conn_id(eddy_flow *flow, const char *id, size_t length);
