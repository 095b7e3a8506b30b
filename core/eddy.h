/* SPDX-License-Identifier: MIT */
/**
 * @file eddy.h
 * Score network flows for anomalies. This is all of libeddy's public interface;
 * what is not declared here is private.
 *
 *     engine   one per process: settings, GeoIP, host table, incidents, outputs
 *     worker   one per thread and input stream: decodes, scores, counts
 *
 * A complete host, error checks left out:
 *
 *     eddy_config *cfg = eddy_config_new();
 *     eddy_config_load(cfg, "/etc/eddy/eddy.conf", &err);
 *     eddy_engine_new(cfg, &hooks, &engine, &err);
 *     eddy_config_free(cfg);
 *     eddy_worker_new(engine, "sensor1", NULL, &worker, &err);
 *     while ((n = read(fd, buf, sizeof buf)) > 0)
 *         eddy_worker_feed(worker, buf, (size_t)n);
 *     eddy_worker_end(worker);
 *     eddy_worker_free(worker);
 *     eddy_engine_free(engine);
 *
 * Rules that hold for every function:
 *
 * Arguments  In order: the object, what goes in, what comes out, `err`.
 * Errors     An int result >= 0 is success, < 0 is an eddy_status. What comes out is
 *            written only on success. `err` is filled on failure; it may be NULL.
 * Ownership  What *_new gives, its *_free takes back; *_free(NULL) does nothing.
 *            Any other pointer libeddy hands out belongs to libeddy and is valid
 *            until the call (or callback) returns. Text passed in is copied.
 * Threads    A config or a worker is used by one thread at a time, an engine by any.
 *            eddy_worker_feed and _score allocate nothing once a stream is under way (a
 *            compressed one allocates its decoder at its first bytes) and do no I/O, but
 *            for one log line for the first record of a stream rejected for each reason.
 *            Workers of one engine share its host table and take turns at it, flow by
 *            flow, for a few microseconds, and with the deepest model file that is taken, for
 *            hundreds (models/README.md); a single worker never waits.
 * Time       Everything is judged by the flows' own time; the wall clock is never read
 *            on the way from a flow to an incident. The same bytes give the same incidents.
 * ABI        Within one SONAME, programs built with an older header keep working:
 *            opaque types change freely; structs made by callers carry their `size`;
 *            structs made by libeddy grow at the end; eddy_error, eddy_verdict and
 *            eddy_reason are final; enums gain values and never renumber.
 */
#ifndef EDDY_H
#define EDDY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDDY_VERSION_MAJOR 0
#define EDDY_VERSION_MINOR 1
#define EDDY_VERSION_PATCH 0

#if defined(__GNUC__)
#define EDDY_API     __attribute__((visibility("default")))
#define EDDY_CHECKED __attribute__((visibility("default"), warn_unused_result))
#else
#define EDDY_API
#define EDDY_CHECKED
#endif

/** Version of the library in use, "0.1.0"; compare with EDDY_VERSION_*. */
EDDY_API const char *eddy_version(void);

/** What the library was built with, "yajl 2.1.0, libmaxminddb 1.7.1, zlib 1.2.13, zstd 1.5.4". */
EDDY_API const char *eddy_built_with(void);

/* ---- Errors ------------------------------------------------------------- */

typedef enum eddy_status {
    EDDY_OK = 0,
    EDDY_ENOMEM = -1,  /**< out of memory */
    EDDY_EUSAGE = -2,  /**< a call this header forbids: a bug in the caller */
    EDDY_EIO = -3,     /**< a file or socket failed; the message says which */
    EDDY_ECONFIG = -4, /**< unknown setting, or a value out of its range */
    EDDY_EINPUT = -7   /**< the stream is not in a format the worker reads */
} eddy_status;

/** What went wrong, in words for the person who set it up. */
typedef struct eddy_error {
    int code;          /**< an eddy_status */
    char message[252]; /**< one line, no newline: "/etc/eddy/eddy.conf:12: ..." */
} eddy_error;

/** Fixed English text for an eddy_status; never NULL. */
EDDY_API const char *eddy_strerror(int status);

