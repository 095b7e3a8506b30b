/* SPDX-License-Identifier: MIT */
/* test_model_kinds.c - models of each kind, with thresholds of 4 and 8 bytes, come to what a plain
 * walk in doubles comes to, bit for bit; their golden rows are drawn to be hard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "model_image.h"

static const struct sketch sketches[] = {
    {MODEL_ISOLATION, 4, 0, 5, 20, 40}, {MODEL_ISOLATION, 8, 0, 5, 20, 40},
    {MODEL_CLASSES, 4, 2, 20, 17, 60},  {MODEL_CLASSES, 8, 2, 20, 17, 60},
    {MODEL_CLASSES, 4, 64, 3, 8, 30},   {MODEL_CLASSES, 8, 5, 30, 33, 40},
    {MODEL_BOOSTED, 4, 2, 7, 50, 20},   {MODEL_BOOSTED, 8, 2, 7, 50, 20},
    {MODEL_BOOSTED, 4, 3, 12, 48, 20},  {MODEL_BOOSTED, 8, 7, 12, 49, 20},
    {MODEL_CLASSES, 4, 2, 1, 1, 0},     {MODEL_BOOSTED, 8, 2, 1, 1, 0},
};

#define SKETCHES (sizeof sketches / sizeof *sketches)

static struct model_file *parse(const struct image *image)
{
    struct model_file *file = NULL;
    eddy_error err = {0};
    if (model_file_parse(image->bytes, image->length, &file, NULL, &err) != EDDY_OK)
        fail_msg("%s", err.message);
    return file;
}

static void each_kind_comes_to_what_a_plain_walk_comes_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKETCHES; i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct drawing *d = drawing_new(&sketches[i], seed);
            struct image *image = drawing_image(d);
            struct model_file *file = parse(image);
            assert_int_equal(file->model.kind, d->kind);
            assert_int_equal(file->model.forest.outputs, d->outputs);
            assert_int_equal(file->model.forest.trees, d->trees);
            assert_int_equal(file->ruler != NULL, d->threshold_size == 8);
            for (uint32_t row = 0; row < d->rows; row++) {
                double ours[FOREST_OUTPUTS], theirs[FOREST_OUTPUTS];
                float x[FOREST_COLUMNS + 1];
                model_own_row(&file->model, d->row[row], x);
                model_sums(&file->model, x, ours);
                drawn_sums(d, d->row[row], theirs);
                assert_memory_equal(ours, theirs, d->outputs * sizeof *ours);
            }
            model_file_free(file);
            free(image);
            free(d);
        }
    }
}

static void golden_rows_that_are_off_by_one_bit_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKETCHES; i++) {
        struct drawing *d = drawing_new(&sketches[i], 9);
        struct image *image = drawing_image(d);
        size_t entry = 0, gold = image_section(image, "GOLD", &entry);
        size_t last = gold + 8 + ((size_t)d->rows * (d->width + d->outputs) - 1) * 8;
        image->bytes[last] ^= 1; /* the last sum's last bit */
        image_seal(image);
        struct model_file *file = NULL;
        enum model_fault fault = MODEL_FINE;
        assert_int_equal(model_file_parse(image->bytes, image->length, &file, &fault, NULL),
                         EDDY_EINPUT);
        assert_int_equal(fault, MODEL_GOLDEN_ROWS);
        free(image);
        free(d);
    }
}

static void what_a_classifier_knows_is_read(void **state)
{
    (void)state;
    struct drawing *d = drawing_new(&sketches[9], 1);
    d->benign = 6;
    struct image *image = drawing_image(d);
    struct model_file *file = parse(image);
    const struct model_classes *classes = file->model.classes;
    assert_int_equal(classes->count, 7);
    assert_int_equal(classes->benign, 6);
    assert_true(classes->alert == 0.75 && classes->weight == 200.0);
    assert_string_equal(classes->of[1].name, "Ba");
    assert_string_equal(classes->of[1].technique, "T1046");
    assert_string_equal(classes->of[2].technique, "");
    assert_memory_equal(classes->base, d->base, 7 * sizeof *d->base);
    model_file_free(file);
    free(image);
    free(d);
}

