/* SPDX-License-Identifier: MIT */
/* test_model_hostile.c - model files by one who knows the format and can work out a SHA-256: each
 * is refused, and why is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_image.h"

static const struct sketch isolation = {MODEL_ISOLATION, 4, 0, 5, 4, 20};
static const struct sketch classes = {MODEL_CLASSES, 4, 3, 5, 4, 20};
static const struct sketch boosted = {MODEL_BOOSTED, 8, 3, 5, 4, 20};

#define LONG_31 "a name or version of 31 letters"
#define LONG_63 LONG_31 LONG_31 "."

static void is_refused(const struct image *image, const char *says, int line)
{
    struct model_file *file = NULL;
    enum model_fault fault = MODEL_FINE;
    eddy_error err = {0};
    int status = model_file_parse(image->bytes, image->length, &file, &fault, &err);
    if (status != EDDY_EINPUT || fault != MODEL_MALFORMED || strstr(err.message, says) == NULL)
        fail_msg("line %d: status %d, %s: '%s', not '%s'", line, status, model_fault_names[fault],
                 err.message, says);
}

static void drawing_is_refused(struct drawing *d, const char *says, int line)
{
    struct image *image = drawing_image(d);
    is_refused(image, says, line);
    free(image);
    free(d);
}

/* With a change to the drawing `d`. */
#define REFUSED(sketch, harm, says)                                                                \
    do {                                                                                           \
        struct drawing *d = drawing_new(&(sketch), 1);                                             \
        harm;                                                                                      \
        drawing_is_refused(d, says, __LINE__);                                                     \
    } while (0)

static void walks_that_leave_their_tree_or_do_not_end(void **state)
{
    (void)state;
    static const char own[] = "children are not its own", order[] = "not one after the other";
    REFUSED(boosted, d->node[0].left = 0, own);
    REFUSED(boosted, d->node[1].left = 0, own);             /* back to its parent */
    REFUSED(boosted, d->node[0].left = 2, "has no parent"); /* it had 1 and 2 */
    REFUSED(boosted, d->node[1].column = 0; d->node[1].left = 3; d->node[2] = d->node[1], own);
    REFUSED(boosted, d->node[1].column = d->node[2].column = 0; d->node[1].left = 3;
            d->node[2].left = 4, own);
    REFUSED(boosted, d->node[1].column = d->node[2].column = 0; d->node[1].left = 4;
            d->node[2].left = 3, own);
    REFUSED(boosted, d->node[0].left = d->root[1] - 1, own); /* the right one is another tree's */
    REFUSED(boosted, d->node[0].left = d->root[1], own);
    REFUSED(boosted, d->node[d->root[1]].left = 1, own);
    REFUSED(boosted, d->node[d->root[3]].left = d->nodes - 1, own);
    REFUSED(boosted, d->node[0].left = d->nodes, own);
    REFUSED(boosted, d->node[0].left = UINT32_MAX, own);
    REFUSED(boosted, d->node[0].left = UINT32_MAX - 1, own);
    REFUSED(boosted, d->node[0].column = DRAWN_LEAF; d->node[0].left = 0, "has no parent");
    REFUSED(boosted, d->root[0] = 1, order);
    REFUSED(boosted, d->root[1] = 0, order);
    REFUSED(boosted, d->root[2] = d->root[1], order);
    REFUSED(boosted, d->root[3] = d->nodes, "no parent");
    REFUSED(boosted, d->root[2] = UINT32_MAX, order);
    REFUSED(boosted, d->root[1]++, "no parent");
}

static void splits_on_what_is_none(void **state)
{
    (void)state;
    static const char says[] = "splits on what is no column, or at what is no number";
    const struct sketch *both[] = {&classes, &boosted}; /* thresholds of 4 and 8 bytes */
    for (size_t i = 0; i < 2; i++) {
        REFUSED(*both[i], d->node[0].column = d->width, says);
        REFUSED(*both[i], d->node[0].column = 255, says);
        REFUSED(*both[i], d->node[0].column = UINT32_MAX - 1, says); /* and missing goes left */
        REFUSED(*both[i], d->node[0].column = DRAWN_LEFT | d->width, says);
        REFUSED(*both[i], d->node[0].threshold = NAN, says);
        REFUSED(*both[i], d->node[0].threshold = INFINITY, says);
        REFUSED(*both[i], d->node[0].threshold = -INFINITY, says);
    }
}

