/* SPDX-License-Identifier: MIT */
/* geoip.c - country and autonomous system of an address; the only file that includes maxminddb.h.
 */
#include "enrich/geoip.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrich/mmdb_copy.h"
#include "enrich/mmdb_value.h"
#include "util/addr.h"
#include "util/error.h"
#include "util/io.h"
#include "util/log.h"

static const struct option options[] = {
    {"country", OPTION_TEXT, offsetof(struct geoip_conf, country), "", 0, 0,
     "Path of a country or city database in MaxMind DB format."},
    {"asn", OPTION_TEXT, offsetof(struct geoip_conf, asn), "", 0, 0,
     "Path of an autonomous-system database in MaxMind DB format."},
    {"country_field", OPTION_TEXT, offsetof(struct geoip_conf, country_field), "", 0, 0,
     "Where the country code is in a record, e.g. country.iso_code or country_code; empty tries "
     "both."},
    {"asn_field", OPTION_TEXT, offsetof(struct geoip_conf, asn_field), "autonomous_system_number",
     0, 0, "Where the AS number is in a record."},
    {0},
};

const struct part geoip_part = {
    .name = "geoip",
    .help = "Country and autonomous system of addresses.",
    .conf_size = sizeof(struct geoip_conf),
    .options = options,
};

/* Shared by the settings that name it; what is open never changes. */
struct database {
    /* Whoever gives up the last hold closes it: acquire and release order that after all use. */
    atomic_uint holders;
    bool open;
    MMDB_s mmdb;
    char *path;
    struct stat identity; /* of the file that was opened */
    struct stat seen;     /* of the path: what is open, or was refused since; the keeper's */
};

struct geoip {
    atomic_uint holders;
    struct database *country, *asn;        /* NULL: none */
    char country_field[64], asn_field[64]; /* "" = the usual ones */
};

/* ---- one database ---- */

static void database_drop(struct database *db)
{
    if (db == NULL || atomic_fetch_sub_explicit(&db->holders, 1, memory_order_acq_rel) > 1)
        return;
    if (db->open)
        MMDB_close(&db->mmdb);
    free(db->path);
    free(db);
}

static int database_read(struct database *db, const char *path, eddy_error *err)
{
    db->path = strdup(path);
    if (db->path == NULL)
        return error_nomem(err);
    int fd = mmdb_copy(path, &db->identity, err);
    if (fd < 0)
        return fd;
    char name[32];
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd); /* always fits */
    int status = MMDB_open(name, MMDB_MODE_MMAP, &db->mmdb);
    (void)close(fd); /* the mapping keeps the memory */
    if (status != MMDB_SUCCESS)
        return error_set(err, EDDY_EIO, "%s: %s", path, MMDB_strerror(status));
    db->open = true;
    db->seen = db->identity;
    return EDDY_OK;
}

static int database_open(const char *path, struct database **out, eddy_error *err)
{
    struct database *db = calloc(1, sizeof *db);
    if (db == NULL)
        return error_nomem(err);
    atomic_init(&db->holders, 1);
    int status = database_read(db, path, err);
    if (status != EDDY_OK)
        database_drop(db);
    else
        *out = db;
    return status;
}

/* Gone for a moment: keep what we have. */
static bool database_differs(const struct database *db, const struct stat *was, struct stat *now)
{
    return stat(db->path, now) == 0 && io_differs(was, now);
}

/* The file of one that is open, if that is to be opened anew. What is refused is noted, and not
 * copied again until it changes again. What is good is not: should the settings that it is for not
 * come into force, the next look finds it again. */
static bool database_renew(struct database *before, const struct geoip_renewal *how,
                           struct database **out)
{
    struct stat now;
    eddy_error why;
    if (!database_differs(before, how->only_changed ? &before->seen : &before->identity, &now))
        return false;
    if (io_differs(&before->identity, &now)) {
        if (database_open(before->path, out, &why) == EDDY_OK) {
            log_line(how->log, LOG_LEVEL_NOTICE, "geoip: %s reloaded", before->path);
            return true;
        }
        log_line(how->log, LOG_LEVEL_ERROR, "geoip: keeping the database in use: %s", why.message);
    }
    before->seen = now;
    return false;
}

static bool database_changed(const struct database *db)
{
    struct stat now;
    return db != NULL && database_differs(db, &db->seen, &now);
}

/* The database at the path: the one before, or what its file has become. */
static int database_take(const char *path, struct database *before, const struct geoip_renewal *how,
                         struct database **out, eddy_error *err)
{
    if (path[0] == '\0')
        return EDDY_OK;
    if (before == NULL || strcmp(before->path, path) != 0)
        return database_open(path, out, err);
    if (database_renew(before, how, out))
        return EDDY_OK;
    atomic_fetch_add_explicit(&before->holders, 1, memory_order_relaxed);
    *out = before;
    return EDDY_OK;
}

