/* SPDX-License-Identifier: MIT */
/* test_model_file.c - what is written is read back bit for bit; whatever else comes is refused, and
 * what is in use stays. */
#include "engine.h"
#include "model/model_file.h"
#include "model/sha256.h"
#include "pipeline.h"
#include "random.h"
#include "scratch.h"
#include "worker.h"

static const enum column columns[] = {COLUMN_duration, COLUMN_bytes_out, COLUMN_tcp};
static const struct nursery_conf conf = {.trees = 20, .samples = 64, .retrain_us = 86400000000};
static const char metadata[] =
    "{\"name\":\"office\",\"version\":\"1.2\",\"trained_us\":1700000000000000}";

static struct nursery *grown(uint64_t seed)
{
    struct nursery *n = calloc(1, sizeof *n);
    struct rng rng = {seed};
    assert_non_null(n);
    nursery_begin(n, columns, 3);
    for (unsigned i = 0; i < 2000; i++) {
        float row[4] = {(float)(20 * rng_uniform(&rng)), (float)rng_exponential(&rng),
                        (float)rng_below(&rng, 2), 0.0f};
        nursery_add(n, row);
    }
    assert_true(nursery_finish(n, &conf, 1));
    return n;
}

/* The bytes of a model file, and their length. */
struct image {
    size_t length;
    unsigned char bytes[200000];
};

static struct image *image_at(const char *path)
{
    struct image *image = calloc(1, sizeof *image);
    FILE *file = fopen(path, "r");
    assert_true(image != NULL && file != NULL);
    image->length = fread(image->bytes, 1, sizeof image->bytes, file);
    (void)fclose(file);
    assert_in_range(image->length, 1000, sizeof image->bytes - 1);
    return image;
}

static const char *write_model(void **state, uint64_t seed)
{
    static char path[4400];
    (void)snprintf(path, sizeof path, "%s", scratch_path(state, "office.eddy"));
    struct nursery *n = grown(seed);
    assert_int_equal(model_file_write(n, metadata, path, NULL), EDDY_OK);
    free(n);
    return path;
}

static void set_digest(struct image *image)
{
    assert_true(sha256_of(image->bytes + 64, image->length - 64, image->bytes + 24));
}

static enum model_fault parse(const struct image *image)
{
    struct model_file *file = NULL;
    enum model_fault fault = MODEL_FAULT_COUNT;
    eddy_error err = {0};
    int status = model_file_parse(image->bytes, image->length, &file, &fault, &err);
    assert_true((status == EDDY_OK) == (fault == MODEL_FINE));
    assert_true(status == EDDY_OK || err.message[0] != '\0');
    if (status == EDDY_OK)
        model_file_free(file);
    return fault;
}

/* Where a section's contents begin. */
static size_t section_at(const struct image *image, unsigned number)
{
    size_t at = 64 + 6 * 16;
    for (unsigned i = 0; i < number; i++) {
        uint64_t length = 0;
        for (unsigned byte = 8; byte-- > 0;)
            length = length << 8 | image->bytes[64 + i * 16 + 8 + byte];
        at += (length + 7) / 8 * 8;
    }
    return at;
}

enum { META, FEAT, TREE, SCOR, BINS, GOLD };

static void put_u32(struct image *image, size_t at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        image->bytes[at + i] = (unsigned char)(number >> (8 * i));
}

static uint32_t get_u32(const struct image *image, size_t at)
{
    return image->bytes[at] | (uint32_t)image->bytes[at + 1] << 8 |
           (uint32_t)image->bytes[at + 2] << 16 | (uint32_t)image->bytes[at + 3] << 24;
}

/* ---- */

