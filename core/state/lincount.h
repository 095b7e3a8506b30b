/* SPDX-License-Identifier: MIT */
/* lincount.h - how many distinct hosts do something, in 24 bytes; adding one again changes nothing.
 *
 * Linear counting (Whang, Vander-Zanden, Taylor, TODS 15, 1990) with 192 bits: the estimate is
 * -192 ln(share of zero bits), mostly right within one up to 20, within 10 % up to 300; where all
 * bits are set it stays at LINCOUNT_MOST. */
#pragma once

#include <stdint.h>

#define LINCOUNT_BITS 192
#define LINCOUNT_MOST 1010 /* 192 ln(192): one bit was still zero */

struct lincount {
    uint64_t bits[LINCOUNT_BITS / 64];
};

void lincount_add(struct lincount *count, uint64_t hash);

/* Rounded to the nearest whole number. */
uint32_t lincount_estimate(const struct lincount *count);
