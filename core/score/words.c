/* SPDX-License-Identifier: MIT */
/* words.c - quantities as a person says them. */
#include "score/words.h"

#include <math.h>

/* `value` in the largest unit that keeps it at 1 or more; units are `step` apart. */
static void scaled(struct text *text, double value, double step, const char *const *units)
{
    size_t unit = 0;
    while (value >= step * 0.9995 && units[unit + 1] != NULL) {
        value /= step;
        unit++;
    }
    if (value >= 100.0)
        text_format(text, "%.0f", value);
    else
        text_digits(text, value, 2);
    text_add(text, units[unit]);
}

void words_bytes(struct text *text, double bytes)
{
    static const char *const units[] = {" B", " kB", " MB", " GB", " TB", NULL};
    scaled(text, bytes, 1000.0, units);
}

void words_count(struct text *text, double count)
{
    static const char *const units[] = {"", "k", "M", "G", NULL};
    if (count < 9999.5)
        text_format(text, "%.0f", count);
    else
        scaled(text, count, 1000.0, units);
}

void words_seconds(struct text *text, double seconds)
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}, {1e-3, " ms"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds >= units[i].size * 1.5 || (units[i].size <= 1 && seconds >= units[i].size)) {
            double value = seconds / units[i].size;
            if (value >= 100)
                text_format(text, "%.0f", value);
            else
                text_digits(text, value, 2);
            text_add(text, units[i].name);
            return;
        }
    }
    text_add(text, seconds > 0 ? "under 1 ms" : "0 s");
}

void words_place(struct text *text, const uint8_t address[16], const struct place *place)
{
    char buffer[46];
    text_add(text, eddy_address_text(address, buffer));
    if (place->country[0] == '\0' && place->asn == 0)
        return;
    text_add(text, " (");
    text_add(text, place->country);
    if (place->asn != 0)
        text_format(text, "%sAS%u", place->country[0] != '\0' ? ", " : "", place->asn);
    text_char(text, ')');
}

/* "updates.example.com (203.0.113.9, DE, AS64500)" */
static void named_place(struct text *text, const char *name, const uint8_t address[16],
                        const struct place *place)
{
    char buffer[46];
    text_format(text, "%s (%s", name, eddy_address_text(address, buffer));
    if (place->country[0] != '\0')
        text_format(text, ", %s", place->country);
    if (place->asn != 0)
        text_format(text, ", AS%u", place->asn);
    text_char(text, ')');
}

void words_service(struct text *text, const struct row *row)
{
    if (row->name != NULL)
        named_place(text, row->name, row->flow.dst, &row->dst);
    else
        words_place(text, row->flow.dst, &row->dst);
    const char *proto = row->flow.proto == 6 ? "/tcp" : row->flow.proto == 17 ? "/udp" : "";
    if (row->flow.dst_port != 0)
        text_format(text, " port %u%s", row->flow.dst_port, proto);
    if (row->service == SERVICE_ICMP)
        text_add(text, " by ICMP");
}