/* ---- Settings ----------------------------------------------------------- */

/** Settings by name. Hosts pass on key and value as text, so that a new setting
 *  needs no change in any host. */
typedef struct eddy_config eddy_config;

typedef struct eddy_option {
    const char *key;     /**< "beacon.min_flows" */
    const char *initial; /**< as it would be written in the file */
    const char *range;   /**< "0..1", "on|off", "text", "path", "list" (may be set repeatedly) */
    const char *help;    /**< one sentence */
    const char *section; /**< what the section is about, one sentence */
} eddy_option;

typedef int eddy_option_fn(const eddy_option *option, void *user);

/** All settings at their initial values. NULL only when out of memory. */
EDDY_CHECKED eddy_config *eddy_config_new(void);
EDDY_API void eddy_config_free(eddy_config *config);

/** Adds a host's own settings, so that they are checked, listed and written in the same
 *  file as the library's. `range` is checked in the forms listed above. The array is
 *  kept (must outlive the config). Read them back with eddy_config_value(). */
EDDY_CHECKED int eddy_config_declare(eddy_config *config, const eddy_option *options, size_t count,
                                     eddy_error *err);

/** Sets "section.name", e.g. ("geoip.asn", "/usr/share/GeoIP/asn.mmdb"). A later set
 *  wins, but for a "list", to which it adds. Fails with EDDY_ECONFIG and changes nothing. */
EDDY_CHECKED int eddy_config_set(eddy_config *config, const char *key, const char *value,
                                 eddy_error *err);

/** Reads an INI file of `[section]` and `name = value` lines (comments: `#` and `;`).
 *  Stops at the first bad line; the message names file and line. */
EDDY_CHECKED int eddy_config_load(eddy_config *config, const char *path, eddy_error *err);

/** The text of a setting as set, else its initial text; the entries of a "list" are
 *  joined by newlines. NULL for an unknown key. Valid until the config is changed. */
EDDY_API const char *eddy_config_value(const eddy_config *config, const char *key);

/** Visits every setting, in file order. In this and all visits below, a non-zero
 *  result of `each` ends the visit and is returned. */
EDDY_API int eddy_config_options(const eddy_config *config, eddy_option_fn *each, void *user);

/* ---- Flows, verdicts, incidents ----------------------------------------- */

#define EDDY_UNSET UINT64_MAX /**< a count the sensor did not report */

/** How far the connection got, the same for every sensor: core/ingest/README.md has the
 *  mapping of Zeek's conn_state and of Suricata's state and TCP flags. */
typedef enum eddy_conn {
    EDDY_CONN_MIDSTREAM = 0,   /**< start not seen, or not known */
    EDDY_CONN_ATTEMPT = 1,     /**< never established: no answer, or refused */
    EDDY_CONN_ESTABLISHED = 2, /**< established, end not seen */
    EDDY_CONN_CLOSED = 3       /**< established and ended, normally or by reset */
} eddy_conn;

#define EDDY_QUALITY_DERIVED   (1u << 0) /**< byte counts were derived from frame lengths */
#define EDDY_QUALITY_DIRECTION (1u << 1) /**< who began is uncertain */
#define EDDY_QUALITY_GAP       (1u << 2) /**< the sensor lost packets of this flow */

/** One finished connection. "out" is from src to dst. Start from
 *  `eddy_flow flow = {.size = sizeof flow};`. */
typedef struct eddy_flow {
    uint32_t size;     /**< sizeof(eddy_flow) of the caller */
    uint16_t src_port; /**< 0 where the protocol has none */
    uint16_t dst_port;
    uint8_t src[16]; /**< network order; IPv4 as ::ffff:a.b.c.d */
    uint8_t dst[16];
    int64_t start_us;     /**< first packet, microseconds since 1970, UTC */
    uint64_t duration_us; /**< this and the four counts may be EDDY_UNSET */
    uint64_t bytes_out;   /**< IP packets with their headers, without the link layer */
    uint64_t bytes_in;
    uint64_t packets_out, packets_in;
    uint8_t proto; /**< IANA number: 1 ICMP, 6 TCP, 17 UDP */
    uint8_t state; /**< an eddy_conn */
    uint8_t tcp_out,
        tcp_in; /**< TCP flags seen from each side (RFC 9293: FIN 1, SYN 2, RST 4, PSH 8, ACK 16) */
    uint8_t quality; /**< EDDY_QUALITY_* */
    char app[15];    /**< "http", "dns", "tls"; empty if not known */
    char id[40];     /**< the sensor's name for the flow, kept as is */
} eddy_flow;

