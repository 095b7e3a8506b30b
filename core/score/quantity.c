/* SPDX-License-Identifier: MIT */
/* quantity.c - a column's value as a person says it. */
#include "score/quantity.h"

#include <math.h>

#include "features/features.h"
#include "model/columns.h"
#include "score/words.h"

/* What follows the number; of flags, what has them. NULL: the column's name. */
static const char *const what[COLUMN_COUNT] = {
    [COLUMN_duration] = "long",
    [COLUMN_bytes_out] = "sent",
    [COLUMN_bytes_in] = "received",
    [COLUMN_packets_out] = "packets sent",
    [COLUMN_packets_in] = "packets received",
    [COLUMN_packet_size_out] = "a packet sent",
    [COLUMN_packet_size_in] = "a packet received",
    [COLUMN_balance] = "times as much sent as received",
    [COLUMN_rate] = "on average",
    [COLUMN_tcp] = "TCP",
    [COLUMN_udp] = "UDP",
    [COLUMN_icmp] = "ICMP",
    [COLUMN_attempt] = "unanswered or refused",
    [COLUMN_established] = "established and without an end",
    [COLUMN_closed] = "established and ended",
    [COLUMN_reset_out] = "reset by the source",
    [COLUMN_reset_in] = "reset by the destination",
    [COLUMN_dns] = "DNS",
    [COLUMN_web] = "web",
    [COLUMN_remote] = "remote login",
    [COLUMN_files] = "file transfer",
    [COLUMN_other_high] = "an unnamed service on a high port",
    [COLUMN_src_local] = "from a host of ours",
    [COLUMN_dst_local] = "to a host of ours",
    [COLUMN_window_flows] = "flows of the source of late",
    [COLUMN_window_peers] = "peers of the source of late",
    [COLUMN_window_failed] = "of the source's flows of late failed",
    [COLUMN_window_width] = "targets at most that failed in one way",
    [COLUMN_pair_flows] = "flows to this service so far",
    [COLUMN_pair_gap] = "since the flow before to this service",
    [COLUMN_prevalence] = "hosts that use this service",
    [COLUMN_service_flows] = "flows of all hosts to this service of late",
};

double quantity_plain(enum column column, double value)
{
    switch (column_kind(column)) {
    case KIND_LOG_SECONDS:
        return (exp2(value) - 1.0) * 1e-6;
    case KIND_LOG_FACTOR:
        return exp2(value);
    case KIND_BYTES:
    case KIND_SHARE:
    case KIND_FLAG:
        return value;
    default:
        return exp2(value) - 1.0;
    }
}

static void percent(struct text *text, double share)
{
    text_digits(text, 100.0 * share, 2);
    text_add(text, " %");
}

static void say_amount(struct text *text, enum column column, double value)
{
    double plain = quantity_plain(column, value);
    switch (column_kind(column)) {
    case KIND_LOG_SECONDS:
        words_seconds(text, plain);
        break;
    case KIND_LOG_BYTES:
    case KIND_BYTES:
        words_bytes(text, plain);
        break;
    case KIND_LOG_RATE:
        words_bytes(text, plain);
        text_add(text, "/s");
        break;
    case KIND_LOG_FACTOR:
        text_digits(text, plain, 2);
        break;
    case KIND_SHARE:
        percent(text, plain);
        break;
    default:
        words_count(text, floor(plain + 0.5));
    }
}

void quantity_say(struct text *text, enum column column, double value, double usual)
{
    const char *words = what[column] != NULL ? what[column] : feature_of(column)->name;
    if (column_kind(column) == KIND_FLAG) {
        text_add(text, value > 0.5 ? words : "not ");
        if (!(value > 0.5))
            text_add(text, words);
        if (!isnan(usual)) {
            text_add(text, ", as ");
            percent(text, value > 0.5 ? usual : 1.0 - usual);
            text_add(text, " of flows are");
        }
        return;
    }
    say_amount(text, column, value);
    text_char(text, ' ');
    text_add(text, words);
    if (!isnan(usual)) {
        text_add(text, ", usual ");
        say_amount(text, column, usual);
    }
}