static void leaves_that_are_none(void **state)
{
    (void)state;
    REFUSED(classes, d->node[d->nodes - 1].left = d->leaves, "no value");
    REFUSED(classes, d->node[d->nodes - 1].left = UINT32_MAX, "no value");
    REFUSED(classes, d->value[5] = NAN, "shares are not in 0..1");
    REFUSED(classes, d->value[5] = 1.5, "shares are not in 0..1");
    REFUSED(classes, d->value[5] = -0.1, "shares are not in 0..1");
    REFUSED(classes, d->value[3] = d->value[4] = d->value[5] = 0.3, "do not add up to 1");
    REFUSED(isolation, d->value[0] = -1.0, "no path length");
    REFUSED(isolation, d->value[0] = NAN, "no path length");
    REFUSED(isolation, d->value[0] = 2e6, "no path length");
    REFUSED(boosted, d->value[0] = INFINITY, "beyond a million, or no number");
    REFUSED(boosted, d->value[0] = NAN, "beyond a million, or no number");
    REFUSED(boosted, d->value[0] = -2e6, "beyond a million, or no number");
}

static void heads_that_can_not_be(void **state)
{
    (void)state;
    static const char kind[] = "of a kind this eddy does not walk",
                      none[] = "no trees, or too many";
    REFUSED(classes, d->kind = 0, kind);
    REFUSED(classes, d->kind = 4, kind);
    REFUSED(classes, d->kind = MODEL_ISOLATION, kind); /* with three outputs */
    REFUSED(classes, d->outputs = 1, kind);
    REFUSED(classes, d->outputs = 0, kind);
    REFUSED(boosted, d->outputs = 2, kind);
    REFUSED(classes, d->outputs = 65; d->leaves = 1, kind);
    REFUSED(classes, d->normaliser = 2.0, none);
    REFUSED(classes, d->normaliser = NAN, none);
    REFUSED(isolation, d->normaliser = 0.5, none);
    REFUSED(isolation, d->normaliser = NAN, none);
    REFUSED(isolation, d->normaliser = INFINITY, none);
    REFUSED(classes, d->trees = 0, none);
    REFUSED(classes, d->leaves = 0, none);
    REFUSED(classes, d->leaves = d->nodes + 1, none);
    REFUSED(classes, d->width = 0, "no features, or too many");
    REFUSED(classes, d->rows = 0, "no golden rows");
}

static void classes_that_can_not_be(void **state)
{
    (void)state;
    static const char count[] = "do not tell as many classes apart", name[] = "not printable";
    static const char missing[] = "a section is missing, or of another kind";
    static const char range[] = "alert or weight is out of range", base[] = "sums";
    REFUSED(classes, d->classes = 0, missing);
    REFUSED(classes, d->classes = 1, count);
    REFUSED(classes, d->classes = 2, count);
    REFUSED(classes, d->classes = 65, count);
    REFUSED(classes, d->outputs = 64; d->leaves = 60, "not"); /* 3 names, 64 outputs */
    REFUSED(classes, d->benign = 3, "none of its classes");
    REFUSED(classes, d->benign = UINT32_MAX, "none of its classes");
    REFUSED(classes, d->alert = 1.0001, range);
    REFUSED(classes, d->alert = -0.1, range);
    REFUSED(classes, d->alert = NAN, range);
    REFUSED(classes, d->weight = 0.5, range);
    REFUSED(classes, d->weight = 2e6, range);
    REFUSED(classes, d->weight = NAN, range);
    REFUSED(classes, d->name[1][0] = '\0', name);
    REFUSED(classes, d->name[1][0] = '\n', name);
    REFUSED(classes, d->name[1][0] = '\x1b', name);
    REFUSED(classes, memset(d->name[1], 'x', 64), name);
    REFUSED(classes, memset(d->technique[1], 'T', 16), name);
    REFUSED(classes, memcpy(d->name[2], d->name[1], 3), "one name");
    REFUSED(classes, d->bases = 3, missing);
    REFUSED(isolation, d->classes = 2, missing);
    REFUSED(boosted, d->bases = 0, missing);
    REFUSED(boosted, d->bases = 2, base);
    REFUSED(boosted, d->bases = 4, base);
    REFUSED(boosted, d->base[2] = NAN, base);
    REFUSED(boosted, d->base[2] = 2e6, base);
}