typedef struct eddy_verdict {
    double score;         /**< -log10(p): 0 = usual, 3 = one in a thousand; NAN if not scored */
    double p;             /**< how often something this unusual is seen here, 0..1; 1 = usual */
    const char *detector; /**< that found it most unusual, or "" */
    uint32_t flags;       /**< EDDY_IN_INCIDENT | ... */
} eddy_verdict;

#define EDDY_IN_INCIDENT (1u << 0) /**< opened an incident or became part of one */
#define EDDY_SUPPRESSED  (1u << 1) /**< unusual, but covered by a suppression */
#define EDDY_CLEANED     (1u << 2) /**< impossible values were corrected first */
#define EDDY_REJECTED    (1u << 3) /**< could not be made sense of; not scored */
#define EDDY_LEARNING    (1u << 4) /**< too little seen yet to judge */

/** Why: one quantity, the largest share first. Counter-evidence has a negative share. */
typedef struct eddy_reason {
    const char *feature; /**< what was measured, e.g. a name from eddy_features() */
    const char *text;    /**< "64 connections every 600 s +-12 %" */
    double value;        /**< now */
    double usual;        /**< the middle of what is usual; NAN if there is none */
    double share;        /**< of the evidence, -1..1 */
} eddy_reason;

typedef enum eddy_severity { EDDY_LOW = 1, EDDY_MEDIUM = 2, EDDY_HIGH = 3 } eddy_severity;

typedef enum eddy_incident_state {
    EDDY_INCIDENT_NEW = 0,
    EDDY_INCIDENT_GROWING = 1,
    EDDY_INCIDENT_CLOSED = 2,
    EDDY_INCIDENT_QUIET = 3 /**< nothing new for a quarter of decide.quiet; more makes it grow */
} eddy_incident_state;

/** What the sensor saw beside the flows: a TLS server name, a fingerprint, a DNS name. */
typedef struct eddy_name {
    const char *kind;  /**< "sni", "ja3", "ja4", "http_host", "dns" */
    const char *value; /**< printable ASCII */
} eddy_name;

/** What a person would want to see as a plot. */
typedef struct eddy_evidence {
    const char
        *kind; /**< "gaps" (y over x), "over_time" (likewise), "distribution" (y of each x) */
    const char *x_name; /**< of the axis, with its unit */
    const char *y_name;
    const float *x, *y; /**< `count` points */
    size_t count;
    double mark; /**< where on the x axis of a distribution this incident is; else NAN */
} eddy_evidence;

/** What an analyst sees: evidence about one host from one detector over a window.
 *  Made by libeddy, read by hosts; it is passed on when it opens, grows, falls quiet and closes. */
typedef struct eddy_incident {
    const char *id;           /**< stable: the same input gives the same id */
    const char *detector;     /**< "beacon" */
    const char *technique;    /**< MITRE ATT&CK, "T1071" */
    uint8_t host[16];         /**< whom it is about */
    uint8_t peer[16];         /**< the main other end; all zero if there is none */
    uint16_t peer_port;       /**< 0 if there is no single one */
    uint8_t proto;            /**< IANA number of the flow that weighed most */
    const char *host_country; /**< ISO 3166 code, or "" */
    const char *peer_country;
    uint32_t host_asn; /**< 0 if not known */
    uint32_t peer_asn;
    int64_t start_us, end_us; /**< of the flows in it, event time */
    uint64_t flows;           /**< that are part of it */
    double p;                 /**< of the whole: corrected for how many were looked at */
    double score;             /**< -log10(p) */
    int severity;             /**< an eddy_severity */
    int state;                /**< an eddy_incident_state */
    int withheld;             /**< 1: over the budget or suppressed; counted and listed, not sent */
    const eddy_reason *reasons;
    size_t reason_count;
    const char *const *flow_ids; /**< some of its flows, by the sensor's own id */
    size_t flow_id_count;
    const char *summary;       /**< one sentence for a person */
    const char *suppressed_by; /**< id of the suppression that covers it, or "" */
    const eddy_name *names;
    size_t name_count;
    const eddy_evidence *evidence; /**< NULL if there is none */
    int64_t activity_start_us;     /**< flows over time: activity[i] began in the i-th step */
    int64_t activity_step_us;
    const uint32_t *activity;
    size_t activity_count;
} eddy_incident;

