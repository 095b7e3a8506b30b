/* SPDX-License-Identifier: MIT */
/* columns.c - what kind of quantity a column is, and its bins. */
#include "model/columns.h"

#include <math.h>

static const unsigned char kinds[COLUMN_COUNT] = {
    [COLUMN_duration] = KIND_LOG_SECONDS,
    [COLUMN_bytes_out] = KIND_LOG_BYTES,
    [COLUMN_bytes_in] = KIND_LOG_BYTES,
    [COLUMN_packets_out] = KIND_LOG_COUNT,
    [COLUMN_packets_in] = KIND_LOG_COUNT,
    [COLUMN_packet_size_out] = KIND_BYTES,
    [COLUMN_packet_size_in] = KIND_BYTES,
    [COLUMN_balance] = KIND_LOG_FACTOR,
    [COLUMN_rate] = KIND_LOG_RATE,
    [COLUMN_tcp] = KIND_FLAG,
    [COLUMN_udp] = KIND_FLAG,
    [COLUMN_icmp] = KIND_FLAG,
    [COLUMN_attempt] = KIND_FLAG,
    [COLUMN_established] = KIND_FLAG,
    [COLUMN_closed] = KIND_FLAG,
    [COLUMN_reset_out] = KIND_FLAG,
    [COLUMN_reset_in] = KIND_FLAG,
    [COLUMN_dns] = KIND_FLAG,
    [COLUMN_web] = KIND_FLAG,
    [COLUMN_remote] = KIND_FLAG,
    [COLUMN_files] = KIND_FLAG,
    [COLUMN_other_high] = KIND_FLAG,
    [COLUMN_src_local] = KIND_FLAG,
    [COLUMN_dst_local] = KIND_FLAG,
    [COLUMN_window_flows] = KIND_LOG_COUNT,
    [COLUMN_window_peers] = KIND_LOG_COUNT,
    [COLUMN_window_failed] = KIND_SHARE,
    [COLUMN_window_width] = KIND_LOG_COUNT,
    [COLUMN_pair_flows] = KIND_LOG_COUNT,
    [COLUMN_pair_gap] = KIND_LOG_SECONDS,
    [COLUMN_prevalence] = KIND_LOG_COUNT,
    [COLUMN_service_flows] = KIND_LOG_COUNT,
};

enum column_kind column_kind(enum column column)
{
    return (enum column_kind)kinds[column];
}

unsigned column_bin(enum column column, double value)
{
    double bin;
    switch (column_kind(column)) {
    case KIND_BYTES:
        bin = log2(1.0 + fmax(value, 0.0));
        break;
    case KIND_LOG_FACTOR:
        bin = (value + 16.0) / 2.0;
        break;
    case KIND_SHARE:
    case KIND_FLAG:
        bin = value * COLUMN_BINS;
        break;
    default:
        bin = value / 2.0;
    }
    return !(bin > 0.0) ? 0 : bin >= COLUMN_BINS - 1 ? COLUMN_BINS - 1 : (unsigned)bin;
}

double column_at(enum column column, double place)
{
    switch (column_kind(column)) {
    case KIND_BYTES:
        return exp2(place) - 1.0;
    case KIND_LOG_FACTOR:
        return place * 2.0 - 16.0;
    case KIND_SHARE:
    case KIND_FLAG:
        return place / COLUMN_BINS;
    default:
        return place * 2.0;
    }
}