/* The answers by their definition in models/README.md. */
static void answer_plainly(const struct drawing *d, const double *sums, double *out)
{
    double all = 0.0;
    if (d->kind == MODEL_ISOLATION)
        out[0] = pow(2.0, -sums[0] / (d->trees * d->normaliser));
    for (uint32_t i = 0; i < d->classes && d->kind == MODEL_CLASSES; i++)
        out[i] = sums[i] / d->trees;
    if (d->kind == MODEL_BOOSTED && d->classes == 2) {
        out[1] = 1.0 / (1.0 + exp(-sums[0]));
        out[0] = 1.0 - out[1];
    }
    for (uint32_t i = 0; i < d->classes && d->kind == MODEL_BOOSTED && d->classes > 2; i++)
        all += out[i] = exp(sums[i]);
    for (uint32_t i = 0; i < d->classes && all > 0.0; i++)
        out[i] /= all;
}

static void answers_are_as_models_readme_defines_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKETCHES; i++) {
        struct drawing *d = drawing_new(&sketches[i], 3);
        struct image *image = drawing_image(d);
        struct model_file *file = parse(image);
        uint32_t outputs = model_outputs(&file->model);
        assert_int_equal(outputs, d->classes > 0 ? d->classes : 1);
        for (uint32_t row = 0; row < d->rows; row++) {
            double sums[FOREST_OUTPUTS], ours[FOREST_OUTPUTS], theirs[FOREST_OUTPUTS];
            float x[FOREST_COLUMNS + 1];
            model_own_row(&file->model, d->row[row], x);
            model_answer(&file->model, x, ours);
            drawn_sums(d, d->row[row], sums);
            answer_plainly(d, sums, theirs);
            for (uint32_t at = 0; at < outputs; at++)
                assert_true(fabs(ours[at] - theirs[at]) <= 1e-14);
            double score = d->classes > 0 ? 1.0 - theirs[d->benign] : theirs[0];
            assert_true(fabs(model_score(&file->model, x) - score) <= 1e-14);
        }
        model_file_free(file);
        free(image);
        free(d);
    }
}

static void a_section_of_a_later_version_is_passed_over(void **state)
{
    (void)state;
    struct drawing *d = drawing_new(&sketches[2], 1);
    struct image *image = drawing_image(d);
    size_t table = 64 + 7 * 16;
    memmove(image->bytes + table + 16, image->bytes + table, image->length - table);
    memcpy(image->bytes + table, "NEXT\0\0\0\0\5\0\0\0\0\0\0", 16);
    image->length += 16;
    image_put(image, 0x0102030405, 8); /* its contents, 5 bytes and padding */
    image_set(image, 10, 7, 2);
    image_set(image, 12, 8, 4);
    image_seal(image);
    model_file_free(parse(image));
    image_put(image, 0, 8); /* but what is in no section may not be there */
    image_seal(image);
    struct model_file *file = NULL;
    assert_int_equal(model_file_parse(image->bytes, image->length, &file, NULL, NULL), EDDY_EINPUT);
    free(image);
    free(d);
}

/* Seeds for fuzz_model, as small as they can be: `test_model_kinds tests/fuzz/corpus/model`. */
static int write_seeds(const char *folder)
{
    for (size_t i = 0; i < SKETCHES; i++) {
        struct sketch sketch = sketches[i];
        char path[4096];
        sketch.trees = sketch.trees > 3 ? 3 : sketch.trees;
        sketch.splits = sketch.splits > 5 ? 5 : sketch.splits;
        struct drawing *d = drawing_new(&sketch, 1);
        d->rows = 2;
        struct image *image = drawing_image(d);
        (void)snprintf(path, sizeof path, "%s/kind%u-%u-bytes-%u.eddy", folder, (unsigned)d->kind,
                       (unsigned)d->threshold_size, (unsigned)d->classes);
        FILE *to = fopen(path, "w");
        bool good = to != NULL && fwrite(image->bytes, 1, image->length, to) == image->length;
        if (to == NULL || fclose(to) != 0 || !good)
            return 1;
        free(image);
        free(d);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return write_seeds(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_comes_to_what_a_plain_walk_comes_to),
        cmocka_unit_test(golden_rows_that_are_off_by_one_bit_are_refused),
        cmocka_unit_test(what_a_classifier_knows_is_read),
        cmocka_unit_test(answers_are_as_models_readme_defines_them),
        cmocka_unit_test(a_section_of_a_later_version_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
