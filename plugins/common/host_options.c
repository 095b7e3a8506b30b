/* SPDX-License-Identifier: MIT */
/* host_options.c - the settings of the hosts. Here, and not in their folders, because all hosts
 * read one eddy.conf, `eddy options` lists it, and `eddy score -c` reads it. */
#include "host_options.h"

static const char about[] = "The daemon eddyd: what it reads, serves and writes.";

static const eddy_option options[] = {
    {"eddyd.follow", "", "list",
     "A log to follow, [NAME=][FORMAT:]PATH (eve, zeek-json, zeek-tsv); may be set repeatedly.",
     about},
    {"eddyd.archive", "", "list",
     "A directory (or pattern) where rotated parts are moved, looked at after a restart.", about},
    {"eddyd.existing", "read", "read|skip",
     "What to do at the very first start with what a followed log has already.", about},
    {"eddyd.listen", "", "list",
     "A socket, [NAME=] and unix_stream:PATH, unix_dgram:PATH or tcp:HOST:PORT; may be repeated.", about},
    {"eddyd.http", "127.0.0.1:9477", "text",
     "HOST:PORT of /metrics, /healthz and /readyz, or off. There is no login: keep it local.",
     about},
    {"eddyd.checkpoint", "/var/lib/eddy/eddyd.checkpoint", "path",
     "Where the positions in the logs are kept over a restart; empty: nowhere.", about},
    {"eddyd.checkpoint_interval", "1s", "50ms..1h", "How often positions are written to disk.",
     about},
    {"eddyd.flows", "", "path", "A CSV file that gets id,score,p,detector of every flow.", about},
};

int host_options_declare(eddy_config *config, eddy_error *err)
{
    return eddy_config_declare(config, options, sizeof options / sizeof *options, err);
}