static void metadata_features_and_scores_that_can_not_be(void **state)
{
    (void)state;
    static const char object[] = "no JSON object on one line",
                      damaged[] = "damaged, or has no name";
    REFUSED(classes, d->metadata = "", object);
    REFUSED(classes, d->metadata = "[1]", object);
    REFUSED(classes, d->metadata = "{\"name\":\n\"x\"}", object);
    REFUSED(classes, d->metadata = "{}", damaged);
    REFUSED(classes, d->metadata = "{\"name\":\"\"}", damaged);
    REFUSED(classes, d->metadata = "{\"name\":\"x\",}", damaged);
    REFUSED(classes, d->metadata = "{\"name\":\"\xff\"}", damaged);
    REFUSED(classes, d->metadata = "{\"name\":{\"name\":\"x\"}}", damaged);
    static const char unfit[] = "its name or version is too long, or not printable ASCII";
    REFUSED(classes, d->metadata = "{\"name\":\"" LONG_63 "x\"}", unfit);
    REFUSED(classes, d->metadata = "{\"name\":\"b\xc3\xbcro\"}", unfit);
    REFUSED(classes, d->metadata = "{\"name\":\"b\\u00fcro\"}", unfit);
    REFUSED(classes, d->metadata = "{\"name\":\"a\\nb\"}", unfit);
    REFUSED(classes, d->metadata = "{\"name\":\"x\",\"version\":\"" LONG_31 "x\"}", unfit);
    REFUSED(classes, d->metadata = "{\"name\":\"x\",\"version\":\"\x7f\"}", unfit);
    REFUSED(classes, d->column[1] = d->column[0], "a feature comes twice");
    REFUSED(classes, d->held_out = 0, "too few flows");
    REFUSED(classes, d->held_out = UINT32_MAX, "too many");
}

static void is_taken(const struct image *image)
{
    struct model_file *file = NULL;
    eddy_error err = {0};
    if (model_file_parse(image->bytes, image->length, &file, NULL, &err) != EDDY_OK)
        fail_msg("%s", err.message);
    model_file_free(file);
}

static void the_longest_name_and_version_are_taken(void **state)
{
    (void)state;
    struct drawing *d = drawing_new(&classes, 1);
    d->metadata = "{\"name\":\"" LONG_63 "\",\"version\":\"" LONG_31 "\"}";
    struct image *image = drawing_image(d);
    is_taken(image);
    free(image);
    free(d);
}

static char *long_metadata(size_t length)
{
    char *text = malloc(length + 1);
    assert_non_null(text);
    memset(text, ' ', length);
    memcpy(text, "{\"name\":\"x\"", 11);
    text[length - 1] = '}';
    text[length] = '\0';
    return text;
}

static void metadata_is_at_most_a_mebibyte(void **state)
{
    (void)state;
    char *fits = long_metadata((size_t)1 << 20), *more = long_metadata(((size_t)1 << 20) + 1);
    struct drawing *d = drawing_new(&classes, 1);
    d->metadata = fits;
    struct image *image = drawing_image(d);
    struct model_file *file = NULL;
    assert_int_equal(model_file_parse(image->bytes, image->length, &file, NULL, NULL), EDDY_OK);
    model_file_free(file);
    free(image);
    d->metadata = more;
    drawing_is_refused(d, "no JSON object", __LINE__);
    free(fits);
    free(more);
}

/* Each claim in front of what it is about: 4 GiB of trees, nodes, leaves, rows, names. */
static void claims_of_more_than_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *tag;
        size_t at;
    } claims[] = {{"FEAT", 0},  {"TREE", 4}, {"TREE", 8},  {"TREE", 12}, {"TREE", 24},
                  {"TREE", 28}, {"CLAS", 0}, {"SCOR", 0},  {"BINS", 0},  {"BINS", 4},
                  {"GOLD", 0},  {"GOLD", 4}, {"TREE", 32}, {"CLAS", 4}};
    static const uint32_t numbers[] = {0, 1u << 20, 1u << 24, 1u << 31, UINT32_MAX};
    struct drawing *d = drawing_new(&boosted, 1);
    struct image *image = drawing_image(d);
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        size_t entry = 0, at = image_section(image, claims[i].tag, &entry) + claims[i].at;
        uint64_t was = image_number(image, at, 4);
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            if (numbers[n] == was)
                continue;
            if (numbers[n] == 0 && strcmp(claims[i].tag, "CLAS") == 0 && claims[i].at == 4)
                continue; /* class 0 is one, too */
            image_set(image, at, numbers[n], 4);
            image_seal(image);
            is_refused(image, "", __LINE__);
        }
        image_set(image, at, was, 4);
    }
    free(image);
    free(d);
}

