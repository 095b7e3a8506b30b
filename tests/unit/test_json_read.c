/* SPDX-License-Identifier: MIT */
/* test_json_read.c - a JSON text of others becomes a tree, or an error in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "../../plugins/common/json_read.c"
#include "../../plugins/common/json_visit.c"
#include "../../plugins/common/say.c"

static const struct json_limits roomy = {.depth = 8, .values = 1000};

static struct json_tree *read_all(const char *text)
{
    struct json_tree *tree = NULL;
    eddy_error err = {0};
    int status = json_tree_new(text, strlen(text), &roomy, &tree, &err);
    if (status < 0)
        fail_msg("%s: %s", text, err.message);
    return tree;
}

static void refuse(const char *text, size_t length, const struct json_limits *limits,
                   const char *why)
{
    struct json_tree *tree = NULL;
    eddy_error err = {0};
    assert_int_equal(json_tree_new(text, length, limits, &tree, &err), EDDY_EINPUT);
    assert_null(tree);
    if (strstr(err.message, why) == NULL)
        fail_msg("'%s' says '%s', not '%s'", text, err.message, why);
}

static void values_are_found_by_their_keys(void **state)
{
    (void)state;
    struct json_tree *tree =
        read_all("{\"model\": {\"version\": \"3\", \"tags\": [{\"key\": \"a\"},"
                 " {\"key\": \"b\"}]}, \"size\": -1.5e3, \"on\": true,"
                 " \"off\": false, \"none\": null, \"none\": 1}");
    const struct json_value *root = json_tree_root(tree);
    assert_int_equal(root->length, 6);
    assert_string_equal(json_find_text(json_find(root, "model"), "version"), "3");
    const struct json_value *tag = json_first(json_find(json_find(root, "model"), "tags"));
    assert_string_equal(json_find_text(tag, "key"), "a");
    assert_string_equal(json_find_text(json_behind(tag), "key"), "b");
    assert_true(json_find(root, "size")->is.number == -1500);
    assert_true(json_find(root, "on")->is.truth);
    assert_false(json_find(root, "off")->is.truth);
    assert_true(json_is(json_find(root, "none"), JSON_NULL));
    json_tree_free(tree);
}

static void what_is_not_there_is_null_all_the_way_down(void **state)
{
    (void)state;
    struct json_tree *tree = read_all("[{}, [], 1]");
    const struct json_value *root = json_tree_root(tree);
    assert_null(json_find_text(json_find(root, "a"), "b"));
    assert_null(json_first(json_first(root)));
    assert_null(json_first(json_behind(json_first(root))));
    assert_null(json_text(json_behind(json_behind(json_first(root)))));
    assert_null(json_behind(NULL));
    assert_false(json_is(NULL, JSON_NULL));
    json_tree_free(tree);
}

static void strings_are_unescaped_and_may_hold_nuls(void **state)
{
    (void)state;
    struct json_tree *tree = read_all("[\"a\\u00e9\\n\\\"\", \"\", \"x\\u0000y\", \"\\u20ac\"]");
    const struct json_value *at = json_first(json_tree_root(tree));
    assert_string_equal(json_text(at), "a\xc3\xa9\n\"");
    at = json_behind(at);
    assert_string_equal(json_text(at), "");
    at = json_behind(at);
    assert_null(json_text(at));
    assert_int_equal(at->length, 3);
    assert_memory_equal(at->is.text, "x\0y", 4);
    assert_string_equal(json_text(json_behind(at)), "\xe2\x82\xac");
    json_tree_free(tree);
}

static void numbers_are_as_near_as_a_double_can_be(void **state)
{
    (void)state;
    struct json_tree *tree = read_all("[0.1, 1e400, -1e400, 18446744073709551615, 4.9e-324]");
    const struct json_value *at = json_first(json_tree_root(tree));
    assert_true(at[0].is.number == 0.1);
    assert_true(isinf(at[1].is.number) && at[1].is.number > 0);
    assert_true(isinf(at[2].is.number) && at[2].is.number < 0);
    assert_true(at[3].is.number == 18446744073709551615.0);
    assert_true(at[4].is.number == 4.9e-324);
    json_tree_free(tree);
}

static void what_is_no_json_is_refused_in_words(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        " ",           "{",      "}",          "[1,]",
                                      "{\"a\"}", "{\"a\":}",    "[1 2]",  "[01]",       "[NaN]",
                                      "['a']",   "{}{}",        "[] tru", "[]]",        "[1] \"",
                                      "nul",     "\"\\x\"",     "[1.]",   "[\"\xff\"]", "[\"\n\"]",
                                      "[-]",     "[\"\\u12\"]", "{1:2}",  "[\"abc",     "[1e]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i], strlen(bad[i]), &roomy, "bad JSON");
    refuse("12", 2, &roomy, "neither an object nor an array");
    refuse("\"a\"", 3, &roomy, "neither an object nor an array");
    refuse("[]\0", 3, &roomy, "bad JSON");
    refuse("[1, 2, x]", 9, &roomy, "before byte 8");
}

static void limits_hold(void **state)
{
    (void)state;
    static const struct json_limits tight = {.depth = 2, .values = 5};
    struct json_tree *tree;
    assert_int_equal(json_tree_new("[[1],2,3]", 9, &tight, &tree, NULL), EDDY_OK);
    json_tree_free(tree);
    refuse("[[1],2,3,4]", 11, &tight, "more values than are taken");
    refuse("[[[]]]", 6, &tight, "nested too deeply");
    char deep[2000];
    memset(deep, '[', sizeof deep);
    refuse(deep, sizeof deep, &(struct json_limits){.depth = 5000, .values = 5000}, "nested");
    char number[200];
    memset(number, '1', sizeof number);
    number[0] = '[';
    number[199] = ']';
    refuse(number, sizeof number, &roomy, "more than 64 characters");
}

/* The scratch must never run out: what is longest for its length is one string full of escapes. */
static void a_megabyte_of_escapes_is_read(void **state)
{
    (void)state;
    size_t length = 1u << 20;
    char *text = malloc(length);
    assert_non_null(text);
    for (size_t i = 0; i < length; i += 2)
        memcpy(text + i, "\\n", 2);
    memcpy(text, "[\"", 2);
    memcpy(text + length - 2, "\"]", 2);
    struct json_tree *tree;
    assert_int_equal(json_tree_new(text, length, &roomy, &tree, NULL), EDDY_OK);
    assert_int_equal(json_first(json_tree_root(tree))->length, length / 2 - 2);
    json_tree_free(tree);
    /* And cut off, when yajl keeps what may go on. */
    refuse(text, length - 2, &roomy, "bad JSON");
    free(text);
}

static void many_values_grow_the_tree(void **state)
{
    (void)state;
    char text[4096] = "[";
    size_t used = 1;
    for (int i = 0; i < 500; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", i > 0 ? "," : "", i);
    (void)snprintf(text + used, sizeof text - used, "]");
    struct json_tree *tree = read_all(text);
    const struct json_value *root = json_tree_root(tree);
    assert_int_equal(root->length, 500);
    assert_int_equal(root->is.span, 501);
    for (int i = 0; i < 500; i++)
        assert_true(root[i + 1].is.number == i);
    json_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_their_keys),
        cmocka_unit_test(what_is_not_there_is_null_all_the_way_down),
        cmocka_unit_test(strings_are_unescaped_and_may_hold_nuls),
        cmocka_unit_test(numbers_are_as_near_as_a_double_can_be),
        cmocka_unit_test(what_is_no_json_is_refused_in_words),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_megabyte_of_escapes_is_read),
        cmocka_unit_test(many_values_grow_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
