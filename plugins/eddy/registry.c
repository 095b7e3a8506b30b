/* SPDX-License-Identifier: MIT */
/* registry.c - asks an MLflow server, by its REST interface. What it answers is distrusted. */
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_read.h"
#include "registry_url.h"
#include "say.h"

#define ANSWER_MAX                                                                                 \
    (1024 * 1024) /* bytes of JSON: a model of a hundred aliases and tags has 20 KiB */
#define HASH_TAG "eddy.sha256"
#define DIGITS   "0123456789"

static const struct json_limits limits = {.depth = 16, .values = 50000};

struct answer {
    char *text;
    size_t length;
};

/* ---- asking ---- */

static int take_text(const char *bytes, size_t length, void *user, eddy_error *err)
{
    struct answer *answer = user;
    char *text = realloc(answer->text, answer->length + length + 1);
    if (text == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory"), 0;
    memcpy(text + answer->length, bytes, length);
    answer->text = text;
    answer->length += length;
    return 1;
}

/* What the server says of its refusal: MLflow has a "message", others have what they like. */
static void refusal_text(const struct http_reply *reply, char *out, size_t size)
{
    struct json_tree *tree = NULL;
    eddy_error none = {0};
    const char *message = NULL;
    if (json_tree_new(reply->refusal, strlen(reply->refusal), &limits, &tree, &none) == EDDY_OK)
        message = json_find_text(json_tree_root(tree), "message");
    (void)snprintf(out, size, "%.120s", message != NULL ? message : "");
    json_tree_free(tree);
}

static int refused(const struct registry *registry, const struct http_reply *reply, eddy_error *err)
{
    char text[128];
    if (reply->status >= 300 && reply->status < 400)
        return fault(err, EDDY_EIO,
                     "%.60s: sends us on (HTTP %ld) to %.80s: redirects are not followed; "
                     "if that is the server, name it",
                     registry->server, reply->status, reply->location);
    if (reply->status == 401 || reply->status == 403)
        return fault(err, EDDY_EIO, "%.100s: HTTP %ld: %s", registry->server, reply->status,
                     registry->client.bearer != NULL || registry->client.user != NULL
                         ? "these credentials are not enough"
                         : "wants credentials: --token-file or --user-file");
    refusal_text(reply, text, sizeof text);
    return fault(err, EDDY_EIO, "%.100s: HTTP %ld%s%s", registry->server, reply->status,
                 text[0] != '\0' ? ": " : "", text);
}

/* Asks; anything but an answer of status 200 is a fault. */
static int ask(const struct registry *registry, const struct url *url, struct http_want *want,
               struct http_reply *reply, eddy_error *err)
{
    eddy_error why = {0};
    if (url->full)
        return fault(err, EDDY_EIO, "%.100s: an address would be too long", registry->server);
    want->url = url->text;
    if (http_get(&registry->client, want, reply, &why) != EDDY_OK)
        return fault(err, why.code, "%.80s: %.150s", registry->server, why.message);
    return reply->status == 200 ? EDDY_OK : refused(registry, reply, err);
}

/* The tree refers to nothing of the text: it has its own copy. */
static int ask_json(const struct registry *registry, const struct url *url, struct json_tree **out,
                    eddy_error *err)
{
    struct answer answer = {0};
    struct http_want want = {.max = ANSWER_MAX, .sink = take_text, .user = &answer};
    struct http_reply reply;
    eddy_error bad = {0};
    int status = ask(registry, url, &want, &reply, err);
    if (status == EDDY_OK && json_tree_new(answer.text != NULL ? answer.text : "", answer.length,
                                           &limits, out, &bad) != EDDY_OK)
        status = fault(err, EDDY_EINPUT, "%.80s: no answer of an MLflow server (%.40s): %.80s",
                       registry->server, reply.type, bad.message);
    free(answer.text);
    return status;
}

/* ---- what is meant, and which version that is ---- */

static bool is_word(const char *text, const char *letters)
{
    return *text != '\0' && text[strspn(text, letters)] == '\0';
}

int registry_reference(struct registry_reference *out, const char *text, eddy_error *err)
{
    static const char start[] = "models:/";
    *out = (struct registry_reference){0};
    if (strncmp(text, start, sizeof start - 1) != 0)
        return fault(err, EDDY_EUSAGE, "%.100s: not models:/NAME@ALIAS or models:/NAME/VERSION",
                     text);
    const char *name = text + sizeof start - 1, *end = name + strcspn(name, "@/");
    const char *rest = *end != '\0' ? end + 1 : end;
    if (end == name || (size_t)(end - name) > REGISTRY_NAME_MAX || strlen(rest) > REGISTRY_NAME_MAX)
        return fault(err, EDDY_EUSAGE, "%.100s: its name is missing or too long", text);
    memcpy(out->name, name, (size_t)(end - name));
    if (*end == '@' && rest[0] != '\0' && strpbrk(rest, "@/") == NULL)
        memcpy(out->alias, rest, strlen(rest));
    else if (*end == '/' && is_word(rest, DIGITS) && strlen(rest) < sizeof out->version)
        memcpy(out->version, rest, strlen(rest));
    else
        return fault(err, EDDY_EUSAGE, "%.100s: no @ALIAS or /VERSION (a number) behind the name",
                     text);
    return EDDY_OK;
}

static const char *tag(const struct json_value *version, const char *key)
{
    const struct json_value *tags = json_find(version, "tags");
    const struct json_value *each = json_is(tags, JSON_ARRAY) ? json_first(tags) : NULL;
    for (uint32_t i = 0; each != NULL && i < tags->length; i++, each = json_behind(each)) {
        const char *name = json_find_text(each, "key");
        if (name != NULL && strcmp(name, key) == 0)
            return json_find_text(each, "value");
    }
    return NULL;
}

static int read_version(const struct registry *registry, const struct json_value *from,
                        struct registry_version *out, eddy_error *err)
{
    const char *version = json_find_text(from, "version"), *name = out->name;
    const char *status = json_find_text(from, "status"), *hash = tag(from, HASH_TAG);
    if (version == NULL || strlen(version) >= sizeof out->version || !is_word(version, DIGITS))
        return fault(err, EDDY_EINPUT, "%.100s: its answer has no version of a model",
                     registry->server);
    if (status != NULL && strcmp(status, "READY") != 0)
        return fault(err, EDDY_EINPUT, "version %s of %.80s is %.60s, not READY", version, name,
                     status);
    if (hash != NULL && (strlen(hash) != 64 || !is_word(hash, DIGITS "abcdef")))
        return fault(err, EDDY_EINPUT, "version %s of %.80s: its tag %s is no SHA-256 (64 digits)",
                     version, name, HASH_TAG);
    memcpy(out->version, version, strlen(version));
    if (hash != NULL)
        memcpy(out->sha256, hash, 64);
    return EDDY_OK;
}

int registry_find(const struct registry *registry, const struct registry_reference *reference,
                  struct registry_version *out, eddy_error *err)
{
    bool alias = reference->alias[0] != '\0';
    struct json_tree *tree = NULL;
    struct url url;
    url_begin(&url, registry->server);
    url_add(&url, alias ? "/api/2.0/mlflow/registered-models/alias?name="
                        : "/api/2.0/mlflow/model-versions/get?name=");
    url_add_escaped(&url, reference->name, false);
    url_add(&url, alias ? "&alias=" : "&version=");
    url_add_escaped(&url, alias ? reference->alias : reference->version, false);
    *out = (struct registry_version){0};
    memcpy(out->name, reference->name, sizeof out->name);
    int status = ask_json(registry, &url, &tree, err);
    if (status == EDDY_OK)
        status = read_version(registry, json_find(json_tree_root(tree), "model_version"), out, err);
    json_tree_free(tree);
    return status;
}

/* ---- its file ---- */

struct place {
    char path[1024]; /* among the server's artifacts */
};

static bool ends_in_eddy(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".eddy") == 0;
}