static void sha256_is_that_of_the_standard(void **state)
{
    (void)state;
    uint8_t digest[SHA256_SIZE];
    char hex[65];
    assert_true(sha256_of("abc", 3, digest)); /* FIPS 180-4's example */
    sha256_hex(digest, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void what_is_written_is_read_back_bit_for_bit(void **state)
{
    const char *path = write_model(state, 1);
    struct nursery *n = grown(1);
    const struct model *ours = nursery_model(n);
    struct model_file *file;
    assert_int_equal(model_file_load(path, &file, NULL, NULL), EDDY_OK);
    assert_string_equal(file->name, "office");
    assert_string_equal(file->version, "1.2");
    assert_string_equal(file->metadata, metadata);
    assert_true(file->model.trained_us == INT64_C(1700000000000000));
    assert_int_equal(file->model.column[1], COLUMN_bytes_out);
    for (size_t i = 0; i < 2000; i++) {
        assert_true(forest_sum(&file->model.forest, n->row[i]) ==
                    forest_sum(&ours->forest, n->row[i]));
        double score = forest_score(&ours->forest, n->row[i]);
        assert_true(heldout_surprise(&file->model.heldout, score) ==
                    heldout_surprise(&ours->heldout, score));
        double here[3], there[3];
        forest_credit(&ours->forest, n->row[i], here);
        forest_credit(&file->model.forest, n->row[i], there);
        assert_memory_equal(here, there, sizeof here);
    }
    assert_memory_equal(file->model.bins, ours->bins, sizeof ours->bins);
    model_file_free(file);
    free(n);
}

static void every_cut_and_every_changed_byte_is_refused(void **state)
{
    struct image *image = image_at(write_model(state, 1));
    size_t whole = image->length;
    assert_int_equal(parse(image), MODEL_FINE);
    for (size_t i = 0; i < whole; i += i < 1000 ? 1 : 997) {
        image->length = i;
        assert_int_equal(parse(image), MODEL_DAMAGED);
    }
    image->length = whole + 1;
    assert_int_equal(parse(image), MODEL_DAMAGED);
    image->length = whole;
    for (size_t i = 0; i < whole; i += i < 1000 ? 1 : 997) {
        if (i >= 10 && i < 12) /* the minor version: later ones are read */
            continue;
        image->bytes[i] ^= 0x40;
        assert_int_not_equal(parse(image), MODEL_FINE);
        image->bytes[i] ^= 0x40;
    }
    free(image);
}

/* Changed by one who can work out a SHA-256. None may crash, loop or read outside (the sanitizers
 * look); what passes has at least given the outputs it promised. */
static void a_forger_can_not_do_harm(void **state)
{
    struct image *image = image_at(write_model(state, 1));
    struct rng rng = {8};
    unsigned refused = 0;
    for (unsigned i = 0; i < 4000; i++) {
        size_t at = 64 + (size_t)rng_below(&rng, image->length - 64);
        unsigned char was = image->bytes[at];
        image->bytes[at] = (unsigned char)rng_bits(&rng);
        set_digest(image);
        refused += parse(image) != MODEL_FINE;
        image->bytes[at] = was;
    }
    assert_true(refused > 1000);
    free(image);
}

/* What a byte-wise forger seldom hits: node 0 is split, its record begins at `node`. */
static void trees_that_are_none_are_refused(void **state)
{
    struct image *image = image_at(write_model(state, 1));
    size_t tree = section_at(image, TREE), node = tree + 32 + 20 * 4;
    static const struct {
        size_t at; /* from the node's record on */
        uint32_t number;
    } forged[] = {
        {8, 0},           /* its own child: a walk without end */
        {8, 3},           /* children that are others' */
        {8, 0xfffffff0u}, /* far outside */
        {4, 3},           /* a column that the row does not have */
        {4, 255},         /* likewise */
        {0, 0x7fc00000u}, /* NaN */
        {0, 0x7f800000u}, /* infinity */
        {4, UINT32_MAX},  /* a leaf: its children have no parent */
    };
    assert_int_not_equal(get_u32(image, node + 4), UINT32_MAX);
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        uint32_t was = get_u32(image, node + forged[i].at);
        put_u32(image, node + forged[i].at, forged[i].number);
        set_digest(image);
        assert_int_equal(parse(image), MODEL_MALFORMED);
        put_u32(image, node + forged[i].at, was);
    }
    static const uint32_t claims[] = {0, 1, 2000, UINT32_MAX, 1u << 30};
    for (size_t field = 4; field <= 12; field += 4) { /* trees, nodes, leaves */
        uint32_t was = get_u32(image, tree + field);
        for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
            put_u32(image, tree + field, claims[i]);
            set_digest(image);
            assert_int_equal(parse(image), MODEL_MALFORMED);
        }
        put_u32(image, tree + field, was);
    }
    put_u32(image, tree + 32 + 4, 1u << 30); /* the second tree's root */
    set_digest(image);
    assert_int_equal(parse(image), MODEL_MALFORMED);
    free(image);
}

