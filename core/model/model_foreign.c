/* SPDX-License-Identifier: MIT */
/* model_foreign.c - what people take for a model file, by its first bytes. Nothing of it is run:
 * loading a pickle is running the program in it. */
#include <string.h>

#include "model/model_read.h"

#define TELL         "; export it where it was trained: models/README.md"
#define PICKLE       "a Python pickle, which is a program" TELL
#define COMPRESSED   "compressed by "
#define MAYBE_JOBLIB ", as joblib's pickles are" TELL
#define POINTER      ", which only names the model: fetch that"

struct beginning {
    const char *bytes;
    size_t length;
    const char *what;
};

#define BEGINS(literal, what)                                                                      \
    {                                                                                              \
        literal, sizeof(literal) - 1, what                                                         \
    }

static const struct beginning beginnings[] = {
    BEGINS("EDDYMDL\r", "its line ends were changed on the way: copy it as bytes"),
    BEGINS("\x80\x02", PICKLE),
    BEGINS("\x80\x03", PICKLE),
    BEGINS("\x80\x04", PICKLE),
    BEGINS("\x80\x05", PICKLE),
    BEGINS("ccopy_reg\n", PICKLE),
    BEGINS("PK\x03\x04", "a ZIP archive, as of skops or PyTorch" TELL),
    BEGINS("\x1f\x8b", COMPRESSED "gzip" MAYBE_JOBLIB),
    BEGINS("x\x01", COMPRESSED "zlib" MAYBE_JOBLIB),
    BEGINS("x\x5e", COMPRESSED "zlib" MAYBE_JOBLIB),
    BEGINS("x\x9c", COMPRESSED "zlib" MAYBE_JOBLIB),
    BEGINS("x\xda", COMPRESSED "zlib" MAYBE_JOBLIB),
    BEGINS("BZh", COMPRESSED "bzip2" MAYBE_JOBLIB),
    BEGINS("\xfd"
           "7zXZ",
           COMPRESSED "xz" MAYBE_JOBLIB),
    BEGINS("\x04\x22\x4d\x18", COMPRESSED "lz4" MAYBE_JOBLIB),
    BEGINS("\x28\xb5\x2f\xfd", COMPRESSED "zstd"),
    BEGINS("{L", "a model of XGBoost (UBJSON)" TELL),
    BEGINS("tree\n", "a model of LightGBM (text)" TELL),
    BEGINS("\x89HDF\r\n", "HDF5, as of Keras" TELL),
    BEGINS("PAR1", "Parquet: data or a Spark model's" TELL),
    BEGINS("\x93NUMPY", "an array of NumPy"),
    BEGINS("\x7f"
           "ELF",
           "a program"),
    BEGINS("#!", "a script"),
    BEGINS("version https://git-lfs", "a pointer of Git LFS" POINTER),
    BEGINS("outs:", "a file of DVC" POINTER ": dvc pull"),
    BEGINS("flavors:", "an MLmodel file of MLflow" POINTER),
};

/* What text begins with, after blanks and a byte order mark. */
static const struct beginning texts[] = {
    BEGINS("{\"learner\"", "a model of XGBoost (JSON)" TELL),
    BEGINS("{", "JSON"),
    BEGINS("[", "JSON"),
    BEGINS("<PMML", "PMML" TELL),
    BEGINS("<!DOCTYPE", "a web page: was it downloaded without logging in?"),
    BEGINS("<html", "a web page: was it downloaded without logging in?"),
    BEGINS("<", "XML, as PMML is" TELL),
};

static const char *find(const struct beginning *of, size_t count, const char *bytes, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (length >= of[i].length && memcmp(bytes, of[i].bytes, of[i].length) == 0)
            return of[i].what;
    return NULL;
}

/* Protobuf of a ModelProto: the version of its form, field 1, below 64; then the producer's name,
 * or opset or graph. */
static bool is_onnx(const char *bytes, size_t length)
{
    return length >= 4 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 64 &&
           (bytes[2] == 0x12 || bytes[2] == 0x3a || bytes[2] == 0x42);
}

const char *model_foreign(const void *bytes, size_t length)
{
    const char *at = bytes;
    if (length == 0)
        return "empty";
    const char *what = find(beginnings, sizeof beginnings / sizeof *beginnings, at, length);
    if (what == NULL && is_onnx(at, length))
        what = "ONNX" TELL;
    if (what != NULL)
        return what;
    size_t blanks = length >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (blanks < length && strchr(" \t\r\n", at[blanks]) != NULL && at[blanks] != '\0')
        blanks++;
    what = find(texts, sizeof texts / sizeof *texts, at + blanks, length - blanks);
    return what != NULL ? what : "nothing that eddy knows";
}
