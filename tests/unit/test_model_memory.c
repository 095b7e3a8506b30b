/* SPDX-License-Identifier: MIT */
/* test_model_memory.c - what a model file may make us allocate: a little more than it is long,
 * whatever it claims; and each of these allocations may fail.
 *
 * The linker puts the functions below in the place of malloc and its kin in libeddy's objects
 * (--wrap in tests/CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>

#include "model_image.h"
#include "scratch.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t length);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t length);
void __wrap_free(void *block);

static bool counting;
static long until_failure; /* the allocation that fails, counted down; below 1: none */
static long blocks;        /* not yet freed */
static size_t held, most;  /* bytes */

static bool fails(void)
{
    return counting && until_failure-- == 1;
}

static void *count(void *block)
{
    if (counting && block != NULL) {
        held += malloc_usable_size(block);
        most = held > most ? held : most;
        blocks++;
    }
    return block;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : count(__real_calloc(n, size));
}

char *__wrap_strdup(const char *string)
{
    return fails() ? NULL : count(__real_strdup(string));
}

char *__wrap_strndup(const char *string, size_t length)
{
    return fails() ? NULL : count(__real_strndup(string, length));
}

void __wrap_free(void *block)
{
    if (counting && block != NULL) {
        held -= malloc_usable_size(block);
        blocks--;
    }
    __real_free(block);
}

/* Parses it, frees what comes; returns the bytes held at the worst moment. */
static size_t peak(const struct image *image, int *status)
{
    struct model_file *file = NULL;
    counting = true;
    held = most = 0;
    blocks = 0;
    *status = model_file_parse(image->bytes, image->length, &file, NULL, NULL);
    if (*status == EDDY_OK)
        model_file_free(file);
    counting = false;
    assert_true(blocks == 0 && held == 0);
    return most;
}

/* struct model_file, tables of fixed size, a classifier's names; the JSON reader's least. */
#define FIXED ((size_t)128 << 10)

static const struct sketch sketches[] = {
    {MODEL_ISOLATION, 4, 0, 5, 100, 400},
    {MODEL_CLASSES, 8, 2, 20, 100, 400},
    {MODEL_CLASSES, 4, 64, 20, 8, 100},
    {MODEL_BOOSTED, 8, 2, 20, 100, 400},
};

static void a_model_takes_no_more_than_twice_its_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sketches / sizeof *sketches; i++) {
        struct drawing *d = drawing_new(&sketches[i], 1);
        struct image *image = drawing_image(d);
        int status;
        assert_in_range(peak(image, &status), 1000, 2 * image->length + FIXED);
        assert_int_equal(status, EDDY_OK);
        free(image);
        free(d);
    }
}

/* Every number of every section's head, each with claims up to 4 GiB; then random bytes. */
static void a_refused_file_takes_no_more_whatever_it_claims(void **state)
{
    (void)state;
    static const char *const tags[] = {"META", "FEAT", "TREE", "CLAS",
                                       "BASE", "SCOR", "BINS", "GOLD"};
    struct drawing *d = drawing_new(&(struct sketch){MODEL_BOOSTED, 8, 3, 5, 4, 20}, 1);
    struct image *image = drawing_image(d);
    size_t worst = 0;
    int status;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        size_t entry = 0, begin = image_section(image, tags[i], &entry);
        for (size_t at = 0; at < 40; at += 4) {
            size_t place = at < 36 ? begin + at : entry;
            uint64_t was = image_number(image, place, 4);
            for (unsigned bit = 0; bit <= 32; bit++) {
                image_set(image, place, (UINT64_C(1) << bit) - 1, 4);
                image_seal(image);
                size_t took = peak(image, &status);
                worst = took > worst ? took : worst;
            }
            image_set(image, place, was, 4);
        }
    }
    assert_in_range(worst, 1000, 2 * image->length + FIXED);
    free(image);
    free(d);
}

static void each_allocation_may_fail(void **state)
{
    const char *path = scratch_path(state, "x.eddy");
    for (size_t i = 0; i < sizeof sketches / sizeof *sketches; i++) {
        struct drawing *d = drawing_new(&sketches[i], 1);
        struct image *image = drawing_image(d);
        scratch_write(path, (const char *)image->bytes, image->length);
        long n = 0;
        for (int status = EDDY_ENOMEM; status != EDDY_OK;) {
            struct model_file *file = NULL;
            enum model_fault fault = MODEL_FINE;
            assert_true(n < 100);
            blocks = 0;
            held = 0;
            until_failure = ++n;
            counting = true;
            status = model_file_load(path, &file, &fault, NULL);
            if (status == EDDY_OK)
                model_file_free(file);
            counting = false;
            until_failure = 0;
            assert_int_equal(blocks, 0);
            assert_true(status == EDDY_OK || status == EDDY_ENOMEM);
            assert_int_equal(fault, status == EDDY_OK ? MODEL_FINE : MODEL_UNREADABLE);
        }
        assert_true(n > 7); /* as many have failed, one after the other */
        free(image);
        free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_takes_no_more_than_twice_its_file),
        cmocka_unit_test(a_refused_file_takes_no_more_whatever_it_claims),
        cmocka_unit_test_setup_teardown(each_allocation_may_fail, scratch_new, scratch_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