/** Writes the incident as one line of JSON without newline. Like snprintf: returns the
 *  length needed without the NUL; the text was cut if that is >= size. */
EDDY_API int eddy_incident_json(const eddy_incident *incident, char *buf, size_t size);

/** Writes an address as inet_ntop does, IPv4-mapped ones as IPv4. Returns `buf`. */
EDDY_API const char *eddy_address_text(const uint8_t address[16], char buf[46]);

/* ---- Engine ------------------------------------------------------------- */

typedef struct eddy_engine eddy_engine;

/** Called back by libeddy; each may be NULL. `scored` and `incident` run on the
 *  worker's thread, inside the call that took the flow, so they must not block;
 *  `log` may run on any thread. None of them may call back into the engine or a worker;
 *  `housekeeping` may call the engine, but not free it. */
typedef struct eddy_hooks {
    size_t size; /**< sizeof(eddy_hooks) of the caller */
    void *user;  /**< passed to all */
    /** Every flow, unusual or not, with its feature columns: for training data and replies. */
    void (*scored)(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                   void *user);
    /** Every incident when it opens, grows (at each doubling of its flows), falls quiet and
     *  closes; withheld and suppressed ones too. */
    void (*incident)(const eddy_incident *incident, void *user);
    /** One line without newline, at a syslog(3) level. NULL: to stderr. */
    void (*log)(int level, const char *message, void *user);
    /** Some five times a second on the housekeeping thread, if there is one: for what a host must
     *  not do on its own threads, such as a reload. It may block; not while outputs do. */
    void (*housekeeping)(eddy_engine *engine, void *user);
} eddy_hooks;

/** Opens databases and outputs, allocates `state.memory` and, unless `engine.thread = off`,
 *  starts one housekeeping thread: call it after the host has forked. The config is
 *  copied; `hooks` may be NULL. */
EDDY_CHECKED int eddy_engine_new(const eddy_config *config, const eddy_hooks *hooks,
                                 eddy_engine **out, eddy_error *err);

/** Closes what is open (incidents, outputs) and gives up the caller's hold. Workers keep
 *  the engine alive until the last one is freed, so any order of freeing is safe. */
EDDY_API void eddy_engine_free(eddy_engine *engine);

/** Takes over new settings and opens outputs, and databases and models that have changed, while
 *  flows are being scored. On failure everything stays as it was. A database or model that a
 *  setting named before and that can't be opened any more is no failure: the one in use stays,
 *  which is logged. What needs a restart (state.memory, state.seed, engine.thread) or a new stream
 *  (ingest.*) is logged and keeps its old value. Waits for an output that blocks. */
EDDY_CHECKED int eddy_engine_reload(eddy_engine *engine, const eddy_config *config,
                                    eddy_error *err);

/** Does the housekeeping: hands all incidents to the outputs; writes metrics, and then looks
 * whether databases or models have changed, if that is due. May block on I/O. Hosts without the
 * thread call it about once a second; others may call it to have incidents written now. */
EDDY_API int eddy_engine_tick(eddy_engine *engine);

/** The input has ended for good: closes every open incident as of the last flow's time. */
EDDY_API int eddy_engine_end(eddy_engine *engine);