/* Where the server keeps the files of a version: mlflow-artifacts:/1/models/m-.../artifacts */
static int find_place(const struct registry *registry, const struct registry_version *version,
                      struct place *out, eddy_error *err)
{
    static const char scheme[] = "mlflow-artifacts:/";
    struct json_tree *tree = NULL;
    struct url url;
    url_begin(&url, registry->server);
    url_add(&url, "/api/2.0/mlflow/model-versions/get-download-uri?name=");
    url_add_escaped(&url, version->name, false);
    url_add(&url, "&version=");
    url_add_escaped(&url, version->version, false);
    int status = ask_json(registry, &url, &tree, err);
    if (status != EDDY_OK)
        return status;
    const char *uri = json_find_text(json_tree_root(tree), "artifact_uri");
    size_t skip = sizeof scheme - 1;
    if (uri == NULL)
        status = fault(err, EDDY_EINPUT, "%.100s: it does not say where the files are",
                       registry->server);
    else if (strncmp(uri, scheme, skip) != 0 || uri[skip] == '/' ||
             strlen(uri) - skip >= sizeof out->path)
        status = fault(err, EDDY_EINPUT,
                       "the files are at %.100s, not on the MLflow server: it has to run with "
                       "--serve-artifacts",
                       uri);
    else
        (void)snprintf(out->path, sizeof out->path, "%s", uri + skip);
    json_tree_free(tree);
    return status;
}

