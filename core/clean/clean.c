/* SPDX-License-Identifier: MIT */
/* clean.c - drops or corrects what cannot be: an ordered table of small rules. */
#include "clean/clean.h"

#include "clean/service.h"
#include "util/addr.h"

#define SECOND_US INT64_C(1000000)

static const struct option options[] = {
    {"max_duration", OPTION_DURATION, offsetof(struct clean_conf, max_duration_us), "400d", 60,
     34560000, "A longer flow is rejected: no sensor keeps one that long."},
    {"max_bytes", OPTION_BYTES, offsetof(struct clean_conf, max_bytes), "400000T", 1048576,
     1152921504606846976.0,
     "A flow with more bytes one way is rejected; 400 days at 100 Gbit/s are 393000T."},
    {0},
};

const struct part clean_part = {
    .name = "clean",
    .help = "What is too absurd to be scored.",
    .conf_size = sizeof(struct clean_conf),
    .options = options,
};

const char *const correction_names[CORRECTION_COUNT] = {
    [CORRECTION_RELATIVE_TIME] = "relative_time",
    [CORRECTION_SWAPPED_COUNTS] = "swapped_counts",
    [CORRECTION_BYTES_WITHOUT_PACKETS] = "bytes_without_packets",
    [CORRECTION_FEW_BYTES] = "few_bytes",
    [CORRECTION_MANY_BYTES] = "many_bytes",
};

/* ---- rules that reject ---- */

static bool bad_time(const struct clean_conf *conf, const eddy_flow *flow)
{
    (void)conf;
    return flow->start_us < 0 || flow->start_us > INT64_C(7258118400) * SECOND_US; /* 2200 */
}

/* :: and 0.0.0.0 are legal sources while a host asks for an address (RFC 2131, RFC 4862), so
 * only an unspecified destination, or a row without any address, names nobody. */
static bool no_end(const struct clean_conf *conf, const eddy_flow *flow)
{
    (void)conf;
    return addr_is_unspecified(flow->dst);
}

static bool absurd_duration(const struct clean_conf *conf, const eddy_flow *flow)
{
    return flow->duration_us != EDDY_UNSET && flow->duration_us > (uint64_t)conf->max_duration_us;
}

static bool absurd(uint64_t count, uint64_t limit)
{
    return count != EDDY_UNSET && count > limit;
}

static bool absurd_count(const struct clean_conf *conf, const eddy_flow *flow)
{
    return absurd(flow->bytes_out, conf->max_bytes) || absurd(flow->bytes_in, conf->max_bytes) ||
           absurd(flow->packets_out, conf->max_bytes / 20) || /* the shortest IP packet */
           absurd(flow->packets_in, conf->max_bytes / 20);
}

static const struct {
    bool (*applies)(const struct clean_conf *conf, const eddy_flow *flow);
    enum reason reason;
} rejections[] = {
    {bad_time, REASON_bad_time},
    {no_end, REASON_no_end},
    {absurd_duration, REASON_absurd_duration},
    {absurd_count, REASON_absurd_count},
};

/* ---- rules that correct, or count what is odd ---- */

/* Captures with relative times, and sensors without a clock, begin in January 1970. Their times
 * are good for windows and gaps, so they stay; only the counter tells. */
static bool relative_time(struct row *row)
{
    return row->flow.start_us < INT64_C(31) * 86400 * SECOND_US;
}

/* Payload without packets: some exporters leave packet counts out. The bytes are what counts, so
 * there must have been as many packets as they fill. */
static bool fill_packets(uint64_t bytes, uint64_t *packets)
{
    bool missing = bytes > 0 && *packets == 0;
    if (missing)
        *packets = (bytes + 1499) / 1500; /* Ethernet: RFC 894 */
    return missing;
}

static bool bytes_without_packets(struct row *row)
{
    bool out = fill_packets(row->bytes_out, &row->packets_out);
    return fill_packets(row->bytes_in, &row->packets_in) || out;
}

static bool at_least(uint64_t *bytes, uint64_t packets)
{
    bool low = *bytes < packets * 20; /* RFC 791: an IPv4 header is 20 bytes or more */
    if (low)
        *bytes = packets * 20;
    return low;
}

static bool few_bytes(struct row *row)
{
    bool out = at_least(&row->bytes_out, row->packets_out);
    return at_least(&row->bytes_in, row->packets_in) || out;
}

static bool at_most(uint64_t *bytes, uint64_t packets)
{
    bool high = *bytes / 65575 > packets; /* the longest IPv6 packet, 40 + 65535 */
    if (high)
        *bytes = packets * 65575;
    return high;
}

static bool many_bytes(struct row *row)
{
    bool out = at_most(&row->bytes_out, row->packets_out);
    return at_most(&row->bytes_in, row->packets_in) || out;
}

/* Packets and bytes exchanged: more packets than bytes can't be. */
static bool swapped_one(uint64_t *bytes, uint64_t *packets)
{
    bool swapped = *bytes > 0 && *packets > *bytes;
    if (swapped) {
        uint64_t larger = *packets;
        *packets = *bytes;
        *bytes = larger;
    }
    return swapped;
}

static bool swapped_counts(struct row *row)
{
    bool out = swapped_one(&row->bytes_out, &row->packets_out);
    return swapped_one(&row->bytes_in, &row->packets_in) || out;
}

static bool (*const corrections[CORRECTION_COUNT])(struct row *row) = {
    [CORRECTION_RELATIVE_TIME] = relative_time,
    [CORRECTION_SWAPPED_COUNTS] = swapped_counts,
    [CORRECTION_BYTES_WITHOUT_PACKETS] = bytes_without_packets,
    [CORRECTION_FEW_BYTES] = few_bytes,
    [CORRECTION_MANY_BYTES] = many_bytes,
};

/* ---- the step ---- */

static uint64_t known(uint64_t count)
{
    return count == EDDY_UNSET ? 0 : count;
}

static bool failed(const struct row *row)
{
    if (row->service == SERVICE_ICMP)
        return row->packets_in == 0;
    return row->flow.state == EDDY_CONN_ATTEMPT;
}

enum reason clean(const struct clean_conf *conf, struct row *row,
                  uint64_t corrected[CORRECTION_COUNT])
{
    for (size_t i = 0; i < sizeof rejections / sizeof *rejections; i++)
        if (rejections[i].applies(conf, &row->flow))
            return rejections[i].reason;
    row->duration_us = known(row->flow.duration_us);
    row->bytes_out = known(row->flow.bytes_out);
    row->bytes_in = known(row->flow.bytes_in);
    row->packets_out = known(row->flow.packets_out);
    row->packets_in = known(row->flow.packets_in);
    row->end_us = row->flow.start_us + (int64_t)row->duration_us;
    row->cleaned = false;
    for (size_t i = 0; i < CORRECTION_COUNT; i++) {
        bool changed = corrections[i](row);
        corrected[i] += changed;
        row->cleaned |= changed && i != CORRECTION_RELATIVE_TIME; /* that is only counted */
    }
    row->service = service_of(&row->flow);
    row->failed = failed(row);
    return REASON_NONE;
}
