/* SPDX-License-Identifier: MIT */
/* domain.c - what of a DNS name somebody has registered, and what the rest can carry. */
#include "state/domain.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LABELS = 3 };

static bool same(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* Under these a country registers others: the second-level labels that most of them use. */
static bool is_registry(const char *label, size_t length)
{
    static const char *const words[] = {"co",  "com", "net", "org", "edu", "ac",  "gov",
                                        "go",  "or",  "ne",  "gob", "mil", "ltd", "plc",
                                        "nom", "sch", "nhs", "law", "asn", "id",  "firm"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (same(label, length, words[i]))
            return true;
    return false;
}

/* "4.3.2.1", or 32 single digits of an IPv6 address, and nothing else. */
static bool is_address(const char *text, size_t length)
{
    size_t labels = 1, longest = 0, run = 0;
    bool decimal = true;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '.') {
            labels++;
            run = 0;
            continue;
        }
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
        decimal &= c <= '9';
        longest = ++run > longest ? run : longest;
    }
    return (labels == 4 && decimal && longest <= 3) || (labels == 32 && longest == 1);
}

const char *domain_of(const char *name)
{
    /* label[0] is the last one, the top level. */
    const char *label[LABELS], *end = name + strlen(name);
    size_t length[LABELS], count = 0;
    for (const char *at = end; count < LABELS; at = label[count++] - 1) {
        const char *start = at;
        while (start > name && start[-1] != '.')
            start--;
        label[count] = start;
        length[count] = (size_t)(at - start);
        if (start == name) {
            count++;
            break;
        }
    }
    if (count < 2 || length[0] == 0 || length[1] == 0 || same(label[0], length[0], "arpa") ||
        same(label[0], length[0], "local") || same(label[0], length[0], "localhost"))
        return NULL;
    bool country = length[0] == 2 && is_registry(label[1], length[1]);
    if (country && count < 3)
        return NULL;
    const char *domain = country ? label[2] : label[1];
    if (domain == name || *domain == '.' || is_address(name, (size_t)(domain - 1 - name)))
        return NULL;
    return domain;
}

double domain_carries(const char *text, size_t length, double *bits)
{
    uint16_t count[256] = {0};
    uint8_t distinct[256];
    unsigned characters = 0, kinds = 0;
    for (size_t i = 0; i < length && i < UINT16_MAX; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c == '.')
            continue;
        if (count[c]++ == 0)
            distinct[kinds++] = c;
        characters++;
    }
    /* sum of n/N log2(N/n) is log2 N - 1/N sum of n log2 n, where most n are 1 */
    double sum = 0.0;
    for (unsigned i = 0; i < kinds; i++) {
        unsigned n = count[distinct[i]];
        sum += n > 1 ? n * log2(n) : 0.0;
    }
    *bits = kinds > 1 ? log2(characters) - sum / characters : 0.0;
    return *bits * characters / 8.0;
}
