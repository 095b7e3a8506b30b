/* SPDX-License-Identifier: MIT */
/* test_registry.c - what every part promises: a name, help, settings that fit its struct. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "part.h"
#include "setting.h"

static size_t size_of(enum option_type type)
{
    switch (type) {
    case OPTION_FLAG:
        return sizeof(bool);
    case OPTION_NUMBER:
        return sizeof(double);
    case OPTION_TEXT:
    case OPTION_LIST:
        return sizeof(const char *);
    default:
        return sizeof(uint64_t);
    }
}

/* The name of a section or setting; a format without settings may also have dashes. */
static bool is_name(const char *name, bool dashes)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_' &&
            !(dashes && *c == '-'))
            return false;
    }
    return islower((unsigned char)name[0]);
}

static bool is_sentence(const char *help)
{
    size_t length = strlen(help);
    return length > 10 && isupper((unsigned char)help[0]) && help[length - 1] == '.' &&
           strchr(help, '\n') == NULL;
}

static void check_option(const struct part *part, const struct option *option)
{
    struct range range = range_of(option);
    union setting_value value;
    char why[160];
    struct text text = text_over(why, sizeof why);
    if (!is_name(option->name, false))
        fail_msg("%s.%s: no name", part->name, option->name);
    if (!is_sentence(option->help))
        fail_msg("%s.%s: help is no sentence: %s", part->name, option->name, option->help);
    if (option->offset + size_of(option->type) > part->conf_size)
        fail_msg("%s.%s: outside of the conf struct", part->name, option->name);
    if (option->type < OPTION_TEXT && option->type != OPTION_FLAG && !(option->low < option->high))
        fail_msg("%s.%s: an empty range", part->name, option->name);
    if (option->type != OPTION_LIST && !setting_parse(&range, option->initial, &value, &text))
        fail_msg("%s.%s = '%s': %s", part->name, option->name, option->initial, why);
}

static void check_part(const struct part *part)
{
    assert_non_null(part->name);
    if (!is_name(part->name, part->options == NULL) || !is_sentence(part->help))
        fail_msg("part %s: bad name or help: %s", part->name, part->help);
    assert_int_equal(part->conf_size > 0, part->options != NULL);
    for (const struct option *o = part->options; o != NULL && o->type != OPTION_END; o++) {
        check_option(part, o);
        for (const struct option *other = part->options; other != o; other++) {
            if (strcmp(other->name, o->name) == 0 || other->offset == o->offset)
                fail_msg("%s.%s and %s share a name or a field", part->name, o->name, other->name);
        }
    }
}

#define PARTS_MAX 64

static size_t list_parts(const struct part *parts[PARTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; registry_steps[i] != NULL; i++)
        parts[n++] = registry_steps[i];
    for (size_t i = 0; registry_inputs[i] != NULL; i++)
        parts[n++] = &registry_inputs[i]->part;
    for (size_t i = 0; registry_detectors[i] != NULL; i++)
        parts[n++] = &registry_detectors[i]->part;
    for (size_t i = 0; registry_outputs[i] != NULL; i++)
        parts[n++] = &registry_outputs[i]->part;
    return n;
}

static void every_part_has_a_name_help_and_sound_settings(void **state)
{
    (void)state;
    const struct part *parts[PARTS_MAX];
    size_t n = list_parts(parts);
    for (size_t i = 0; i < n; i++)
        check_part(parts[i]);
}

static void no_two_parts_share_a_section(void **state)
{
    (void)state;
    const struct part *parts[PARTS_MAX];
    size_t n = list_parts(parts);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(parts[i]->name, parts[j]->name);
    }
}

static void parts_are_in_the_order_of_parts_def(void **state)
{
    (void)state;
    static const char *const names[] = {
#define PART(step, name) #name,
#include "parts.def"
#undef PART
    };
    const struct part *parts[PARTS_MAX];
    size_t n = list_parts(parts), steps = 0;
    while (registry_steps[steps] != NULL)
        steps++;
    assert_int_equal(n - steps, sizeof names / sizeof *names);
    for (size_t i = 0; i < n - steps; i++) {
        const char *name = parts[steps + i]->name;
        for (size_t c = 0; name[c] != '\0' || names[i][c] != '\0'; c++)
            assert_int_equal(name[c] == '-' ? '_' : name[c], names[i][c]);
    }
}

static void every_part_can_do_its_work(void **state)
{
    (void)state;
    for (size_t i = 0; registry_inputs[i] != NULL; i++) {
        assert_non_null(registry_inputs[i]->recognise);
        assert_non_null(registry_inputs[i]->decode);
    }
    for (size_t i = 0; registry_detectors[i] != NULL; i++) {
        assert_int_equal(registry_detectors[i]->technique[0], 'T');
        assert_non_null(registry_detectors[i]->score);
        assert_non_null(registry_detectors[i]->explain);
    }
    for (size_t i = 0; registry_outputs[i] != NULL; i++) {
        const struct output *output = registry_outputs[i];
        assert_true(output->wanted != NULL && output->open != NULL && output->close != NULL);
        assert_true(output->incident != NULL || output->metrics != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_has_a_name_help_and_sound_settings),
        cmocka_unit_test(no_two_parts_share_a_section),
        cmocka_unit_test(parts_are_in_the_order_of_parts_def),
        cmocka_unit_test(every_part_can_do_its_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
