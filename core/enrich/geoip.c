/* SPDX-License-Identifier: MIT */
/* geoip.c - country and autonomous system of an address; the only file that includes maxminddb.h.
 */
#include "enrich/geoip.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrich/mmdb_copy.h"
#include "enrich/mmdb_value.h"
#include "util/addr.h"
#include "util/error.h"

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

struct database {
    bool open;
    MMDB_s mmdb;
    char *path;
    char field[64]; /* "" = the usual ones */
    struct stat identity;
};

struct geoip {
    struct database country, asn;
};

/* ---- opening ---- */

static int database_open(struct database *db, const char *path, const char *field, eddy_error *err)
{
    if (path[0] == '\0')
        return EDDY_OK;
    if (strlen(field) >= sizeof db->field)
        return error_set(err, EDDY_ECONFIG, "geoip: field '%.40s...' is too long", field);
    memcpy(db->field, field, strlen(field) + 1);
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
    return EDDY_OK;
}

static void database_close(struct database *db)
{
    if (db->open)
        MMDB_close(&db->mmdb);
    free(db->path);
}

int geoip_open(const struct geoip_conf *conf, struct geoip **out, eddy_error *err)
{
    struct geoip *g = calloc(1, sizeof *g);
    if (g == NULL)
        return error_nomem(err);
    int status = database_open(&g->country, conf->country, conf->country_field, err);
    if (status == EDDY_OK)
        status = database_open(&g->asn, conf->asn, conf->asn_field, err);
    if (status != EDDY_OK) {
        geoip_close(g);
        return status;
    }
    *out = g;
    return EDDY_OK;
}

void geoip_close(struct geoip *g)
{
    if (g == NULL)
        return;
    database_close(&g->country);
    database_close(&g->asn);
    free(g);
}

/* A change is told once: a file that can't be opened is not copied again until it changes again. */
static bool database_changed(struct database *db)
{
    struct stat now;
    if (!db->open || stat(db->path, &now) != 0)
        return false; /* gone for a moment: keep what we have */
    struct stat was = db->identity;
    db->identity = now;
    return now.st_ino != was.st_ino || now.st_dev != was.st_dev || now.st_size != was.st_size ||
           now.st_mtim.tv_sec != was.st_mtim.tv_sec || now.st_mtim.tv_nsec != was.st_mtim.tv_nsec;
}

bool geoip_changed(struct geoip *g)
{
    bool country = database_changed(&g->country), asn = database_changed(&g->asn);
    return country || asn;
}

/* ---- looking up ---- */

/* Where the record of the address begins in the data section. Anything odd in the file means
 * that nothing is known. */
static bool database_find(const struct database *db, const uint8_t address[16],
                          struct mmdb_section *section, size_t *offset)
{
    if (!db->open)
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

static bool find_country(const struct database *db, const struct mmdb_section *section,
                         size_t offset, const char **code, size_t *length)
{
    if (db->field[0] != '\0')
        return mmdb_text(section, offset, db->field, code, length);
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
    if (database_find(&g->country, address, &section, &offset) &&
        find_country(&g->country, &section, offset, &code, &length) && length == 2 &&
        code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z') {
        place->country[0] = code[0];
        place->country[1] = code[1];
    }
    if (database_find(&g->asn, address, &section, &offset) &&
        mmdb_number(&section, offset, g->asn.field, &asn) && asn <= UINT32_MAX)
        place->asn = (uint32_t)asn;
}

uint64_t geoip_country_built(const struct geoip *g)
{
    return g->country.open ? g->country.mmdb.metadata.build_epoch : 0;
}

uint64_t geoip_asn_built(const struct geoip *g)
{
    return g->asn.open ? g->asn.mmdb.metadata.build_epoch : 0;
}
