/* SPDX-License-Identifier: MIT */
/* incident.h - one incident with everything in it, for the tests of outputs. */
#pragma once

#include <math.h>

#include "eddy.h"

static const eddy_reason sample_reasons[] = {{.feature = "gap_cv",
                                              .text = "64 connections every 600 s",
                                              .value = 0.12,
                                              .usual = 1.5,
                                              .share = 0.8},
                                             {.feature = "bytes_out",
                                              .text = "12345678901 bytes",
                                              .value = 12345678901,
                                              .usual = NAN,
                                              .share = -0.2}};
static const char *const sample_ids[] = {"CuX1a2", "1234567890"};

static inline eddy_incident sample_incident(void)
{
    return (eddy_incident){
        .id = "beacon-0f3a",
        .detector = "beacon",
        .technique = "T1071",
        .host = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [13] = 0, [14] = 0, [15] = 5},
        .peer = {0x20, 0x01, 0x0D, 0xB8, [15] = 1},
        .peer_port = 443,
        .proto = 6,
        .host_country = "",
        .peer_country = "NL",
        .peer_asn = 64496,
        .start_us = 1767322800000000,
        .end_us = 1767323045123456,
        .flows = 64,
        .p = 1.25e-9,
        .score = 8.90309,
        .severity = EDDY_HIGH,
        .state = EDDY_INCIDENT_NEW,
        .reasons = sample_reasons,
        .reason_count = 2,
        .flow_ids = sample_ids,
        .flow_id_count = 2,
        .summary = "10.0.0.5 calls 2001:db8::1 every 600 s",
    };
}