/** Changes one setting of those in force, as a reload would: "forest.model" takes a model up, ""
 *  gives it up; to a "list" it adds. Opens outputs only if it is an output's setting. A model that
 *  is set must be good, whatever was in use before (codes as eddy_model_open(); the message names
 *  setting and file). All workers score with it from the same flow on. Calls at the same time take
 *  turns. A host's own settings are not the engine's. A later reload of the whole configuration
 *  knows nothing of it. */
EDDY_CHECKED int eddy_engine_set(eddy_engine *engine, const char *key, const char *value,
                                 eddy_error *err);

typedef enum eddy_pass {
    EDDY_PASS_SCORE = 0, /**< score, learn, decide: as on a sensor (initial) */
    EDDY_PASS_LEARN = 1  /**< only learn: the first of two passes over the same input */
} eddy_pass;

/** For forensics: begin EDDY_PASS_LEARN, feed everything, then begin EDDY_PASS_SCORE and
 *  feed everything again. The second pass starts with empty windows and what was learned. */
EDDY_CHECKED int eddy_engine_begin(eddy_engine *engine, eddy_pass pass);

typedef enum eddy_kind { EDDY_COUNTER = 0, EDDY_GAUGE = 1 } eddy_kind;

typedef struct eddy_metric {
    const char *name; /**< "eddy_flows_total", Prometheus style */
    const char *help;
    const char *labels; /**< "input=\"eve\",result=\"scored\"" or "": values are escaped */
    double value;
    eddy_kind kind;
} eddy_metric;

typedef int eddy_metric_fn(const eddy_metric *metric, void *user);

/** Visits one snapshot of all metrics; samples of one name come together.
 *  Workers are not paused: a count may lag by the flows in progress. */
EDDY_API int eddy_engine_metrics(eddy_engine *engine, eddy_metric_fn *each, void *user);

/** Visits every metric there is, in the same order, without samples: name, help and kind; no
 *  labels, value 0. For hosts that must declare metrics before there is an engine. */
EDDY_API int eddy_metrics(eddy_metric_fn *each, void *user);

/** All metrics in Prometheus text format 0.0.4. Like snprintf: returns the length needed. */
EDDY_API int eddy_engine_metrics_text(eddy_engine *engine, char *buf, size_t size);

/* ---- What people say: suppressions and marks ----------------------------- */

/** Which of the two files that people write; core/vet/README.md has their keys. */
typedef enum eddy_said {
    EDDY_SUPPRESSIONS = 0, /**< suppress.path: what is to be silenced */
    EDDY_MARKS = 1         /**< feedback.path: incidents that were benign or malicious */
} eddy_said;

typedef struct eddy_word {
    const char *key, *value; /**< "src", "10.0.0.5" */
} eddy_word;

/** One line of such a file. */
typedef struct eddy_entry {
    const char *id;   /**< of the suppression, or of the incident that was marked */
    unsigned line;    /**< from 1 */
    const char *text; /**< as written, without what follows a # */
    const eddy_word *words;
    size_t word_count;
    int64_t expires_us; /**< event time; INT64_MAX: never */
} eddy_entry;

typedef int eddy_entry_fn(const eddy_entry *entry, void *user);

/** Checks the text of such a file as an engine would, all of it, and only then visits its
 *  entries. `name` is what messages call it: "name:3: port=0: not in 1..65535" (EDDY_ECONFIG).
 *  `each` may be NULL. */
EDDY_API int eddy_said_check(eddy_said which, const char *name, const char *text,
                             eddy_entry_fn *each, void *user, eddy_error *err);

/** What a suppression in force has done. */
typedef struct eddy_rule {
    const char *id;
    unsigned line;
    uint64_t hits;   /**< findings it has covered */
    uint64_t flows;  /**< that match it, unusual or not; counted with suppress.count_all only */
    int64_t last_us; /**< event time of the last hit; 0: never */
} eddy_rule;

typedef int eddy_rule_fn(const eddy_rule *rule, void *user);

/** Visits the suppressions in force, expired ones included, in the order of their file. `flows`,
 *  unless NULL, becomes the number of flows that match any of them, counted likewise. */