/* Names of the .eddy files in a folder: how many there are, and of the last one its path. */
static int look_into(const struct registry *registry, const char *folder, struct place *out,
                     size_t *found, eddy_error *err)
{
    struct json_tree *tree = NULL;
    struct url url;
    url_begin(&url, registry->server);
    url_add(&url, "/api/2.0/mlflow-artifacts/artifacts?path=");
    url_add_escaped(&url, folder, false);
    int status = ask_json(registry, &url, &tree, err);
    if (status != EDDY_OK)
        return status;
    const struct json_value *files = json_find(json_tree_root(tree), "files");
    const struct json_value *each = json_is(files, JSON_ARRAY) ? json_first(files) : NULL;
    for (uint32_t i = 0; each != NULL && i < files->length; i++, each = json_behind(each)) {
        const char *path = json_find_text(each, "path");
        const char *slash = path != NULL ? strrchr(path, '/') : NULL;
        const char *name = slash != NULL ? slash + 1 : path;
        if (name == NULL || !ends_in_eddy(name))
            continue;
        int n = snprintf(out->path, sizeof out->path, "%s/%s", folder, name);
        *found += n > 0 && (size_t)n < sizeof out->path;
    }
    json_tree_free(tree);
    return EDDY_OK;
}

/* A version is a folder of files (MLmodel, artifacts/office.eddy ...), or a model file itself. */
static int find_file(const struct registry *registry, const struct registry_version *version,
                     struct place *out, eddy_error *err)
{
    struct place root = {""};
    char folder[sizeof root.path + 16];
    size_t found = 0;
    int status = find_place(registry, version, &root, err);
    *out = root;
    if (status != EDDY_OK || ends_in_eddy(root.path))
        return status;
    (void)snprintf(folder, sizeof folder, "%s/artifacts", root.path);
    status = look_into(registry, folder, out, &found, err);
    if (status == EDDY_OK && found == 0)
        status = look_into(registry, root.path, out, &found, err);
    if (status == EDDY_OK && found != 1)
        status = fault(err, EDDY_EINPUT, "version %s of %.80s has %zu .eddy files, and not one",
                       version->version, version->name, found);
    return status;
}

static int take_file(const char *bytes, size_t length, void *user, eddy_error *err)
{
    const int *fd = user;
    while (length > 0) {
        ssize_t n = write(*fd, bytes, length);
        if (n < 0 && errno != EINTR)
            return fault(err, EDDY_EIO, "writing the file: %s", strerror(errno)), 0;
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return 1;
}

static int fetch(const struct registry *registry, const struct place *place, int fd,
                 eddy_error *err)
{
    struct http_want want = {.max = registry->max, .sink = take_file, .user = &fd};
    struct http_reply reply;
    struct url url;
    url_begin(&url, registry->server);
    url_add(&url, "/api/2.0/mlflow-artifacts/artifacts/");
    url_add_escaped(&url, place->path, true);
    return ask(registry, &url, &want, &reply, err);
}

int registry_fetch(const struct registry *registry, const struct registry_version *version,
                   const char *path, eddy_error *err)
{
    struct place place;
    int status = find_file(registry, version, &place, err);
    if (status != EDDY_OK)
        return status;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fault(err, EDDY_EIO, "%.160s: %s", path, strerror(errno));
    status = fetch(registry, &place, fd, err);
    if (status == EDDY_OK && fsync(fd) != 0)
        status = fault(err, EDDY_EIO, "%.160s: %s", path, strerror(errno));
    if (close(fd) != 0 && status == EDDY_OK)
        status = fault(err, EDDY_EIO, "%.160s: %s", path, strerror(errno));
    return status;
}
