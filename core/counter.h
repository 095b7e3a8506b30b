/* SPDX-License-Identifier: MIT */
/* counter.h - counts that one thread writes and any thread reads. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* Written by its one owner, so a load and a store are enough; relaxed, for a count stands alone. */
struct counter {
    _Atomic uint64_t value;
};

static inline void counter_add(struct counter *counter, uint64_t n)
{
    uint64_t value = atomic_load_explicit(&counter->value, memory_order_relaxed);
    atomic_store_explicit(&counter->value, value + n, memory_order_relaxed);
}

static inline uint64_t counter_read(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}