EDDY_API int eddy_engine_rules(eddy_engine *engine, eddy_rule_fn *each, void *user,
                               uint64_t *flows);

/* ---- Model files: models/README.md --------------------------------------- */

/** A file that a model was trained from. */
typedef struct eddy_model_data {
    const char *path; /**< it is read once more, for its SHA-256; "-": there is none to read */
    uint64_t flows;   /**< scored */
    int64_t first_us; /**< when the first and the last of them began, since 1970 */
    int64_t last_us;
} eddy_model_data;

/** Where a model comes from, for its metadata. Start from
 *  `eddy_model_origin origin = {.size = sizeof origin};`. */
typedef struct eddy_model_origin {
    size_t size;
    const char *name;    /**< "office" */
    const char *version; /**< "1.0.0" */
    int64_t created_s;   /**< wall clock, as a Unix time */
    const eddy_model_data *data;
    size_t data_count;
} eddy_model_origin;

/** Grows a forest of what detector iforest has seen so far and writes it to a file, which
 *  iforest.model can then name. Takes some milliseconds, while flows are being scored. */
EDDY_CHECKED int eddy_engine_save_model(eddy_engine *engine, const eddy_model_origin *origin,
                                        const char *path, eddy_error *err);

/** Reads a model file and checks it as the engine does before it uses one. Writes what it is
 *  as one line of JSON: "sha256" of the file, "trees", "bytes", "metadata". Like snprintf: returns
 *  the length needed. */
EDDY_CHECKED int eddy_model_check(const char *path, char *buf, size_t size, eddy_error *err);

/** A model read from a file, to be asked directly, row by row: for serving, tests and training.
 *  Never changes; may be used by any number of threads at once. */
typedef struct eddy_model eddy_model;

/** Reads the file, checks every byte, runs its golden rows. EDDY_EIO: can't be read; EDDY_EINPUT:
 *  no model file, damaged, or not what it says; EDDY_ECONFIG: made for other columns. */
EDDY_CHECKED int eddy_model_open(const char *path, eddy_model **out, eddy_error *err);
EDDY_API void eddy_model_free(eddy_model *model);

typedef struct eddy_model_info {
    size_t size;          /**< sizeof(eddy_model_info) of the caller */
    const char *name;     /**< "office"; this and the texts below are valid as long as the model */
    const char *version;  /**< "2026.11" */
    const char *kind;     /**< "isolation", "classes" or "boosted" */
    const char *sha256;   /**< of the file, as sha256sum prints it */
    const char *metadata; /**< JSON, one line */
    size_t trees, columns;
    size_t outputs;        /**< numbers that it gives for each row */
    const uint8_t *column; /**< `columns` places of its columns among those of eddy_features() */
    const char *const *output; /**< names of its outputs: "score", or its classes */
    size_t benign;             /**< the output that is no attack; `outputs` where there is none */
    size_t sums;               /**< numbers of each leaf; boosted trees with two classes have one */
    size_t threshold_bytes;    /**< 4: thresholds are floats; 8: doubles */
    double normaliser;         /**< of an isolation forest: c(samples of a tree); else 1 */
    const double *base;        /**< what `sums` sums begin with; NULL: with 0 */
    const char *const *technique; /**< of each output: MITRE ATT&CK, or "" */
    double alert, weight;         /**< of a classifier, as its file has them; else 0 */
} eddy_model_info;

EDDY_API void eddy_model_describe(const eddy_model *model, eddy_model_info *out);

/** Works out `count` rows of `columns` doubles each, in the order of eddy_model_info.column, into
 *  `count` times `outputs` doubles: of an isolation forest the score, 0..1, 0.5 is usual; of others
 *  the probability of each class. They equal the trainer's bit for bit (scores: to 2 ulp), but for
 *  those of XGBoost, which adds up in float: there to about six digits. Beyond
 *  the range of a float, values count as its ends; NaN is a missing value. */
EDDY_API void eddy_model_predict(const eddy_model *model, const double *rows, size_t count,
                                 double *out);

