/* SPDX-License-Identifier: MIT */
/* test_log.c - lines for the operator: whole, one line each, at most one a minute for a slot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "util/log.h"

struct heard {
    _Atomic int count;
    int level;
    char last[2048];
};

static void hear(int level, const char *message, void *user)
{
    struct heard *heard = user;
    heard->level = level;
    (void)snprintf(heard->last, sizeof heard->last, "%s", message);
    heard->count++;
}

static void a_line_reaches_the_hook_with_its_level(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct log log = {.hook = hear, .user = &heard};
    log_line(&log, LOG_LEVEL_WARNING, "%s: line %d", "eve.json", 7);
    assert_string_equal(heard.last, "eve.json: line 7");
    assert_int_equal(heard.level, LOG_LEVEL_WARNING);
}

static void control_characters_cannot_forge_a_line(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct log log = {.hook = hear, .user = &heard};
    log_line(&log, LOG_LEVEL_INFO, "a\nb\x1b[31m");
    assert_string_equal(heard.last, "a?b?[31m");
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct log log = {.hook = hear, .user = &heard};
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_line(&log, LOG_LEVEL_INFO, "%s", text);
    assert_int_equal(strlen(heard.last), 1023);
}

static void a_slot_speaks_once_in_a_minute(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct log log = {.hook = hear, .user = &heard};
    assert_true(log_limited(&log, 3, LOG_LEVEL_INFO, "first"));
    for (int i = 0; i < 5; i++)
        assert_false(log_limited(&log, 3, LOG_LEVEL_INFO, "again"));
    assert_true(log_limited(&log, 4, LOG_LEVEL_INFO, "another slot"));
    assert_int_equal(heard.count, 2);
}

static void after_a_minute_a_slot_says_how_many_were_kept_back(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct log log = {.hook = hear, .user = &heard};
    (void)log_limited(&log, 3, LOG_LEVEL_INFO, "first");
    (void)log_limited(&log, 3, LOG_LEVEL_INFO, "again");
    (void)log_limited(&log, 3, LOG_LEVEL_INFO, "again");
    log.slots[3].spoke_us -= LOG_INTERVAL_US;
    assert_true(log_limited(&log, 3, LOG_LEVEL_INFO, "later"));
    assert_string_equal(heard.last, "later (and 2 more like it before)");
}

static void *log_often(void *user)
{
    for (int i = 0; i < 1000; i++)
        (void)log_limited(user, 1, LOG_LEVEL_INFO, "from a thread");
    return NULL;
}

static void of_many_threads_one_speaks(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct log log = {.hook = hear, .user = &heard};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_often, &log), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(heard.count, 1);
    /* What the speaker found kept back when it spoke is in its line, the rest still counts. */
    assert_true(log.slots[1].kept <= 3999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_reaches_the_hook_with_its_level),
        cmocka_unit_test(control_characters_cannot_forge_a_line),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(a_slot_speaks_once_in_a_minute),
        cmocka_unit_test(after_a_minute_a_slot_says_how_many_were_kept_back),
        cmocka_unit_test(of_many_threads_one_speaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
