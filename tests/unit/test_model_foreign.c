/* SPDX-License-Identifier: MIT */
/* test_model_foreign.c - what is no model file is refused, and named: a pickle above all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "model/model_file.h"
#include "scratch.h"

struct foreign {
    const char *bytes;
    size_t length;
    const char *says;
};

#define FOREIGN(literal, says)                                                                     \
    {                                                                                              \
        literal, sizeof(literal) - 1, says                                                         \
    }

static const struct foreign files[] = {
    FOREIGN("", ": empty"),
    FOREIGN("\x80\x02}q\x00.", ": a Python pickle, which is a program; export it where it was "
                               "trained: models/README.md"),
    FOREIGN("\x80\x03}q\x00.", "a Python pickle, which is a program; export it"),
    FOREIGN("\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x08sklearn.",
            "a Python pickle, which is a program"),
    FOREIGN("\x80\x05\x95\x10\0\0\0\0\0\0\0\x8c\x08sklearn.",
            "a Python pickle, which is a program"),
    FOREIGN("ccopy_reg\n_reconstructor\np0\n", "a Python pickle, which is a program"),
    FOREIGN("PK\x03\x04\x14\0\0\0\0\0schema.json", "a ZIP archive, as of skops or PyTorch; export"),
    FOREIGN("x\x9c\x6b\x60\x99\xaa", "compressed by zlib, as joblib's pickles are; export"),
    FOREIGN("x\x5e\x6b\x60\x99\xaa", "compressed by zlib, as joblib's"),
    FOREIGN("\x1f\x8b\x08\0\0\0\0\0", "compressed by gzip, as joblib's"),
    FOREIGN("BZh91AY&SY", "compressed by bzip2, as joblib's"),
    FOREIGN("\xfd"
            "7zXZ\0\0",
            "compressed by xz, as joblib's"),
    FOREIGN("\x04\x22\x4d\x18\x64\x40", "compressed by lz4, as joblib's"),
    FOREIGN("\x28\xb5\x2f\xfd\x20", ": compressed by zstd"),
    FOREIGN("\x08\x0a\x12\x07skl2onnx\x1a", ": ONNX; export"),
    FOREIGN("\x08\x08\x3a\xb0\x01", ": ONNX; export"),
    FOREIGN("{\"learner\":{\"attributes\":{}", "a model of XGBoost (JSON); export"),
    FOREIGN("{L\0\0\0\0\0\0\0\7learner{", "a model of XGBoost (UBJSON); export"),
    FOREIGN("tree\nversion=v4\nnum_class=1\n", "a model of LightGBM (text); export"),
    FOREIGN("  {\"name\": 1}", ": JSON"),
    FOREIGN("[1, 2]", ": JSON"),
    FOREIGN("\x89HDF\r\n\x1a\n\0", "HDF5, as of Keras; export"),
    FOREIGN("\xef\xbb\xbf<?xml version=\"1.0\"?>\n<PMML", "XML, as PMML is; export"),
    FOREIGN("<PMML version=\"4.4\">", ": PMML; export"),
    FOREIGN("\n<!DOCTYPE html><title>Sign in", "a web page: was it downloaded without logging in?"),
    FOREIGN("PAR1\x15\x04", "Parquet: data or a Spark model's"),
    FOREIGN("\x93NUMPY\x01\0v\0", "an array of NumPy"),
    FOREIGN("\x7f"
            "ELF\x02\x01\x01",
            ": a program"),
    FOREIGN("#!/bin/sh\nrm -rf /\n", ": a script"),
    FOREIGN("version https://git-lfs.github.com/spec/v1\noid ", "a pointer of Git LFS, which only"),
    FOREIGN("outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n", "a file of DVC, which only names"),
    FOREIGN("flavors:\n  python_function:\n", "an MLmodel file of MLflow, which only names"),
    FOREIGN("EDDYMDL\r\n\1\0\1\0", "its line ends were changed on the way"),
    FOREIGN("EDDYMD", ": nothing that eddy knows"),
    FOREIGN("\0\0\0\0\0\0\0\0\0\0", ": nothing that eddy knows"),
    FOREIGN(" \t\r\n", ": nothing that eddy knows"),
    FOREIGN("\x08", ": nothing that eddy knows"),
};

static void each_is_named(void **state)
{
    const char *path = scratch_path(state, "model.pkl");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct model_file *file = NULL;
        enum model_fault fault = MODEL_FINE;
        eddy_error err = {0};
        scratch_write(path, files[i].bytes, files[i].length);
        assert_int_equal(model_file_load(path, &file, &fault, &err), EDDY_EINPUT);
        assert_int_equal(fault, MODEL_DAMAGED);
        if (strstr(err.message, "/model.pkl: not an eddy model file: ") == NULL ||
            strstr(err.message, files[i].says) == NULL)
            fail_msg("'%s', not '%s'", err.message, files[i].says);
    }
}

/* Memory that ends where the file does: nothing behind it is looked at (the sanitizers look). */
static void each_beginning_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (size_t length = 0; length <= files[i].length; length++) {
            char *exact = malloc(length > 0 ? length : 1);
            struct model_file *file = NULL;
            assert_non_null(exact);
            memcpy(exact, files[i].bytes, length);
            assert_int_equal(model_file_parse(exact, length, &file, NULL, NULL), EDDY_EINPUT);
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_named, scratch_new, scratch_free),
        cmocka_unit_test(each_beginning_may_be_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