/* One leaf less than there are values, one more. */
static void trees_longer_or_shorter_than_they_say(void **state)
{
    (void)state;
    struct drawing *d = drawing_new(&boosted, 1);
    struct image *image = drawing_image(d);
    size_t entry = 0, tree = image_section(image, "TREE", &entry);
    for (uint32_t field = 8; field <= 12; field += 4) { /* nodes, leaves */
        uint64_t was = image_number(image, tree + field, 4);
        image_set(image, tree + field, was - 1, 4);
        image_seal(image);
        is_refused(image, "not as long as they say", __LINE__);
        image_set(image, tree + field, was + 1, 4);
        image_seal(image);
        is_refused(image, "not as long as they say", __LINE__);
        image_set(image, tree + field, was, 4);
    }
    free(image);
    free(d);
}

/* 2^23 leaves of 64 numbers are 2^32 bytes: 0, to whom counts in 32 bits. */
static void leaves_times_outputs_do_not_overflow(void **state)
{
    (void)state;
    const uint32_t many = UINT32_C(1) << 23;
    struct drawing *d = drawing_new(&(struct sketch){MODEL_CLASSES, 4, 64, 5, 1, 0}, 1);
    struct image *image = drawing_image(d);
    size_t entry = 0, tree = image_section(image, "TREE", &entry);
    size_t next = image_section(image, "CLAS", &entry), length = 40 - 4 + (size_t)many * 16;
    size_t whole = tree + (length + 7) / 8 * 8 + image->length - next;
    (void)image_section(image, "TREE", &entry);
    image_set(image, tree + 8, many, 4);
    image_set(image, tree + 12, many, 4);
    image_set(image, entry, length, 8);
    image_set(image, 16, whole, 8);
    unsigned char *bytes = calloc(1, whole);
    assert_non_null(bytes);
    memcpy(bytes, image->bytes, tree + 36);
    memcpy(bytes + whole - (image->length - next), image->bytes + next, image->length - next);
    assert_true(sha256_of(bytes + 64, whole - 64, bytes + 24));
    struct model_file *file = NULL;
    eddy_error err = {0};
    assert_int_equal(model_file_parse(bytes, whole, &file, NULL, &err), EDDY_EINPUT);
    assert_string_equal(err.message, "its trees are not as long as they say");
    free(bytes);
    free(image);
    free(d);
}

static void sections_that_overlap_repeat_or_lack(void **state)
{
    (void)state;
    static const char *const tags[] = {"META", "FEAT", "TREE", "CLAS",
                                       "BASE", "SCOR", "BINS", "GOLD"};
    static const uint64_t lengths[] = {
        0, 1, UINT64_MAX, UINT64_MAX - 6, UINT64_C(1) << 63, UINT64_C(1) << 32};
    struct drawing *d = drawing_new(&boosted, 1);
    struct image *image = drawing_image(d);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        size_t entry = 0;
        (void)image_section(image, tags[i], &entry);
        uint64_t was = image_number(image, entry, 8);
        for (size_t n = 0; n < sizeof lengths / sizeof *lengths + 2; n++) {
            image_set(image, entry, n < 6 ? lengths[n] : n == 6 ? was - 8 : was + 8, 8);
            image_seal(image);
            is_refused(image, "", __LINE__);
        }
        image_set(image, entry, was, 8);
        memcpy(image->bytes + entry - 8, "XXXX", 4);
        image_seal(image);
        is_refused(image, "missing", __LINE__);
        memcpy(image->bytes + entry - 8, tags[i == 0 ? 1 : 0], 4);
        image_seal(image);
        is_refused(image, "twice", __LINE__);
        memcpy(image->bytes + entry - 8, tags[i], 4);
    }
    free(image);
    free(d);
}

/* Each byte that is 0 by the format, as another number. */
static void what_is_not_0_where_0_should_be(void **state)
{
    (void)state;
    struct drawing *d = drawing_new(&boosted, 1); /* nodes of 24 bytes */
    struct image *image = drawing_image(d);
    size_t entry = 0, feat = image_section(image, "FEAT", &entry), table = entry - 8;
    size_t padding = feat + (size_t)image_number(image, entry, 8);
    size_t node = image_section(image, "TREE", &entry) + 32 + 4 * (size_t)d->trees + 20;
    const struct {
        size_t at;
        const char *says;
    } zeros[] = {{56, "in its header"},     {63, "in its header"},   {table + 4, "its tag"},
                 {table + 7, "its tag"},    {padding, "its tag"},    {feat + 4, "its fingerprint"},
                 {feat + 7, "fingerprint"}, {node, "behind a node"}, {node + 3, "behind a node"}};
    assert_true(padding % 8 != 0);
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        assert_int_equal(image->bytes[zeros[i].at], 0);
        image->bytes[zeros[i].at] = 1;
        image_seal(image);
        is_refused(image, zeros[i].says, __LINE__);
        image->bytes[zeros[i].at] = 0;
    }
    image_seal(image);
    is_taken(image);
    free(image);
    free(d);
}