/* One tree of two nodes, of which the first is its own left child: each node has one parent. */
static void a_tree_that_leads_back_to_its_root_is_refused(void **state)
{
    struct image *image = image_at(write_model(state, 1));
    size_t tree = section_at(image, TREE), next = section_at(image, SCOR);
    size_t length = 32 + 4 + 2 * 16 + 8, padded = (length + 7) / 8 * 8;
    put_u32(image, tree + 4, 1);
    put_u32(image, tree + 8, 2);
    put_u32(image, tree + 12, 1);
    memset(image->bytes + tree + 32, 0, padded - 32); /* root, split at 0 to node 0 and 1, value */
    put_u32(image, tree + 36 + 16 + 4, UINT32_MAX);
    memmove(image->bytes + tree + padded, image->bytes + next, image->length - next);
    image->length -= next - tree - padded;
    put_u32(image, 64 + TREE * 16 + 8, (uint32_t)length);
    put_u32(image, 16, (uint32_t)image->length);
    set_digest(image);
    assert_int_equal(parse(image), MODEL_MALFORMED);
    put_u32(image, tree + 36 + 4, UINT32_MAX); /* a leaf: then the other has no parent */
    set_digest(image);
    assert_int_equal(parse(image), MODEL_MALFORMED);
    free(image);
}

/* One tree of `depth` splits one below the other; each has a leaf on its right. */
static enum model_fault parse_deep(const char *path, uint32_t depth)
{
    struct image *image = image_at(path);
    size_t tree = section_at(image, TREE), next = section_at(image, SCOR);
    uint32_t nodes = 2 * depth + 1;
    size_t length = 32 + 4 + nodes * (size_t)16 + 8, padded = (length + 7) / 8 * 8;
    put_u32(image, tree + 4, 1);
    put_u32(image, tree + 8, nodes);
    put_u32(image, tree + 12, 1);
    memmove(image->bytes + tree + padded, image->bytes + next, image->length - next);
    memset(image->bytes + tree + 32, 0, padded - 32);
    for (uint32_t i = 0; i < nodes; i++) { /* 0 has 1 and 2, 1 has 3 and 4, 3 has 5 and 6 ... */
        bool splits = (i == 0 || i % 2 == 1) && i + 2 < nodes;
        size_t at = tree + 36 + i * (size_t)16;
        put_u32(image, at + 4, splits ? 0 : UINT32_MAX);
        put_u32(image, at + 8, !splits ? 0 : i == 0 ? 1 : i + 2);
    }
    image->length -= next - tree - padded;
    put_u32(image, 64 + TREE * 16 + 8, (uint32_t)length);
    put_u32(image, 16, (uint32_t)image->length);
    set_digest(image);
    enum model_fault fault = parse(image);
    free(image);
    return fault;
}

/* At 255 only the golden rows are wrong: its only leaf has the value 0. */
static void a_tree_deeper_than_255_is_refused(void **state)
{
    const char *path = write_model(state, 1);
    assert_int_equal(parse_deep(path, 255), MODEL_GOLDEN_ROWS);
    assert_int_equal(parse_deep(path, 256), MODEL_MALFORMED);
}

static void sections_that_lie_about_their_length_are_refused(void **state)
{
    struct image *image = image_at(write_model(state, 1));
    for (unsigned i = 0; i < 6; i++) {
        size_t at = 64 + i * 16 + 8;
        unsigned char was[8];
        memcpy(was, image->bytes + at, 8);
        memset(image->bytes + at, 0xff, 8);
        set_digest(image);
        assert_int_equal(parse(image), MODEL_MALFORMED);
        memset(image->bytes + at, 0, 8);
        set_digest(image);
        assert_int_equal(parse(image), MODEL_MALFORMED);
        memcpy(image->bytes + at, was, 8);
        put_u32(image, 12, i); /* fewer sections */
        set_digest(image);
        assert_int_equal(parse(image), MODEL_MALFORMED);
        put_u32(image, 12, 6);
    }
    put_u32(image, 12, UINT32_MAX);
    set_digest(image);
    assert_int_equal(parse(image), MODEL_MALFORMED);
    free(image);
}

