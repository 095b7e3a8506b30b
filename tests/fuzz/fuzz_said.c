/* SPDX-License-Identifier: MIT */
/* fuzz_said.c - any bytes as a file of suppressions and as one of marks. */
#include "fuzz.h"

#include "row.h"
#include "vet/marks.h"
#include "vet/rules.h"

static void check_error(int status, const eddy_error *err)
{
    promise(status < 0 && err->code == status);
    size_t length = strnlen(err->message, sizeof err->message);
    promise(length > 0 && length < sizeof err->message);
    for (size_t i = 0; i < length; i++) /* it goes into logs */
        promise((unsigned char)err->message[i] >= 0x20 && err->message[i] != 0x7f);
}

/* A flow with the addresses that corpora name. */
static struct row row_of(const uint8_t *data, size_t size)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct row row = {.flow = {.src_port = 50000, .dst_port = 443, .proto = 6}};
    memcpy(row.flow.src, mapped, sizeof mapped);
    memcpy(row.flow.dst, mapped, sizeof mapped);
    row.flow.src[12] = 10;
    row.flow.src[15] = 5;
    for (size_t i = 0; i < 4 && i < size; i++)
        row.flow.dst[12 + i] = data[i];
    row.dst.asn = 64496;
    memcpy(row.dst.country, "DE", 3);
    for (size_t i = 0; i < DETECTOR_MAX; i++)
        row.finding[i].p = 1e-9;
    return row;
}

static void try_rules(const struct entries *entries, const struct row *row)
{
    struct rules *rules = NULL;
    eddy_error err = {0};
    int status = rules_new(entries, &rules, &err);
    if (status != EDDY_OK) {
        promise(rules == NULL);
        check_error(status, &err);
        return;
    }
    promise(rules->count <= ENTRIES_MAX);
    rules_count(rules, row, 1);
    for (size_t i = 0; registry_detectors[i] != NULL; i++) {
        const struct rule *found = rules_find(rules, row, i, 1);
        const struct rule *first = NULL; /* the same, without the index */
        for (size_t n = 0; n < rules->count && first == NULL && found != NULL; n++)
            first = &rules->rule[n] == found ? found : NULL;
        promise(found == first);
        promise(found == NULL ||
                (found->id[0] != '\0' && found->expires_us > 1 && found->flows == 1));
    }
    struct rules *again = NULL;
    promise(rules_new(entries, &again, NULL) == EDDY_OK);
    promise(rules_trace(again, rules, NULL) == EDDY_OK);
    rules_inherit(again, rules);
    for (size_t i = 0; i < rules->count; i++)
        promise(again->rule[i].flows == rules->rule[i].flows);
    rules_free(again);
    rules_free(rules);
}

static void try_marks(const struct entries *entries, const struct row *row)
{
    struct marks *marks = NULL;
    eddy_error err = {0};
    const struct mark_time time = {.now_us = 1, .half_life_us = 1000000, .join = 1};
    int status = marks_new(entries, &marks, &err);
    if (status != EDDY_OK) {
        promise(marks == NULL);
        check_error(status, &err);
        return;
    }
    (void)marks_pin(marks, row);
    for (size_t i = 0; registry_detectors[i] != NULL; i++) {
        struct mark_effect effect = marks_weigh(marks, row, i, "bytes_out", &time);
        promise(effect.lower_by >= 0 && effect.lower_by <= 9.001); /* never more than S = 9 */
    }
    marks_free(marks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct entries entries = {.name = "fuzz", .text = (const char *)data, .length = size};
    struct row row = row_of(data, size);
    try_rules(&entries, &row);
    try_marks(&entries, &row);
    return 0;
}
