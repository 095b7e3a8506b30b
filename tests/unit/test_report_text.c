/* SPDX-License-Identifier: MIT */
/* test_report_text.c - text from outside in a page, and the scales of its plots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugins/eddy/progress.c"
#include "../../plugins/eddy/report_axis.c"
#include "../../plugins/eddy/report_html.c"

static char written[4096];

static const char *escaped(const char *text, size_t most)
{
    FILE *to = fmemopen(written, sizeof written, "w");
    assert_non_null(to);
    html_text(to, text, most);
    assert_int_equal(fclose(to), 0);
    return written;
}

static const char *number(double value)
{
    FILE *to = fmemopen(written, sizeof written, "w");
    assert_non_null(to);
    html_number(to, value);
    assert_int_equal(fclose(to), 0);
    return written;
}

static void what_could_be_markup_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(escaped("<b a=\"x\" c='y'>&amp;", 0),
                        "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;");
    assert_string_equal(escaped("Zürich – 東京", 0), "Zürich – 東京");
}

static void what_deceives_the_eye_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(escaped("a\x1b[1m\x7f\n\xC2\x9B", 0), "a�[1m���");
    assert_string_equal(escaped("exe\xE2\x80\xAEgpj", 0), "exe�gpj");               /* U+202E */
    assert_string_equal(escaped("\xE2\x81\xA6\xEF\xBB\xBF\xE2\x80\x8B", 0), "���"); /* U+2066 ... */
}

static void bytes_that_are_not_utf8_are_replaced_one_by_one(void **state)
{
    (void)state;
    assert_string_equal(escaped("a\xFF\x80z", 0), "a��z");
    assert_string_equal(escaped("\xC3", 0), "�");                /* cut */
    assert_string_equal(escaped("\xC0\xBC", 0), "��");           /* an overlong < */
    assert_string_equal(escaped("\xE0\x80\xBC", 0), "���");      /* another */
    assert_string_equal(escaped("\xED\xA0\x80", 0), "���");      /* a surrogate */
    assert_string_equal(escaped("\xF4\x90\x80\x80", 0), "����"); /* beyond U+10FFFF */
}

static void long_text_is_cut_between_characters(void **state)
{
    (void)state;
    assert_string_equal(escaped("üüü", 2), "üü…");
    assert_string_equal(escaped("üü", 2), "üü");
}

static void numbers_are_for_people(void **state)
{
    (void)state;
    assert_string_equal(number(2.1e9), "2,100,000,000");
    assert_string_equal(number(1234.5), "1234");
    assert_string_equal(number(0.19788), "0.198");
    assert_string_equal(number(4.7e-14), "4.7e-14");
    assert_string_equal(number(-0.25), "-0.25");
    assert_string_equal(number(NAN), "–");
    assert_string_equal(number(1e300), "1e+300");
}

static void ticks_are_round_and_few(void **state)
{
    (void)state;
    double ticks[AXIS_TICKS];
    struct axis axis = axis_over(0, 716, AXIS_NUMBER, false);
    assert_int_equal(axis_ticks(&axis, ticks), 4); /* 0 200 400 600 */
    assert_true(ticks[1] == 200 && ticks[3] == 600);
    axis = axis_over(3, 521, AXIS_SECONDS, false); /* 518/5 = 103.6: two minutes */
    assert_int_equal(axis_ticks(&axis, ticks), 4);
    assert_true(ticks[0] == 120 && ticks[3] == 480);
    axis = axis_over(2e2, 3e9, AXIS_NUMBER, true);
    assert_true(axis.logarithmic);
    assert_int_equal(axis_ticks(&axis, ticks), 4); /* 1e3, 1e5, 1e7, 1e9: every other decade */
    assert_true(ticks[0] == 1e3 && ticks[3] == 1e9);
}

static void every_axis_has_an_extent_and_bounded_ticks(void **state)
{
    (void)state;
    static const double cases[][2] = {
        {0, 0},        {5, 5},    {-3, -3},       {1e-30, 1e-30}, {-1e30, 1e30},
        {1e-30, 1e30}, {0, 1e-9}, {1.7e9, 1.7e9}, {0, 4e9},       {1e30, 1.0000001e30}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int unit = AXIS_NUMBER; unit <= AXIS_TIME; unit++) {
            double ticks[AXIS_TICKS];
            char label[32];
            struct axis axis = axis_over(cases[i][0], cases[i][1], (enum axis_unit)unit, true);
            axis.from = 0;
            axis.to = 100;
            assert_true(axis.low < axis.high);
            size_t count = axis_ticks(&axis, ticks);
            assert_in_range(count, 0, AXIS_TICKS);
            for (size_t t = 0; t < count; t++) {
                double at = axis_at(&axis, ticks[t]);
                assert_true(at > -1 && at < 101);
                axis_label(&axis, unit == AXIS_TIME ? fmin(fmax(ticks[t], 0), 4e9) : ticks[t],
                           label);
                assert_true(label[0] != '\0');
            }
        }
    }
}

static void labels_have_units(void **state)
{
    (void)state;
    char label[32];
    struct axis seconds = axis_over(0, 100, AXIS_SECONDS, false);
    axis_label(&seconds, 90, label);
    assert_string_equal(label, "90 s");
    axis_label(&seconds, 480, label);
    assert_string_equal(label, "8 min");
    axis_label(&seconds, 86400, label);
    assert_string_equal(label, "24 h");
    struct axis numbers = axis_over(0, 2000, AXIS_NUMBER, false);
    axis_label(&numbers, 1000, label);
    assert_string_equal(label, "1000");
    axis_label(&numbers, 20000, label);
    assert_string_equal(label, "20 k");
    struct axis time = axis_over(1767323045, 1767423045, AXIS_TIME, false);
    axis_label(&time, 1767322800, label);
    assert_string_equal(label, "03:00");
    axis_label(&time, 1767312000, label); /* midnight */
    assert_string_equal(label, " 2 Jan");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_be_markup_is_escaped),
        cmocka_unit_test(what_deceives_the_eye_is_replaced),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced_one_by_one),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(numbers_are_for_people),
        cmocka_unit_test(ticks_are_round_and_few),
        cmocka_unit_test(every_axis_has_an_extent_and_bounded_ticks),
        cmocka_unit_test(labels_have_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
