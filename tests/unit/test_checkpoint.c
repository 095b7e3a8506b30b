/* SPDX-License-Identifier: MIT */
/* test_checkpoint.c - a checkpoint is whole, or refused, or the one before is used. */
#define _XOPEN_SOURCE 700 /* mkdtemp() beside POSIX */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "../../plugins/common/checkpoint.c"
#include "../../plugins/common/follow_state.c"
#include "../../plugins/common/generation.c"
#include "../../plugins/common/gz.c"
#include "../../plugins/common/say.c"
#include "../../plugins/common/siblings.c"

struct bench {
    char folder[64];
    char path[96];
    char old[100];
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    (void)snprintf(b->folder, sizeof b->folder, "/tmp/eddy-checkpoint-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    (void)snprintf(b->path, sizeof b->path, "%s/state", b->folder);
    (void)snprintf(b->old, sizeof b->old, "%s.old", b->path);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    (void)chmod(b->folder, 0700);
    (void)unlink(b->path);
    (void)unlink(b->old);
    (void)rmdir(b->folder);
    free(b);
    return 0;
}

static void save(struct bench *b, uint64_t length, const char *input, uint64_t *sum)
{
    struct checkpoint c = {.flows = {.regular = 1, .dev = 7, .ino = UINT64_MAX, .length = length}};
    struct follow_state state = {.reading = true,
                                 .dev = 3,
                                 .ino = 4,
                                 .print = {.hash = UINT64_MAX, .length = PRINT_MAX},
                                 .offset = UINT64_MAX,
                                 .newest_ns = INT64_MAX};
    for (size_t i = 0; i < FOLLOW_DONE_MAX + 2; i++)
        follow_state_finish(&state, (struct print){.hash = i, .length = 9});
    assert_int_equal(checkpoint_add(&c, input, &state, NULL), EDDY_OK);
    struct follow_state fresh = {.newest_ns = 1};
    assert_int_equal(checkpoint_add(&c, "second", &fresh, NULL), EDDY_OK);
    assert_int_equal(checkpoint_save(&c, b->path, sum, NULL), EDDY_OK);
    checkpoint_done(&c);
}

static void checkpoint_brings_back_what_was_saved(void **state)
{
    struct bench *b = *state;
    uint64_t sum = 0;
    save(b, 12345, "/logs/a name with 100% blanks\nand a newline", &sum);
    struct checkpoint c;
    assert_int_equal(checkpoint_load(b->path, &c, NULL), 1);
    assert_int_equal(c.flows.length, 12345);
    assert_true(c.flows.ino == UINT64_MAX);
    const struct follow_state *s =
        checkpoint_find(&c, "/logs/a name with 100% blanks\nand a newline");
    assert_non_null(s);
    assert_true(s->reading && s->dev == 3 && s->ino == 4 && s->offset == UINT64_MAX);
    assert_true(s->print.hash == UINT64_MAX && s->print.length == PRINT_MAX);
    assert_true(s->newest_ns == INT64_MAX);
    assert_false(follow_state_finished(s, (struct print){.hash = 1, .length = 9}));
    assert_true(follow_state_finished(s, (struct print){.hash = 2, .length = 9}));
    assert_true(follow_state_finished(s, (struct print){.hash = FOLLOW_DONE_MAX + 1, .length = 9}));
    assert_false(checkpoint_find(&c, "second")->reading);
    assert_null(checkpoint_find(&c, "third"));
    checkpoint_done(&c);
}

static void checkpoint_is_zero_if_there_never_was_one(void **state)
{
    struct bench *b = *state;
    struct checkpoint c;
    assert_int_equal(checkpoint_load(b->path, &c, NULL), 0);
    checkpoint_done(&c);
}

static size_t read_all(const char *path, char *buf, size_t size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(buf, 1, size, f);
    assert_int_equal(fclose(f), 0);
    return n;
}

static void write_all(const char *path, const char *bytes, size_t length)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static void checkpoint_torn_at_any_byte_gives_the_one_before(void **state)
{
    struct bench *b = *state;
    char text[16384];
    uint64_t sum = 0;
    save(b, 1, "input", &sum);
    save(b, 2, "input", &sum);
    size_t length = read_all(b->path, text, sizeof text);
    for (size_t cut = 0; cut < length; cut++) {
        struct checkpoint c;
        eddy_error err = {0};
        write_all(b->path, text, cut);
        assert_int_equal(checkpoint_load(b->path, &c, &err), 2);
        assert_int_equal(c.flows.length, 1);
        assert_non_null(strstr(err.message, "torn or damaged"));
        checkpoint_done(&c);
    }
}

static void checkpoint_with_any_byte_changed_is_refused(void **state)
{
    struct bench *b = *state;
    char text[16384];
    uint64_t sum = 0;
    save(b, 2, "input", &sum);
    (void)unlink(b->old);
    size_t length = read_all(b->path, text, sizeof text);
    for (size_t i = 0; i < length; i++) {
        struct checkpoint c;
        text[i] ^= 1;
        write_all(b->path, text, length);
        assert_int_equal(checkpoint_load(b->path, &c, NULL), EDDY_EINPUT);
        assert_int_equal(c.count, 0);
        checkpoint_done(&c);
        text[i] ^= 1;
    }
}

static void checkpoint_missing_gives_the_one_before(void **state)
{
    struct bench *b = *state;
    uint64_t sum = 0;
    save(b, 1, "input", &sum);
    save(b, 2, "input", &sum);
    assert_int_equal(unlink(b->path), 0);
    struct checkpoint c;
    assert_int_equal(checkpoint_load(b->path, &c, NULL), 2);
    assert_int_equal(c.flows.length, 1);
    checkpoint_done(&c);
}

static void checkpoint_damaged_never_becomes_the_one_before(void **state)
{
    struct bench *b = *state;
    uint64_t sum = 0;
    save(b, 1, "input", &sum);
    save(b, 2, "input", &sum);
    write_all(b->path, "torn", 4);
    uint64_t next_start = 0;
    save(b, 3, "input", &next_start);
    write_all(b->path, "torn", 4);
    struct checkpoint c;
    assert_int_equal(checkpoint_load(b->path, &c, NULL), 2);
    assert_int_equal(c.flows.length, 1);
    checkpoint_done(&c);
}

static void checkpoint_does_not_write_the_same_twice(void **state)
{
    struct bench *b = *state;
    struct checkpoint c = {.flows = {.regular = 1, .length = 5}};
    uint64_t sum = 0;
    assert_int_equal(checkpoint_save(&c, b->path, &sum, NULL), EDDY_OK);
    assert_int_equal(unlink(b->path), 0);
    assert_int_equal(checkpoint_save(&c, b->path, &sum, NULL), EDDY_OK);
    assert_int_equal(access(b->path, F_OK), -1);
    c.flows.length = 6;
    assert_int_equal(checkpoint_save(&c, b->path, &sum, NULL), EDDY_OK);
    assert_int_equal(access(b->path, F_OK), 0);
}

static void checkpoint_never_writes_through_a_symlink(void **state)
{
    struct bench *b = *state;
    char tmp[120];
    char victim[120];
    (void)snprintf(tmp, sizeof tmp, "%s.tmp", b->path);
    (void)snprintf(victim, sizeof victim, "%s/victim", b->folder);
    assert_int_equal(symlink("victim", tmp), 0);
    struct checkpoint c = {0};
    eddy_error err = {0};
    uint64_t sum = 0;
    assert_int_equal(checkpoint_save(&c, b->path, &sum, &err), EDDY_EIO);
    assert_int_equal(access(victim, F_OK), -1);
    assert_int_equal(unlink(tmp), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(checkpoint_brings_back_what_was_saved),
        TEST(checkpoint_is_zero_if_there_never_was_one),
        TEST(checkpoint_torn_at_any_byte_gives_the_one_before),
        TEST(checkpoint_with_any_byte_changed_is_refused),
        TEST(checkpoint_missing_gives_the_one_before),
        TEST(checkpoint_damaged_never_becomes_the_one_before),
        TEST(checkpoint_does_not_write_the_same_twice),
        TEST(checkpoint_never_writes_through_a_symlink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
