/* SPDX-License-Identifier: MIT */
/* model_file.c - reads models: the file, its header and sections, and which of them is read when.
 */
#include "model/model_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/model_read.h"
#include "model/sha256.h"
#include "util/error.h"
#include "util/io.h"

const char *const model_fault_names[MODEL_FAULT_COUNT] = {
    "none", "unreadable", "damaged", "malformed", "features", "kind", "golden_rows"};

static const char tags[MODEL_SECTIONS][5] = {"META", "FEAT", "TREE", "CLAS",
                                             "BASE", "SCOR", "BINS", "GOLD"};

#define SECTIONS_MAX 64 /* with those of later minor versions, which are passed over */

int model_refuse(struct model_read *read, enum model_fault fault, const char *format, ...)
{
    char what[sizeof read->err->message];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args); /* cut is fine */
    va_end(args);
    read->fault = fault;
    return error_set(read->err, fault == MODEL_FEATURES ? EDDY_ECONFIG : EDDY_EINPUT, "%s", what);
}

/* ---- header and sections ---- */

static int read_header(struct model_read *r, struct wire *all, uint32_t *sections)
{
    const uint8_t *begin = all->at;
    uint8_t digest[SHA256_SIZE];
    size_t length = all->left;
    const uint8_t *magic = wire_bytes(all, 8);
    if (magic == NULL || memcmp(magic, MODEL_MAGIC, 8) != 0)
        return model_refuse(r, MODEL_DAMAGED, "not an eddy model file: %s",
                            model_foreign(begin, length));
    uint32_t major = wire_u16(all);
    (void)wire_u16(all); /* minor: what it adds can be passed over */
    *sections = wire_u32(all);
    uint64_t told = wire_u64(all);
    const uint8_t *expected = wire_bytes(all, SHA256_SIZE);
    uint64_t reserved = wire_u64(all);
    if (!wire_good(all) || major != MODEL_MAJOR)
        return model_refuse(r, MODEL_DAMAGED, "of a version this eddy does not read");
    if (told != length)
        return model_refuse(r, MODEL_DAMAGED, "cut short, or longer than it says");
    if (!sha256_of(begin + 64, length - 64, digest) || memcmp(digest, expected, SHA256_SIZE) != 0)
        return model_refuse(r, MODEL_DAMAGED, "not what its SHA-256 says: damaged on the way");
    if (reserved != 0)
        return model_refuse(r, MODEL_MALFORMED, "something is in its header where 0 should be");
    return EDDY_OK;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    uint8_t any = 0;
    for (size_t i = 0; i < length; i++)
        any |= bytes[i];
    return any == 0;
}

/* Keeps a section that we know; others are passed over. `next`: those before it have had their
 * turn. NULL, or what is wrong. */
static const char *keep_section(struct model_read *r, const uint8_t *tag, struct wire section,
                                size_t *next)
{
    size_t known = 0;
    while (known < MODEL_SECTIONS && memcmp(tag, tags[known], 4) != 0)
        known++;
    if (known == MODEL_SECTIONS)
        return NULL;
    if (r->section[known].at != NULL)
        return "a section comes twice";
    if (known < *next)
        return "its sections are not in their order";
    *next = known + 1;
    r->section[known] = section;
    return NULL;
}

static int read_sections(struct model_read *r, struct wire all, uint32_t count)
{
    struct wire body = all;
    size_t next = 0;
    if (count > SECTIONS_MAX || wire_bytes(&body, count * (size_t)16) == NULL)
        return model_refuse(r, MODEL_MALFORMED, "more sections than there is room for");
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *tag = wire_bytes(&all, 8);
        uint64_t length = wire_u64(&all);
        struct wire section = wire_part(&body, length);
        if (!wire_good(&body))
            return model_refuse(r, MODEL_MALFORMED, "a section is longer than the file");
        if (!is_zero(tag + 4, 4) || !is_zero(section.at + length, (size_t)(-length % 8)))
            return model_refuse(r, MODEL_MALFORMED,
                                "something is behind a section or its tag where 0 should be");
        const char *fault = keep_section(r, tag, section, &next);
        if (fault != NULL)
            return model_refuse(r, MODEL_MALFORMED, "%s", fault);
    }
    if (body.left != 0)
        return model_refuse(r, MODEL_MALFORMED, "there is more in it than its sections");
    for (size_t known = 0; known < MODEL_SECTIONS; known++)
        if (r->section[known].at == NULL && known != CLAS && known != BASE)
            return model_refuse(r, MODEL_MALFORMED, "a section is missing");
    return EDDY_OK;
}