/** Before the last step: what the trees' leaves add up to, `outputs` doubles a row (boosted
 *  trees with two classes: the sum and 0). For tests of parity. */
EDDY_API void eddy_model_sums(const eddy_model *model, const double *rows, size_t count,
                              double *out);

/** A node of a model's trees, as its file has it. */
typedef struct eddy_model_node {
    size_t tree;         /**< from 0 on */
    size_t number;       /**< within its tree; 0 is the root */
    const double *value; /**< of a leaf: eddy_model_info.sums numbers; NULL: it splits */
    size_t column;       /**< place among the model's own columns */
    double threshold;    /**< a row goes left where its value is not above it */
    int missing_left;    /**< a missing value goes left */
    size_t left;         /**< number of the left child; the right one is the next */
    uint32_t cover;      /**< training samples that came by */
} eddy_model_node;

/** Both return 0 to go on, or a positive number to end the visit. */
typedef int eddy_model_node_fn(const eddy_model_node *node, void *user);
typedef int eddy_model_golden_fn(const double *row, void *user);

/** Reads and checks a model file as eddy_model_open() does, then visits the nodes of all its trees,
 *  tree by tree in the file's order, or its golden rows, each with the model's own columns. Returns
 *  what the last `each` returned. */
EDDY_CHECKED int eddy_model_nodes(const char *path, eddy_model_node_fn *each, void *user,
                                  eddy_error *err);
EDDY_CHECKED int eddy_model_golden(const char *path, eddy_model_golden_fn *each, void *user,
                                   eddy_error *err);

/** A model file in use. One that a setting names and that was refused is none. */
typedef struct eddy_model_use {
    const char *setting; /**< "forest.model", "forest.challenger", "iforest.model" ... */
    const char *path;
    const eddy_model *model; /**< valid until `each` returns */
} eddy_model_use;

typedef int eddy_model_use_fn(const eddy_model_use *use, void *user);

/** Visits the model files in use. */
EDDY_API int eddy_engine_models(eddy_engine *engine, eddy_model_use_fn *each, void *user);

#define EDDY_FEATURE_BINS 16

/** Counts values of a column (its place among eddy_features()) in the bins that model files keep of
 *  it, adding to `bins`. EDDY_EUSAGE: there is no such column. */
EDDY_API int eddy_feature_bins(size_t column, const double *values, size_t count,
                               uint32_t bins[EDDY_FEATURE_BINS]);

/** The SHA-256, in hexadecimal, of the names and formulas of columns, as model files hold it.
 *  EDDY_EUSAGE: there is no such column, or too many. */
EDDY_API int eddy_feature_fingerprint(const uint8_t *columns, size_t count, char out[65]);

/* ---- Frames: flows and columns for data scientists ------------------------ */

struct ArrowSchema; /**< both as in the specification of the Arrow C data interface */
struct ArrowArray;

/** Gathers scored flows as columns: everything of the flow, all features, the verdict. */
typedef struct eddy_frame eddy_frame;

EDDY_CHECKED int eddy_frame_new(eddy_frame **out, eddy_error *err);
EDDY_API void eddy_frame_free(eddy_frame *frame);

/** A `scored` hook whose `user` is a frame: adds a row. Allocates. One thread at a time. A row
 *  for which there is no memory, or with which a column of text would pass 2 GiB, is left out, and
 *  all after it; then eddy_frame_export() fails for good. */
EDDY_API void eddy_frame_scored(const eddy_flow *flow, const double *columns,
                                const eddy_verdict *verdict, void *frame);

/** Hands the rows over, without a copy, as one struct array of the Arrow C data interface (given:
 *  the `release` of both is to be called, or that of each child that was moved out) and leaves the
 *  frame empty, ready for more. What was exported outlives the frame. Columns, in this order:
 *
 *      id, start, src, dst          text but for start: a timestamp in microseconds, UTC
 *      src_port, dst_port           uint16
 *      proto, state, tcp_out, tcp_in, quality    uint8: as in eddy_flow
 *      app                          text
 *      duration_us, flow_bytes_out, flow_bytes_in, flow_packets_out, flow_packets_in
 *                                   uint64, null where EDDY_UNSET
 *      one for each of eddy_features(), by its name    float64, NaN where there is none
 *      score, p, detector, flags    float64, float64, text, uint32: as in eddy_verdict
 *
 *  Text is made UTF-8: a byte that is none becomes "?". */