/* ---- both ---- */

static int take_field(char out[64], const char *field, eddy_error *err)
{
    if (strlen(field) >= 64)
        return error_set(err, EDDY_ECONFIG, "geoip: field '%.40s...' is too long", field);
    memcpy(out, field, strlen(field) + 1);
    return EDDY_OK;
}

static bool is_same(const struct geoip *a, const struct geoip *b)
{
    return a != NULL && a->country == b->country && a->asn == b->asn &&
           strcmp(a->country_field, b->country_field) == 0 &&
           strcmp(a->asn_field, b->asn_field) == 0;
}

int geoip_renew(const struct geoip_conf *conf, const struct geoip_renewal *how, struct geoip **out,
                eddy_error *err)
{
    struct geoip *before = how->before, *g = calloc(1, sizeof *g);
    if (g == NULL)
        return error_nomem(err);
    atomic_init(&g->holders, 1);
    int status = take_field(g->country_field, conf->country_field, err);
    if (status == EDDY_OK)
        status = take_field(g->asn_field, conf->asn_field, err);
    if (status == EDDY_OK)
        status = database_take(conf->country, before == NULL ? NULL : before->country, how,
                               &g->country, err);
    if (status == EDDY_OK)
        status = database_take(conf->asn, before == NULL ? NULL : before->asn, how, &g->asn, err);
    if (status != EDDY_OK || is_same(before, g)) {
        geoip_close(g);
        g = before;
        if (status == EDDY_OK)
            atomic_fetch_add_explicit(&before->holders, 1, memory_order_relaxed);
    }
    if (status == EDDY_OK)
        *out = g;
    return status;
}

int geoip_open(const struct geoip_conf *conf, struct geoip **out, eddy_error *err)
{
    return geoip_renew(conf, &(struct geoip_renewal){0}, out, err);
}

void geoip_close(struct geoip *g)
{
    if (g == NULL || atomic_fetch_sub_explicit(&g->holders, 1, memory_order_acq_rel) > 1)
        return;
    database_drop(g->country);
    database_drop(g->asn);
    free(g);
}

bool geoip_changed(const struct geoip *g)
{
    return database_changed(g->country) || database_changed(g->asn);
}

/* ---- looking up ---- */

/* Where the record of the address begins in the data section. Anything odd in the file means
 * that nothing is known. */
static bool database_find(const struct database *db, const uint8_t address[16],
                          struct mmdb_section *section, size_t *offset)
{
    if (db == NULL)
        return false;
    bool v4 = addr_is_v4(address);
    if (!v4 && db->mmdb.metadata.ip_version != 6)
        return false;
    struct sockaddr_in in4 = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memcpy(&in4.sin_addr, address + 12, 4);
    memcpy(&in6.sin6_addr, address, 16);
    const struct sockaddr *key = v4 ? (const struct sockaddr *)&in4 : (const struct sockaddr *)&in6;
    int status = MMDB_SUCCESS;
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&db->mmdb, key, &status);
    if (status != MMDB_SUCCESS || !found.found_entry)
        return false;
    *section = (struct mmdb_section){db->mmdb.data_section, db->mmdb.data_section_size};
    *offset = found.entry.offset;
    return true;
}

static bool find_country(const char *field, const struct mmdb_section *section, size_t offset,
                         const char **code, size_t *length)
{
    if (field[0] != '\0')
        return mmdb_text(section, offset, field, code, length);
    return mmdb_text(section, offset, "country.iso_code", code, length) ||
           mmdb_text(section, offset, "country_code", code, length) ||
           mmdb_text(section, offset, "registered_country.iso_code", code, length);
}

void geoip_find(const struct geoip *g, const uint8_t address[16], struct place *place)
{
    struct mmdb_section section;
    size_t offset, length;
    const char *code;
    uint64_t asn;
    if (database_find(g->country, address, &section, &offset) &&
        find_country(g->country_field, &section, offset, &code, &length) && length == 2 &&
        code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z') {
        place->country[0] = code[0];
        place->country[1] = code[1];
    }
    if (database_find(g->asn, address, &section, &offset) &&
        mmdb_number(&section, offset, g->asn_field, &asn) && asn <= UINT32_MAX)
        place->asn = (uint32_t)asn;
}

uint64_t geoip_country_built(const struct geoip *g)
{
    return g->country != NULL ? g->country->mmdb.metadata.build_epoch : 0;
}

uint64_t geoip_asn_built(const struct geoip *g)
{
    return g->asn != NULL ? g->asn->mmdb.metadata.build_epoch : 0;
}