/* ---- the whole ---- */

int model_read_begin(struct model_read *r, const void *bytes, size_t length)
{
    struct wire all = wire_over(bytes, length);
    uint32_t sections = 0;
    int status = read_header(r, &all, &sections);
    return status == EDDY_OK ? read_sections(r, all, sections) : status;
}

int model_read_body(struct model_read *r)
{
    static int (*const steps[])(struct model_read *) = {model_read_meta,   model_read_features,
                                                        model_read_trees,  model_read_classes,
                                                        model_read_scores, model_read_bins};
    int status = EDDY_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == EDDY_OK; i++)
        status = steps[i](r);
    return status;
}

int model_file_parse(const void *bytes, size_t length, struct model_file **out,
                     enum model_fault *fault, eddy_error *err)
{
    struct model_read r = {
        .err = err, .fault = MODEL_UNREADABLE, .file = calloc(1, sizeof *r.file)};
    int status = r.file == NULL ? error_nomem(err) : model_read_begin(&r, bytes, length);
    if (status == EDDY_OK)
        status = model_read_body(&r);
    if (status == EDDY_OK)
        status = model_run_golden(&r);
    if (fault != NULL)
        *fault = status == EDDY_OK ? MODEL_FINE : r.fault;
    if (status != EDDY_OK) {
        model_file_free(r.file);
        return status;
    }
    *out = r.file;
    return EDDY_OK;
}

void *model_file_bytes(const char *path, struct stat *info, size_t *length, eddy_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *bytes = NULL;
    if (fd < 0 || fstat(fd, info) != 0) {
        (void)error_set(err, EDDY_EIO, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(info->st_mode) || (uint64_t)info->st_size > MODEL_FILE_MAX) {
        (void)error_set(err, EDDY_EIO, "%s: no plain file of at most %zu MiB", path,
                        MODEL_FILE_MAX >> 20);
    } else if ((bytes = malloc((size_t)info->st_size + 1)) == NULL) {
        (void)error_nomem(err);
    } else {
        ssize_t n = io_read(fd, bytes, (size_t)info->st_size + 1);
        if (n < 0) {
            (void)error_set(err, EDDY_EIO, "%s: %s", path, strerror(errno));
            free(bytes);
            bytes = NULL;
        }
        *length = n < 0 ? 0 : (size_t)n;
    }
    if (fd >= 0)
        (void)close(fd); /* read only */
    return bytes;
}

int model_file_load(const char *path, struct model_file **out, enum model_fault *fault,
                    eddy_error *err)
{
    struct stat info;
    struct model_file *file = NULL;
    eddy_error why = {0};
    size_t length = 0;
    uint8_t digest[SHA256_SIZE];
    if (fault != NULL)
        *fault = MODEL_UNREADABLE;
    void *bytes = model_file_bytes(path, &info, &length, &why);
    if (bytes == NULL)
        return error_set(err, why.code, "%s", why.message);
    enum model_fault found;
    int status = model_file_parse(bytes, length, &file, &found, &why);
    if (status != EDDY_OK && fault != NULL)
        *fault = found;
    if (status == EDDY_OK && !sha256_of(bytes, length, digest))
        status = error_nomem(&why);
    free(bytes);
    if (status == EDDY_OK && (file->path = strdup(path)) == NULL)
        status = error_nomem(&why);
    if (status != EDDY_OK) {
        model_file_free(file);
        return error_set(err, status, "%s: %s", path, why.message);
    }
    if (fault != NULL)
        *fault = MODEL_FINE;
    sha256_hex(digest, file->sha256);
    memcpy(&file->model.id, digest, sizeof file->model.id);
    file->identity = info;
    *out = file;
    return EDDY_OK;
}

void model_file_free(struct model_file *file)
{
    if (file == NULL)
        return;
    free(file->room);
    free(file->ruler);
    free(file->classes);
    free(file->metadata);
    free(file->path);
    free(file);
}
