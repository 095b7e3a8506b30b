/* SPDX-License-Identifier: MIT */
/* cmd_model_pull.c - eddy model pull: the model that a registry names, if it is another one than
 * ours. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "model_place.h"
#include "out_file.h"
#include "progress.h"
#include "registry.h"
#include "secret_file.h"
#include "when.h"

#define MODELS      "/var/lib/eddy/models"
#define EXIT_NEWER  3 /* --check: there is another one */
#define SECRET_SIZE 8192

static const char help[] =
    "Usage: eddy model pull models:/NAME@ALIAS|models:/NAME/VERSION [OPTION...]\n"
    "Gets a model from an MLflow server and puts it in place of the one before, if it is another\n"
    "one. It has to have the SHA-256 that its version is tagged with (eddy.sha256), and is checked "
    "as\n"
    "by `eddy model verify`; else the file of before stays. A running sensor takes it up within\n"
    "seconds. Moving the alias, forward or back, is what changes the model of all sensors.\n\n"
    "      --server URL          of MLflow; else $MLFLOW_TRACKING_URI\n"
    "  -o, --out PATH            where the model goes (" MODELS "/NAME.eddy)\n"
    "      --token-file FILE     a bearer token; only its owner may read the file\n"
    "      --user-file FILE      name:password, likewise\n"
    "      --ca FILE             trust these certificates, not the system's\n"
    "      --timeout TIME        for each answer of the server (60s)\n"
    "      --max-size SIZE       longer files are refused (64M)\n"
    "      --keep N              keep N of the files before, as PATH.1, PATH.2 ... (1)\n"
    "      --check               only say whether there is another one: exit status 3\n"
    "      --force               get and replace it even if it is the same\n"
    "      --allow-untagged      take a version without the tag: nothing tells then whether the "
    "file\n"
    "                            is the one that was registered\n"
    "  -h, --help                this\n\n"
    "Exit status: 0 (also if it is the same), 1 if it failed, 2 for wrong usage, 3 by --check.\n";

struct pull {
    struct registry registry;
    struct registry_reference reference;
    struct registry_version version;
    const char *token_file, *user_file;
    char *out; /* given or made; ours */
    unsigned keep;
    bool check, force, untagged;
    char secret[SECRET_SIZE];
};

static int failed(const eddy_error *err)
{
    struct progress none = {0};
    complain(&none, "%s", err->message);
    return EXIT_FAULT;
}

/* ---- the command line ---- */

enum {
    OPTION_SERVER = 256,
    OPTION_TOKEN,
    OPTION_USER,
    OPTION_CA,
    OPTION_TIMEOUT,
    OPTION_MAX,
    OPTION_KEEP,
    OPTION_CHECK,
    OPTION_FORCE,
    OPTION_UNTAGGED
};

static bool take_timeout(struct pull *pull, const char *text)
{
    int64_t us;
    if (!when_parse_span(text, &us) || us < 1000000 || us > (int64_t)24 * 3600 * 1000000)
        return false;
    pull->registry.client.timeout_ms = (long)(us / 1000);
    return true;
}

static bool take_size(struct pull *pull, const char *text)
{
    char *unit;
    errno = 0;
    unsigned long long n = strtoull(text, &unit, 10);
    unsigned shift = *unit == 'K' ? 10 : *unit == 'M' ? 20 : *unit == 'G' ? 30 : 0;
    if (errno != 0 || *text < '0' || *text > '9' || unit[shift > 0] != '\0')
        return false;
    if (n == 0 || n > (4ULL << 30) >> shift) /* a model file is at most 4 GiB */
        return false;
    pull->registry.max = (size_t)(n << shift);
    return true;
}

static bool take_keep(struct pull *pull, const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    pull->keep = (unsigned)n;
    return *text >= '0' && *text <= '9' && *end == '\0' && n <= MODEL_KEEP_MAX;
}

static bool take_out(struct pull *pull, const char *text)
{
    free(pull->out);
    pull->out = strdup(text);
    return pull->out != NULL && *text != '\0';
}