static void other_features_and_other_outputs_are_refused(void **state)
{
    struct image *image = image_at(write_model(state, 1));
    size_t feat = section_at(image, FEAT), gold = section_at(image, GOLD);
    image->bytes[feat + 8] ^= 1; /* the fingerprint */
    set_digest(image);
    assert_int_equal(parse(image), MODEL_FEATURES);
    image->bytes[feat + 8] ^= 1;
    image->bytes[feat + 41] ^= 1; /* "duration": no column of ours */
    set_digest(image);
    assert_int_equal(parse(image), MODEL_FEATURES);
    image->bytes[feat + 41] ^= 1;
    image->bytes[gold + 8 + 3 * 8] ^= 1; /* the last bit of the first row's output */
    set_digest(image);
    assert_int_equal(parse(image), MODEL_GOLDEN_ROWS);
    free(image);
}

/* ---- in the engine ---- */

static void quiet(int level, const char *message, void *user)
{
    (void)level;
    (void)message;
    (void)user;
}

static eddy_engine *engine_with(const char *path)
{
    eddy_config *config = eddy_config_new();
    eddy_engine *engine = NULL;
    const eddy_hooks hooks = {.size = sizeof hooks, .log = quiet};
    assert_int_equal(eddy_config_set(config, "engine.thread", "off", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "state.memory", "8M", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "iforest.model", path, NULL), EDDY_OK);
    assert_int_equal(eddy_engine_new(config, &hooks, &engine, NULL), EDDY_OK);
    eddy_config_free(config);
    return engine;
}

/* The file is looked at every five seconds; here at once. */
static void look(eddy_engine *engine)
{
    engine_look(engine);
}

static void a_file_that_changes_is_taken_up_and_a_bad_one_is_not(void **state)
{
    char path[4400];
    (void)snprintf(path, sizeof path, "%s", write_model(state, 1));
    eddy_engine *engine = engine_with(path);
    char first[65];
    struct settings *set = atomic_load(&engine->settings);
    memcpy(first, set->model[IFOREST_MODEL]->sha256, sizeof first);
    (void)write_model(state, 2);
    look(engine);
    set = atomic_load(&engine->settings);
    assert_string_not_equal(set->model[IFOREST_MODEL]->sha256, first);
    scratch_write(path, "EDDYMDL\nnot really", 18);
    look(engine);
    look(engine); /* a change is told once */
    assert_ptr_equal(atomic_load(&engine->settings), set);
    assert_int_equal(engine->model_failures[MODEL_DAMAGED], 1);
    assert_int_equal(unlink(path), 0);
    look(engine);
    assert_ptr_equal(atomic_load(&engine->settings), set);
    eddy_engine_free(engine);
}

static void a_missing_or_wrong_model_is_said_at_the_start(void **state)
{
    eddy_config *config = eddy_config_new();
    eddy_engine *engine = NULL;
    eddy_error err = {0};
    assert_int_equal(eddy_config_set(config, "iforest.model", "/nonexistent/x.eddy", NULL),
                     EDDY_OK);
    assert_int_equal(eddy_engine_new(config, NULL, &engine, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "/nonexistent/x.eddy"));
    const char *path = scratch_path(state, "x.eddy");
    scratch_write(path, "\x80\x04pickle", 8);
    assert_int_equal(eddy_config_set(config, "iforest.model", path, NULL), EDDY_OK);
    assert_int_equal(eddy_engine_new(config, NULL, &engine, &err), EDDY_EINPUT);
    assert_non_null(strstr(err.message, "not an eddy model file"));
    eddy_config_free(config);
}

static void too_little_is_no_model(void **state)
{
    eddy_engine *engine = engine_with("");
    const eddy_model_origin origin = {.size = sizeof origin, .name = "x", .version = "1"};
    eddy_error err = {0};
    const char *path = scratch_path(state, "x.eddy");
    assert_int_equal(eddy_engine_save_model(engine, &origin, path, &err), EDDY_EINPUT);
    assert_non_null(strstr(err.message, "too little"));
    assert_int_not_equal(access(path, F_OK), 0);
    eddy_engine_free(engine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_that_of_the_standard),
        TEST(what_is_written_is_read_back_bit_for_bit),
        TEST(every_cut_and_every_changed_byte_is_refused),
        TEST(a_forger_can_not_do_harm),
        TEST(trees_that_are_none_are_refused),
        TEST(a_tree_that_leads_back_to_its_root_is_refused),
        TEST(a_tree_deeper_than_255_is_refused),
        TEST(sections_that_lie_about_their_length_are_refused),
        TEST(other_features_and_other_outputs_are_refused),
        TEST(a_file_that_changes_is_taken_up_and_a_bad_one_is_not),
        TEST(a_missing_or_wrong_model_is_said_at_the_start),
        TEST(too_little_is_no_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
