/* SPDX-License-Identifier: MIT */
/* store_field.c - the fields of an incident by their names in JSON; core/emit/README.md has them.
 */
#include "store_field.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "when.h"

static const char *set_address(const char *text, uint8_t out[16], char shown[46])
{
    struct in_addr v4;
    memset(out, 0, 16);
    if (inet_pton(AF_INET, text, &v4) == 1) {
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &v4, 4);
    } else if (inet_pton(AF_INET6, text, out) != 1) {
        return "host or peer is no address";
    }
    (void)eddy_address_text(out, shown);
    return NULL;
}

static const char *set_time(const char *text, int64_t *out)
{
    return when_parse(text, out) ? NULL : "start or end is no time";
}

/* The index of a name in a list, or -1. */
static int name_in(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static const char *set_state(const char *text, int *out)
{
    static const char *const names[] = {"new", "growing", "closed", "quiet"}; /* as in eddy.h */
    int state = name_in(names, 4, text);
    *out = state < 0 ? 0 : state;
    return state < 0 ? "state is not new, growing, quiet or closed" : NULL;
}

static const char *set_severity(const char *text, int *out)
{
    static const char *const names[] = {"low", "medium", "high"};
    int severity = name_in(names, 3, text);
    *out = EDDY_LOW + (severity < 0 ? 0 : severity);
    return severity < 0 ? "severity is not low, medium or high" : NULL;
}

static const char *set_proto(const char *text, uint8_t *out)
{
    static const struct {
        const char *name;
        uint8_t number;
    } known[] = {{"TCP", 6}, {"UDP", 17}, {"ICMP", 1}, {"IPv6-ICMP", 58}, {"SCTP", 132}};
    unsigned long number = strtoul(text, NULL, 10);
    *out = number < 256 ? (uint8_t)number : 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, text) == 0)
            *out = known[i].number;
    return NULL;
}

const char *stored_set_text(struct stored *out, const char *key, const char *text)
{
    eddy_incident *i = &out->incident;
    const struct {
        const char *key, **field;
    } texts[] = {{"incident_id", &i->id},
                 {"detector", &i->detector},
                 {"technique", &i->technique},
                 {"host_country", &i->host_country},
                 {"peer_country", &i->peer_country},
                 {"summary", &i->summary},
                 {"suppressed_by", &i->suppressed_by}};
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
        if (strcmp(key, texts[n].key) == 0)
            *texts[n].field = text;
    if (strcmp(key, "state") == 0)
        return set_state(text, &i->state);
    if (strcmp(key, "severity") == 0)
        return set_severity(text, &i->severity);
    if (strcmp(key, "host") == 0)
        return set_address(text, i->host, out->host);
    if (strcmp(key, "peer") == 0)
        return set_address(text, i->peer, out->peer);
    if (strcmp(key, "proto") == 0)
        return set_proto(text, &i->proto);
    if (strcmp(key, "start") == 0)
        return set_time(text, &i->start_us);
    return strcmp(key, "end") == 0 ? set_time(text, &i->end_us) : NULL;
}

uint64_t stored_count(double number, uint64_t most)
{
    if (!(number > 0))
        return 0;
    return number >= (double)most ? most : (uint64_t)number;
}

void stored_set_number(struct stored *out, const char *key, double number)
{
    eddy_incident *i = &out->incident;
    if (strcmp(key, "p") == 0)
        i->p = number;
    else if (strcmp(key, "score") == 0)
        i->score = number;
    else if (strcmp(key, "flows") == 0)
        i->flows = stored_count(number, UINT64_C(1) << 53);
    else if (strcmp(key, "peer_port") == 0)
        i->peer_port = (uint16_t)stored_count(number, UINT16_MAX);
    else if (strcmp(key, "host_asn") == 0)
        i->host_asn = (uint32_t)stored_count(number, UINT32_MAX);
    else if (strcmp(key, "peer_asn") == 0)
        i->peer_asn = (uint32_t)stored_count(number, UINT32_MAX);
}

const char *stored_check(const struct stored *stored)
{
    const eddy_incident *i = &stored->incident;
    if (i->id[0] == '\0')
        return "has no incident_id";
    if (i->detector[0] == '\0')
        return "has no detector";
    if (stored->host[0] == '\0')
        return "has no host";
    if (i->severity == 0)
        return "has no severity";
    if (!(i->p >= 0 && i->p <= 1))
        return "p is not in 0..1";
    if (i->start_us == STORED_NEVER || i->end_us == STORED_NEVER)
        return "has no start or no end";
    return i->end_us < i->start_us ? "ends before it starts" : NULL;
}