/* SCOR and BINS, which follow each other, change places, in the table and as bodies. */
static void sections_in_another_order(void **state)
{
    (void)state;
    struct drawing *d = drawing_new(&boosted, 1);
    struct image *image = drawing_image(d), *other = calloc(1, sizeof *other);
    size_t first = 0, second = 0, at = image_section(image, "SCOR", &first);
    size_t middle = image_section(image, "BINS", &second), end = image_section(image, "GOLD", &at);
    at = image_section(image, "SCOR", &first);
    assert_non_null(other);
    *other = *image;
    memcpy(other->bytes + first - 8, image->bytes + second - 8, 16);
    memcpy(other->bytes + second - 8, image->bytes + first - 8, 16);
    memcpy(other->bytes + at, image->bytes + middle, end - middle);
    memcpy(other->bytes + at + end - middle, image->bytes + at, middle - at);
    image_seal(other);
    is_refused(other, "not in their order", __LINE__);
    free(other);
    free(image);
    free(d);
}

/* With so many copies of the golden row, which is the last thing in it. */
static void repeat_golden(struct image *image, uint32_t rows)
{
    size_t entry = 0, gold = image_section(image, "GOLD", &entry), row = gold + 8;
    size_t length = image->length - row;
    for (uint32_t i = 1; i < rows; i++, image->length += length)
        memcpy(image->bytes + row + i * length, image->bytes + row, length);
    image_set(image, gold, rows, 4);
    image_set(image, entry, image->length - gold, 8);
    image_seal(image);
}

static void golden_rows_are_bounded(void **state)
{
    (void)state;
    struct drawing *d = drawing_new(&boosted, 1);
    d->rows = 1;
    struct image *image = drawing_image(d), *more = calloc(1, sizeof *more);
    assert_non_null(more);
    *more = *image;
    repeat_golden(image, MODEL_GOLDEN_MOST);
    is_taken(image);
    repeat_golden(more, MODEL_GOLDEN_MOST + 1);
    is_refused(more, "more than 4096 golden rows", __LINE__);
    free(more);
    free(image);
    free(d);
}

/* Of depths that add up to so many splits. */
static struct drawing *deep(uint32_t trees, uint32_t depth, uint32_t rest)
{
    struct drawing *d = drawing_new(&boosted, 1);
    d->trees = d->nodes = 0;
    d->leaves = d->rows = 1;
    d->threshold_size = 4;
    for (uint32_t i = 0; i < trees; i++)
        drawing_chain(d, depth);
    drawing_chain(d, rest);
    memset(d->value, 0, 3 * sizeof *d->value);
    return d;
}

static void the_steps_of_a_flow_are_bounded(void **state)
{
    (void)state;
    struct drawing *d = deep(257, 255, 1); /* 65536 */
    struct image *image = drawing_image(d);
    struct model_file *file = NULL;
    eddy_error err = {0};
    if (model_file_parse(image->bytes, image->length, &file, NULL, &err) != EDDY_OK)
        fail_msg("%s", err.message);
    model_file_free(file);
    free(image);
    free(d);
    drawing_is_refused(deep(257, 255, 2), "more steps than a flow may", __LINE__);
    drawing_is_refused(deep(1, 256, 1), "too deep", __LINE__);
    drawing_is_refused(deep(1, 30000, 1), "too deep", __LINE__);
    drawing_is_refused(deep(1023, 65, 1), "more steps than a flow may", __LINE__);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_that_leave_their_tree_or_do_not_end),
        cmocka_unit_test(splits_on_what_is_none),
        cmocka_unit_test(leaves_that_are_none),
        cmocka_unit_test(heads_that_can_not_be),
        cmocka_unit_test(classes_that_can_not_be),
        cmocka_unit_test(metadata_features_and_scores_that_can_not_be),
        cmocka_unit_test(metadata_is_at_most_a_mebibyte),
        cmocka_unit_test(the_longest_name_and_version_are_taken),
        cmocka_unit_test(what_is_not_0_where_0_should_be),
        cmocka_unit_test(sections_in_another_order),
        cmocka_unit_test(golden_rows_are_bounded),
        cmocka_unit_test(claims_of_more_than_there_is),
        cmocka_unit_test(trees_longer_or_shorter_than_they_say),
        cmocka_unit_test(leaves_times_outputs_do_not_overflow),
        cmocka_unit_test(sections_that_overlap_repeat_or_lack),
        cmocka_unit_test(the_steps_of_a_flow_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
