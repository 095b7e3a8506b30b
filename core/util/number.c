/* SPDX-License-Identifier: MIT */
/* number.c - reads numbers of logs strictly, exactly, and the same under every locale. */
#include "number.h"

/* 10^0 .. 10^19: all that fit 64 bits. */
static const uint64_t power_of_ten[] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

enum {
    DIGITS_MAX = 19,       /* of a mantissa: as many as always fit 64 bits */
    EXPONENT_MAX = 100000, /* beyond it, all numbers are either 0 or too large */
    MICRO = 6              /* 10^6 microseconds in a second */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool number_unsigned(const char *text, size_t length, uint64_t *out)
{
    if (length == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]) || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

bool number_count(const char *text, size_t length, uint64_t *out)
{
    uint64_t value;
    if (!number_unsigned(text, length, &value))
        return false;
    *out = value == UINT64_MAX ? UINT64_MAX - 1 : value;
    return true;
}

bool number_port(const char *text, size_t length, uint16_t *out)
{
    uint64_t port;
    if (!number_unsigned(text, length, &port) || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool number_hex_byte(const char *text, size_t length, uint8_t *out)
{
    if (length < 1 || length > 2)
        return false;
    int value = 0;
    for (size_t i = 0; i < length; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        value = value * 16 + digit;
    }
    *out = (uint8_t)value;
    return true;
}

/* Digits times a power of ten; leading zeros take no room. */
struct decimal {
    uint64_t digits;
    int count;    /* of digits kept */
    int exponent; /* of the last digit kept */
};

/* Adds the digits at `at`; returns where they end. `step` is what each one does to the exponent:
 * 0 before the point, -1 after it. Digits beyond DIGITS_MAX are dropped, keeping the magnitude. */
static const char *add_digits(const char *at, const char *end, int step, struct decimal *d)
{
    for (; at < end && is_digit(*at); at++) {
        if (d->count < DIGITS_MAX) {
            d->digits = d->digits * 10 + (uint64_t)(*at - '0');
            d->count += d->digits != 0;
            d->exponent += step;
        } else if (d->exponent < EXPONENT_MAX) {
            d->exponent += step + 1;
        }
    }
    return at;
}

/* Reads e[+-]digits at the end of a number. */
static bool add_exponent(const char *at, const char *end, struct decimal *d)
{
    at++; /* the e */
    bool minus = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end)
        return false;
    int value = 0;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return false;
        if (value < EXPONENT_MAX)
            value = value * 10 + (*at - '0');
    }
    d->exponent += minus ? -value : value;
    return true;
}

/* The decimal as a whole number, rounded. False if it is beyond 63 bits. */
static bool to_whole(const struct decimal *d, uint64_t *out)
{
    uint64_t value = d->digits;
    if (value != 0 && d->exponent > 0) {
        if (d->exponent > DIGITS_MAX ||
            __builtin_mul_overflow(value, power_of_ten[d->exponent], &value))
            return false;
    } else if (d->exponent < -DIGITS_MAX) {
        value = 0;
    } else if (d->exponent < 0) {
        uint64_t divisor = power_of_ten[-d->exponent];
        uint64_t rest = value % divisor;
        value = value / divisor + (rest >= divisor - rest);
    }
    if (value > INT64_MAX)
        return false;
    *out = value;
    return true;
}

bool number_micros(const char *text, size_t length, int64_t *out)
{
    const char *at = text, *end = text + length;
    bool minus = at < end && *at == '-';
    at += minus;
    struct decimal d = {0};
    const char *start = at;
    at = add_digits(at, end, 0, &d);
    if (at == start)
        return false;
    if (at < end && *at == '.') {
        start = ++at;
        at = add_digits(at, end, -1, &d);
        if (at == start)
            return false;
    }
    if (at < end && ((*at != 'e' && *at != 'E') || !add_exponent(at, end, &d)))
        return false;
    d.exponent += MICRO;
    uint64_t value;
    if (!to_whole(&d, &value))
        return false;
    *out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}
