/* SPDX-License-Identifier: MIT */
/* host_options.c - the settings of the hosts. Here, and not in their folders, because all hosts
 * read one eddy.conf, `eddy options` lists it, and `eddy score -c` reads it. */
#include "host_options.h"

static const char about[] = "The daemon eddyd: what it reads, serves and writes.";

static const char about_rest[] =
    "The REST interface of eddyd; changes need a restart, but for the token.";

static const char about_suricata[] =
    "The plugin in Suricata: written directly in the map `eddy:` of an eve-log in suricata.yaml.";

static const char about_collectd[] =
    "The plugin in collectd: written directly in <Plugin eddy> of collectd.conf.";

static const eddy_option options[] = {
    {"eddyd.follow", "", "list",
     "A log to follow, [NAME=][FORMAT:]PATH (eve, zeek-json, zeek-tsv); may be set repeatedly.",
     about},
    {"eddyd.archive", "", "list",
     "A directory (or pattern of some) where rotated parts are moved to; may be set repeatedly.",
     about},
    {"eddyd.existing", "read", "read|skip",
     "What to do at the very first start with what a followed log has already.", about},
    {"eddyd.listen", "", "list",
     "[NAME=][FORMAT:] and unix_stream:PATH, unix_dgram:PATH or tcp:HOST:PORT; may be repeated.",
     about},
    {"eddyd.http", "127.0.0.1:9477", "text",
     "HOST:PORT or unix_stream:PATH where HTTP is served, or off. Other than local addresses need "
     "rest.token_file.",
     about},
    {"eddyd.checkpoint", "/var/lib/eddy/eddyd.checkpoint", "path",
     "Where the positions in the logs are kept over a restart; empty: nowhere.", about},
    {"eddyd.checkpoint_interval", "1s", "50ms..1h", "How often positions are written to disk.",
     about},
    {"eddyd.flows", "", "path", "A CSV file that gets id,score,p,detector of every flow.", about},
    {"rest.token_file", "", "path",
     "A file with the token that requests must have (Authorization: Bearer ...), for its owner "
     "only. Without it everybody who reaches eddyd.http may do everything.",
     about_rest},
    {"rest.tls_cert", "", "path", "A certificate (PEM, with its chain): HTTPS is served.",
     about_rest},
    {"rest.tls_key", "", "path", "The certificate's key (PEM).", about_rest},
    {"rest.models", "", "path",
     "A directory of model files, NAME.eddy, that are served and may be loaded; empty: none.",
     about_rest},
    {"rest.max_body", "8M", "64K..64M bytes",
     "The longest request; one that is compressed may be no longer when it is not.", about_rest},
    {"rest.max_batch", "4096", "1..65536, whole", "The most lines, or rows, of one request.",
     about_rest},
    {"rest.timeout", "10s", "1s..5m",
     "How long a client may take to send a request, a request to be worked on, and an answer to be "
     "taken.",
     about_rest},
    {"rest.connections", "32", "4..256, whole", "The most connections at a time.", about_rest},
    {"rest.parallel", "2", "1..64, whole",
     "The most requests that score or predict at a time; others wait for their turn.", about_rest},
    {"suricata.config", "", "path",
     "A file like this one, read before the map; only in suricata.yaml.", about_suricata},
    {"suricata.name", "", "text",
     "Its incidents and metrics go to NAME.json and NAME.prom in Suricata's log directory; empty: "
     "eddy, or eddy-isolated, and a second one in the same directory eddy-2.",
     about_suricata},
    {"suricata.ring", "64M", "64K..64G bytes",
     "Room for records that wait to be scored; when it is full they are dropped and counted.",
     about_suricata},
    {"suricata.isolate", "off", "on|off",
     "Whether nothing is scored inside Suricata: records are sent to eddyd through the socket.",
     about_suricata},
    {"suricata.socket", "unix_dgram:/run/eddy/suricata.sock", "text",
     "Where eddyd listens, as in eddyd.listen.", about_suricata},
    {"collectd.checkpoint", "/var/lib/collectd/eddy.checkpoint", "path",
     "Where the positions in the logs are kept over a restart; empty: nowhere.", about_collectd},
    {"collectd.checkpoint_interval", "1s", "50ms..1h", "How often positions are written to disk.",
     about_collectd},
    {"collectd.notifications_per_minute", "30", "0..6000",
     "No more incidents are sent as notifications in a minute; 0: none.", about_collectd},
};

int host_options_declare(eddy_config *config, eddy_error *err)
{
    return eddy_config_declare(config, options, sizeof options / sizeof *options, err);
}

int host_options_sensor(eddy_config *config, eddy_error *err)
{
    int status = host_options_declare(config, err);
    return status == EDDY_OK ? eddy_config_set(config, "engine.need_models", "off", err) : status;
}