static bool take_option(struct pull *pull, int option)
{
    switch (option) {
    case OPTION_SERVER:
        pull->registry.server = optarg;
        return true;
    case 'o':
        return take_out(pull, optarg);
    case OPTION_TOKEN:
        pull->token_file = optarg;
        return true;
    case OPTION_USER:
        pull->user_file = optarg;
        return true;
    case OPTION_CA:
        pull->registry.client.ca = optarg;
        return true;
    case OPTION_TIMEOUT:
        return take_timeout(pull, optarg);
    case OPTION_MAX:
        return take_size(pull, optarg);
    case OPTION_KEEP:
        return take_keep(pull, optarg);
    case OPTION_CHECK:
        return pull->check = true;
    case OPTION_FORCE:
        return pull->force = true;
    default:
        return pull->untagged = true;
    }
}

/* A name that is no harmless file name needs --out: it must not lead anywhere else. */
static bool make_out(struct pull *pull)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const char *name = pull->reference.name;
    size_t size = sizeof MODELS + strlen(name) + sizeof "/.eddy";
    if (pull->out != NULL)
        return true;
    if (name[0] == '.' || name[strspn(name, letters)] != '\0')
        return false;
    pull->out = malloc(size);
    if (pull->out != NULL)
        (void)snprintf(pull->out, size, MODELS "/%s.eddy", name);
    return pull->out != NULL;
}

static int check_server(const struct pull *pull)
{
    const char *server = pull->registry.server;
    if (server == NULL || *server == '\0')
        return usage_error("model pull", "which server? --server URL or $MLFLOW_TRACKING_URI");
    bool plain = strncmp(server, "http://", 7) == 0;
    if (!plain && strncmp(server, "https://", 8) != 0)
        return usage_error("model pull", "%s: not http:// or https://", server);
    const char *host = server + (plain ? 7 : 8), *end = host + strcspn(host, "/?#");
    if (end == host || *end == '?' || *end == '#')
        return usage_error("model pull", "%s: not the address of a server", server);
    if (memchr(host, '@', (size_t)(end - host)) != NULL)
        return usage_error("model pull", "credentials are no part of the address: --user-file");
    if (pull->token_file != NULL && pull->user_file != NULL)
        return usage_error("model pull", "--token-file or --user-file, not both");
    return -1;
}

static int check_words(struct pull *pull, int count, char **words)
{
    eddy_error err = {0};
    if (count != 1)
        return usage_error("model pull", "which model? models:/NAME@ALIAS");
    if (registry_reference(&pull->reference, words[0], &err) != EDDY_OK)
        return usage_error("model pull", "%s", err.message);
    if (!make_out(pull))
        return usage_error("model pull", "%s: no name for a file: where does it go? --out PATH",
                           pull->reference.name);
    return check_server(pull);
}

/* Returns an exit status to end with, or -1 to go on. */
static int parse_options(struct pull *pull, int argc, char **argv)
{
    static const struct option options[] = {{"server", required_argument, NULL, OPTION_SERVER},
                                            {"out", required_argument, NULL, 'o'},
                                            {"token-file", required_argument, NULL, OPTION_TOKEN},
                                            {"user-file", required_argument, NULL, OPTION_USER},
                                            {"ca", required_argument, NULL, OPTION_CA},
                                            {"timeout", required_argument, NULL, OPTION_TIMEOUT},
                                            {"max-size", required_argument, NULL, OPTION_MAX},
                                            {"keep", required_argument, NULL, OPTION_KEEP},
                                            {"check", no_argument, NULL, OPTION_CHECK},
                                            {"force", no_argument, NULL, OPTION_FORCE},
                                            {"allow-untagged", no_argument, NULL, OPTION_UNTAGGED},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            if (!http_can())
                (void)fputs("\nThis eddy was built without libcurl: it can't pull.\n", stdout);
            return finish_output();
        }
        if (option == '?')
            return usage_option("model pull", argv);
        if (!take_option(pull, option))
            return usage_error("model pull", "%s: not a value for this option", optarg);
    }
    return check_words(pull, argc - optind, argv + optind);
}

/* ---- pulling ---- */