EDDY_CHECKED int eddy_frame_export(eddy_frame *frame, struct ArrowSchema *schema,
                                   struct ArrowArray *array, eddy_error *err);

/* ---- Worker ------------------------------------------------------------- */

typedef struct eddy_worker eddy_worker;

/** `name` labels the stream in metrics and messages ("eve", a file name). `format` is
 *  "eve", "zeek-json", "zeek-tsv" or NULL: detected from the stream itself, as is gzip or
 *  zstd compression. */
EDDY_CHECKED int eddy_worker_new(eddy_engine *engine, const char *name, const char *format,
                                 eddy_worker **out, eddy_error *err);
EDDY_API void eddy_worker_free(eddy_worker *worker);

/** Flows that this worker scores are told to `scored` instead of the engine's hook, on the worker's
 *  thread: for replies to whoever sent them. */
EDDY_API void eddy_worker_scored(eddy_worker *worker,
                                 void (*scored)(const eddy_flow *flow, const double *columns,
                                                const eddy_verdict *verdict, void *user),
                                 void *user);

/** Takes the next bytes of the stream, cut anywhere; a record is scored when its newline
 *  arrives. Records that are not flows are skipped, bad ones rejected; both are counted by
 *  reason. Returns the number of flows scored. EDDY_EINPUT means that the stream as a
 *  whole can't be read (damaged compression); the rest of it is ignored until _end. */
EDDY_API int eddy_worker_feed(eddy_worker *worker, const void *bytes, size_t length);

/** The stream ends (a file's end, a rotation): a last line without newline is taken as a
 *  record; then the worker is ready for another stream. Returns as _feed does. */
EDDY_API int eddy_worker_end(eddy_worker *worker);

/** To be called before the first bytes of a stream: its first `bytes` (after
 *  decompression) were scored earlier. They are read for the headers in them and neither
 *  scored nor counted. */
EDDY_API int eddy_worker_skip(eddy_worker *worker, uint64_t bytes);

/** Scores one flow, and learns from it. `out` may be NULL. Returns 1, or 0 if the flow
 *  was rejected. */
EDDY_API int eddy_worker_score(eddy_worker *worker, const eddy_flow *flow, eddy_verdict *out);

/** For hosts that do not hand over every record: adds those of no wanted event type to the
 *  skipped, and those there was no room for to the dropped. On the worker's thread. */
EDDY_API void eddy_worker_missed(eddy_worker *worker, uint64_t skipped, uint64_t dropped);

/** What became of the records of this worker; read = scored + skipped + rejected + dropped. */
typedef struct eddy_counts {
    uint64_t read, scored, skipped, rejected, dropped;
} eddy_counts;

EDDY_API void eddy_worker_counts(const eddy_worker *worker, eddy_counts *out);

/** Visits the reasons records were skipped or rejected for, that have occurred:
 *  a name ("bad_json"), a sentence, how often, and whether that was a rejection. */
typedef int eddy_reject_fn(const char *reason, const char *help, uint64_t count, int rejected,
                           void *user);
EDDY_API int eddy_worker_rejects(const eddy_worker *worker, eddy_reject_fn *each, void *user);

/* ---- Features: what models are trained on ------------------------------- */

typedef struct eddy_feature {
    const char *name; /**< column name in training data and in model files */
    const char *help; /**< meaning and unit, one sentence */
} eddy_feature;

typedef int eddy_feature_fn(const eddy_feature *feature, void *user);

/** Visits the columns in order. Returns their number if not ended early; `each`
 *  may be NULL to only count. Training data comes from the `scored` hook: the
 *  sensor and the trainer run the same code. */
EDDY_API int eddy_features(eddy_feature_fn *each, void *user);

#ifdef __cplusplus
}
#endif
#endif /* EDDY_H */
