/* SPDX-License-Identifier: MIT */
/* filter.c - which incidents are wanted. */
#include "filter.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "found.h"
#include "when.h"

bool filter_net(struct filter *filter, const char *text)
{
    char address[46];
    struct in_addr v4;
    size_t length = strcspn(text, "/");
    bool sliced = text[length] == '/';
    if (length >= sizeof address)
        return false;
    (void)snprintf(address, sizeof address, "%.*s", (int)length, text);
    memset(filter->net, 0, 16);
    unsigned long most = 128, bits;
    if (inet_pton(AF_INET, address, &v4) == 1) {
        most = 32;
        filter->net[10] = filter->net[11] = 0xff;
        memcpy(filter->net + 12, &v4, 4);
    } else if (inet_pton(AF_INET6, address, filter->net) != 1) {
        return false;
    }
    const char *digits = text + length + sliced;
    size_t count = strspn(digits, "0123456789");
    if (sliced && (count == 0 || count > 3 || digits[count] != '\0'))
        return false;
    bits = sliced ? strtoul(digits, NULL, 10) : most;
    filter->net_bits = (unsigned)(bits + 128 - most);
    filter->has_net = true;
    return bits <= most;
}

static int find(const char *const *names, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    return -1;
}

bool filter_severity(struct filter *filter, const char *text)
{
    static const char *const names[] = {"low", "medium", "high"};
    int at = find(names, 3, text);
    filter->severity = EDDY_LOW + at;
    return at >= 0;
}

bool filter_state(struct filter *filter, const char *text)
{
    static const char *const names[] = {"new", "growing", "closed", "quiet"}; /* as in eddy.h */
    filter->state = find(names, 4, text);
    return filter->state >= 0;
}

bool filter_detector(struct filter *filter, const char *text)
{
    static const char names[] = ", " FILTER_DETECTORS ",";
    char wanted[32];
    filter->detector = text;
    return text[strcspn(text, ", ")] == '\0' &&
           snprintf(wanted, sizeof wanted, ", %s,", text) < 32 && strstr(names, wanted) != NULL;
}

static bool time_of(const struct filter *filter, const char *text, int64_t *out_us)
{
    int64_t span;
    if (text == NULL)
        return true;
    if (!when_parse_span(text, &span))
        return when_parse(text, out_us);
    *out_us = filter->now_us - span;
    return true;
}

const char *filter_times(struct filter *filter)
{
    if (!time_of(filter, filter->since, &filter->since_us))
        return "--since: neither a span such as 24h nor a time";
    if (!time_of(filter, filter->until, &filter->until_us))
        return "--until: neither a span such as 24h nor a time";
    return filter->since_us > filter->until_us ? "--since is after --until" : NULL;
}

static bool in_net(const struct filter *filter, const uint8_t address[16])
{
    unsigned whole = filter->net_bits / 8, rest = filter->net_bits % 8;
    if (memcmp(filter->net, address, whole) != 0)
        return false;
    return rest == 0 || (filter->net[whole] ^ address[whole]) >> (8 - rest) == 0;
}

/* Is it wanted, as one of those that are sent, withheld or suppressed? */
static bool kind_wanted(const struct filter *filter, const eddy_incident *incident)
{
    bool only = filter->withheld == WANT_ONLY || filter->suppressed == WANT_ONLY;
    if (found_suppressed(incident))
        return filter->suppressed == WANT_ONLY || (filter->suppressed == WANT_TOO && !only);
    if (incident->withheld)
        return filter->withheld == WANT_ONLY || (filter->withheld == WANT_TOO && !only);
    return !only;
}

bool filter_takes(const struct filter *filter, const struct stored *stored)
{
    const eddy_incident *i = &stored->incident;
    if (i->end_us < filter->since_us || i->start_us > filter->until_us)
        return false;
    if (filter->has_net && !in_net(filter, i->host) &&
        (stored->peer[0] == '\0' || !in_net(filter, i->peer)))
        return false;
    if (filter->detector != NULL && strcmp(filter->detector, i->detector) != 0)
        return false;
    if (i->severity < filter->severity || (filter->state >= 0 && i->state != filter->state))
        return false;
    return kind_wanted(filter, i);
}