static int load_secret(struct pull *pull, eddy_error *err)
{
    struct http_client *client = &pull->registry.client;
    const char *path = pull->token_file != NULL ? pull->token_file : pull->user_file;
    if (path == NULL)
        return EDDY_OK;
    if (secret_file_read(path, pull->secret, sizeof pull->secret, err) != EDDY_OK)
        return err->code;
    *(pull->token_file != NULL ? &client->bearer : &client->user) = pull->secret;
    if (strncmp(pull->registry.server, "http://", 7) == 0) {
        struct progress none = {0};
        complain(&none, "%s: credentials are sent there as plain text", pull->registry.server);
    }
    return EDDY_OK;
}

/* "office version 3 (@champion), SHA-256 ab12..." */
static void print_version(const struct pull *pull)
{
    bool alias = pull->reference.alias[0] != '\0';
    printf("%s version %s%s%s%s", pull->version.name, pull->version.version, alias ? " (@" : "",
           pull->reference.alias, alias ? ")" : "");
    if (pull->version.sha256[0] != '\0')
        printf(", SHA-256 %.16s...", pull->version.sha256);
}

/* `hash` is that of what is there; `same` tells whether that is what came. */
static int install(const struct pull *pull, const char *hash, bool *same, eddy_error *err)
{
    struct out_file out;
    eddy_error late = {0};
    char name[REGISTRY_NAME_MAX + 40], came[FILE_HASH_SIZE] = "";
    (void)snprintf(name, sizeof name, "%s version %s", pull->version.name, pull->version.version);
    int status = out_file_begin(&out, pull->out, err);
    if (status != EDDY_OK)
        return status;
    status = registry_fetch(&pull->registry, &pull->version, out.part, err);
    if (status == EDDY_OK)
        status = model_place_check(out.part, name, pull->version.sha256, came, err);
    *same = strcmp(hash, came) == 0;
    if (status == EDDY_OK && !*same) /* the same again would push out the one that was before */
        status = model_place_keep(out.path, pull->keep, err);
    bool put = status == EDDY_OK && (!*same || pull->force);
    if (out_file_end(&out, put, &late) != EDDY_OK) {
        *err = late;
        return late.code;
    }
    return status;
}

static int say_result(const struct pull *pull, const char *how, int status)
{
    print_version(pull);
    printf(" is %s %s\n", how, pull->out);
    int written = finish_output();
    return written == EXIT_FINE ? status : written;
}

static int untagged(const struct pull *pull)
{
    eddy_error err = {0};
    (void)snprintf(err.message, sizeof err.message,
                   "%.100s version %s has no tag eddy.sha256: nothing tells whether its file is "
                   "the one that was registered",
                   pull->version.name, pull->version.version);
    return failed(&err);
}

static int pull_model(struct pull *pull)
{
    eddy_error err = {0};
    char hash[FILE_HASH_SIZE];
    if (model_place_hash(pull->out, hash, &err) != EDDY_OK || load_secret(pull, &err) != EDDY_OK ||
        registry_find(&pull->registry, &pull->reference, &pull->version, &err) != EDDY_OK)
        return failed(&err);
    if (pull->version.sha256[0] == '\0' && (pull->check || !pull->untagged))
        return untagged(pull);
    bool same = strcmp(hash, pull->version.sha256) == 0 && hash[0] != '\0';
    if (pull->check && !same)
        return say_result(pull, "not what is in", EXIT_NEWER);
    if (pull->check || (same && !pull->force))
        return say_result(pull, "unchanged: it is in", EXIT_FINE);
    if (install(pull, hash, &same, &err) != EDDY_OK)
        return failed(&err);
    return say_result(pull, same ? "unchanged: it is in" : "now in", EXIT_FINE);
}

int cmd_model_pull(int argc, char **argv)
{
    struct pull *pull = calloc(1, sizeof *pull);
    if (pull == NULL) {
        eddy_error err = {.message = "out of memory"};
        return failed(&err);
    }
    pull->registry = (struct registry){.server = getenv("MLFLOW_TRACKING_URI"),
                                       .client = {.timeout_ms = 60000},
                                       .max = (size_t)64 << 20};
    pull->keep = 1;
    int status = parse_options(pull, argc, argv);
    if (status < 0)
        status = pull_model(pull);
    free(pull->out);
    free(pull);
    return status;
}
