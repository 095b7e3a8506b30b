/* SPDX-License-Identifier: MIT */
/* test_arena.c - scratch memory: alignment, growing, a full arena. */
#include "util/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void blocks_are_aligned_for_any_type(void **state)
{
    (void)state;
    struct arena arena;
    assert_int_equal(arena_init(&arena, 4096), 0);
    for (size_t size = 0; size < 40; size++)
        assert_int_equal((uintptr_t)arena_alloc(&arena, size) % alignof(max_align_t), 0);
    arena_done(&arena);
}

static void the_newest_block_grows_where_it_is(void **state)
{
    (void)state;
    struct arena arena;
    assert_int_equal(arena_init(&arena, 4096), 0);
    char *block = arena_alloc(&arena, 10);
    memcpy(block, "123456789", 10);
    char *grown = arena_grow(&arena, block, 2000);
    assert_ptr_equal(grown, block);
    assert_string_equal(grown, "123456789");
    arena_done(&arena);
}

static void an_older_block_is_copied_when_it_grows(void **state)
{
    (void)state;
    struct arena arena;
    assert_int_equal(arena_init(&arena, 4096), 0);
    char *first = arena_alloc(&arena, 10);
    memcpy(first, "123456789", 10);
    char *second = arena_alloc(&arena, 10);
    memcpy(second, "abcdefghi", 10);
    char *grown = arena_grow(&arena, first, 100);
    assert_ptr_not_equal(grown, first);
    assert_string_equal(grown, "123456789");
    assert_string_equal(second, "abcdefghi");
    arena_done(&arena);
}

static void a_smaller_size_changes_nothing(void **state)
{
    (void)state;
    struct arena arena;
    assert_int_equal(arena_init(&arena, 4096), 0);
    char *block = arena_alloc(&arena, 100);
    size_t used = arena.used;
    assert_ptr_equal(arena_grow(&arena, block, 5), block);
    assert_int_equal(arena.used, used);
    arena_done(&arena);
}

static void a_full_arena_gives_null_and_keeps_its_blocks(void **state)
{
    (void)state;
    struct arena arena;
    assert_int_equal(arena_init(&arena, 256), 0);
    char *block = arena_alloc(&arena, 100);
    memset(block, 'x', 100);
    assert_null(arena_alloc(&arena, 200));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_grow(&arena, block, 1000));
    assert_null(arena_grow(&arena, block, SIZE_MAX));
    for (int i = 0; i < 100; i++)
        assert_int_equal(block[i], 'x');
    assert_non_null(arena_alloc(&arena, 50));
    arena_done(&arena);
}

static void a_reset_gives_the_same_memory_again(void **state)
{
    (void)state;
    struct arena arena;
    assert_int_equal(arena_init(&arena, 256), 0);
    void *first = arena_alloc(&arena, 200);
    assert_null(arena_alloc(&arena, 200));
    arena_reset(&arena);
    assert_ptr_equal(arena_alloc(&arena, 200), first);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_for_any_type),
        cmocka_unit_test(the_newest_block_grows_where_it_is),
        cmocka_unit_test(an_older_block_is_copied_when_it_grows),
        cmocka_unit_test(a_smaller_size_changes_nothing),
        cmocka_unit_test(a_full_arena_gives_null_and_keeps_its_blocks),
        cmocka_unit_test(a_reset_gives_the_same_memory_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
