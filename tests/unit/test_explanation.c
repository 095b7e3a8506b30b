/* SPDX-License-Identifier: MIT */
/* test_explanation.c - reasons, names and plots keep to their room and their order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "score/explanation.h"

static void names_are_kept_once_and_made_printable(void **state)
{
    (void)state;
    struct explanation e = {0};
    explanation_name(&e, "sni", "a.example\x01\xc3");
    explanation_name(&e, "sni", "a.example??");
    explanation_name(&e, "dns", "a.example??");
    explanation_name(&e, "dns", "");
    assert_int_equal(e.name_count, 2);
    assert_string_equal(e.name[0].value, "a.example??");
    char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    for (int i = 0; i < 20; i++) {
        longer[0] = (char)('a' + i);
        explanation_name(&e, "sni", longer);
    }
    assert_int_equal(e.name_count, EXPLANATION_NAMES);
    assert_int_equal(strlen(e.name[2].value), sizeof e.name[2].value - 1);
}

static void a_technique_is_a_copy_and_is_cut_to_its_room(void **state)
{
    (void)state;
    struct explanation e = {0};
    char from[] = "T1046";
    explanation_technique(&e, from);
    memset(from, 'x', sizeof from - 1);
    assert_string_equal(e.technique, "T1046");
    explanation_technique(&e, "0123456789abcdefghij");
    assert_string_equal(e.technique, "0123456789abcde");
}

static void a_plot_takes_as_many_points_as_it_has_room_for(void **state)
{
    (void)state;
    struct explanation e = {0};
    evidence_begin(&e, "gaps", "x", "y");
    assert_true(isnan(e.evidence.mark));
    for (int i = 0; i < 100; i++)
        evidence_point(&e, i, 2 * i);
    assert_int_equal(e.evidence.count, EVIDENCE_POINTS);
    assert_true(e.evidence.y[63] == 126.0f);
}

/* Growth is one point for each explanation; the incident keeps them, thinned out when full. */
static void a_plot_that_grows_goes_on(void **state)
{
    (void)state;
    struct evidence kept = {0};
    for (int i = 0; i < 200; i++) {
        struct explanation e = {0};
        evidence_grow(&e, "targets", 10.0 * i);
        evidence_continue(&e.evidence, &kept, i);
        kept = e.evidence;
        assert_in_range(kept.count, 1, EVIDENCE_POINTS);
        assert_true(kept.x[0] == 0.0f);
        assert_true(kept.x[kept.count - 1] == (float)i);
        for (size_t n = 0; n < kept.count; n++) {
            assert_true(kept.y[n] == 10.0f * kept.x[n]);
            assert_true(n == 0 || kept.x[n] > kept.x[n - 1]);
        }
    }
    struct explanation late = {0};
    evidence_grow(&late, "targets", 3);
    evidence_continue(&late.evidence, &kept, -50); /* of a record that came late */
    assert_true(late.evidence.x[late.evidence.count - 1] == 199.0f);
    struct explanation other = {0};
    evidence_grow(&other, "destinations", 5);
    evidence_continue(&other.evidence, &kept, 300);
    assert_int_equal(other.evidence.count, 1); /* of something else: begins anew */
    assert_true(other.evidence.x[0] == 300.0f);
}

static void a_plot_that_is_whole_is_left_alone(void **state)
{
    (void)state;
    struct explanation e = {0};
    struct evidence before = {0};
    evidence_begin(&e, "gaps", "x", "y");
    evidence_point(&e, 1, 2);
    evidence_continue(&e.evidence, &before, 9);
    assert_int_equal(e.evidence.count, 1);
    assert_true(e.evidence.x[0] == 1.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_kept_once_and_made_printable),
        cmocka_unit_test(a_technique_is_a_copy_and_is_cut_to_its_room),
        cmocka_unit_test(a_plot_takes_as_many_points_as_it_has_room_for),
        cmocka_unit_test(a_plot_that_grows_goes_on),
        cmocka_unit_test(a_plot_that_is_whole_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
