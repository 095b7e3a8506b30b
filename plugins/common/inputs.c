/* SPDX-License-Identifier: MIT */
/* inputs.c - everything a host reads: followed logs and sockets, in the order they are configured.
 */
#include "inputs.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    char *name, *format, *where, *archive; /* as configured; `format`, `archive` may be NULL */
    eddy_worker *worker;                   /* of a log; sockets have their own */
    struct follow *follow;
    struct listener *listener; /* either this or `follow` */
    int busy;                  /* of a log: turns left in which it is looked at more often */
};

/* A log that was just written is likely to be written again: what is read soon is not lost to a
 * truncation. The other logs have every BUSY_TURNS-th turn. */
#define BUSY_TURNS 10
#define BUSY_MS    10

static_assert(FOLLOW_FAMILY_MAX >= 2 * INPUTS_MAX, "during a reload old and new logs are open");

struct inputs {
    eddy_engine *engine;
    const struct say *say;
    struct follow_family family;
    bool busy; /* a log was just written */
    int quick; /* turns since all logs were looked at; 0: now they are */
    struct input list[INPUTS_MAX];
    size_t count;
    struct pollfd fds[1 + LISTENERS_MAX * LISTEN_FDS_MAX];
};

/* What inputs_apply() builds. */
struct plan {
    struct input list[INPUTS_MAX];
    bool opened[INPUTS_MAX]; /* by this plan, not taken from what was open */
    size_t count;
};

/* ---- what is configured ---- */

int input_list_add(struct input_list *list, struct input_conf *conf, eddy_error *err)
{
    int status = EDDY_OK;
    size_t sockets = conf->is_log ? 0 : 1;
    for (size_t i = 0; i < list->count && status == EDDY_OK; i++) {
        const struct input_conf *other = &list->items[i];
        sockets += other->is_log ? 0 : 1;
        if (other->is_log == conf->is_log && strcmp(other->where, conf->where) == 0)
            status = fault(err, EDDY_ECONFIG, "'%s': named twice", conf->where);
        else if (strcmp(other->name, conf->name) == 0)
            status = fault(err, EDDY_ECONFIG, "'%s': two inputs of this name", conf->name);
    }
    if (status == EDDY_OK && (list->count == INPUTS_MAX || sockets > LISTENERS_MAX))
        status = fault(err, EDDY_ECONFIG, "'%s': at most %d inputs, %d of them sockets",
                       conf->where, INPUTS_MAX, LISTENERS_MAX);
    struct input_conf *grown = NULL;
    if (status == EDDY_OK) {
        grown = realloc(list->items, (list->count + 1) * sizeof *grown);
        if (grown == NULL)
            status = fault(err, EDDY_ENOMEM, "out of memory");
    }
    if (status < 0) {
        input_conf_done(conf);
        return status;
    }
    list->items = grown;
    list->items[list->count++] = *conf;
    *conf = (struct input_conf){0};
    return EDDY_OK;
}

void input_list_done(struct input_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        input_conf_done(&list->items[i]);
    free(list->items);
    *list = (struct input_list){0};
}

/* ---- what is open ---- */

int inputs_new(eddy_engine *engine, const struct say *say, struct inputs **out, eddy_error *err)
{
    struct inputs *in = calloc(1, sizeof *in);
    if (in == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    in->engine = engine;
    in->say = say;
    *out = in;
    return EDDY_OK;
}

static void close_input(struct input *input)
{
    listener_close(input->listener);
    follow_free(input->follow);
    eddy_worker_free(input->worker);
    free(input->name);
    free(input->format);
    free(input->where);
    free(input->archive);
    *input = (struct input){0};
}

void inputs_free(struct inputs *in)
{
    if (in == NULL)
        return;
    for (size_t i = 0; i < in->count; i++)
        close_input(&in->list[i]);
    free(in);
}

void inputs_hang_up(struct inputs *in)
{
    size_t kept = 0;
    for (size_t i = 0; i < in->count; i++) {
        if (in->list[i].listener != NULL)
            close_input(&in->list[i]);
        else
            in->list[kept++] = in->list[i];
    }
    in->count = kept;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* An input is known by its place. */
static struct input *find_open(struct inputs *in, bool is_log, const char *where)
{
    for (size_t i = 0; i < in->count; i++)
        if ((in->list[i].follow != NULL) == is_log && strcmp(in->list[i].where, where) == 0)
            return &in->list[i];
    return NULL;
}

static bool is_same(const struct input *input, const struct input_conf *c)
{
    return strcmp(input->name, c->name) == 0 && same_text(input->format, c->format) &&
           same_text(input->archive, c->archive);
}

/* A log that is read already under another name, format or archive is read on where it is. */
static int open_log(struct inputs *in, struct input *input, const struct input_conf *c,
                    const struct checkpoint *positions, eddy_error *err)
{
    const struct input *before = find_open(in, true, input->where);
    const struct follow_state *state =
        before != NULL ? follow_state(before->follow) : checkpoint_find(positions, input->where);
    if (before != NULL && state == NULL)
        return fault(err, EDDY_EIO,
                     "%s: is read in the middle of a zstd file: no other name, format or archive "
                     "before its end",
                     input->where);
    int status = eddy_worker_new(in->engine, input->name, input->format, &input->worker, err);
    if (status < 0)
        return status;
    struct follow_options options = {.path = input->where,
                                     .archive = input->archive,
                                     .skip_existing = c->skip_existing,
                                     .say = in->say,
                                     .family = &in->family};
    return follow_new(input->worker, &options, state, &input->follow, err);
}

static int open_socket(struct inputs *in, struct input *input, eddy_error *err)
{
    const struct input *before = find_open(in, false, input->where);
    struct listen_options options = {.spec = input->where,
                                     .name = input->name,
                                     .format = input->format,
                                     .say = in->say,
                                     .before = before != NULL ? before->listener : NULL};
    return listener_open(in->engine, &options, &input->listener, err);
}

/* A copy, NULL of NULL; sets `*failed` if there is no memory. */
static char *copy_text(const char *text, bool *failed)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    *failed = *failed || (text != NULL && copy == NULL);
    return copy;
}

static int open_input(struct inputs *in, struct input *input, const struct input_conf *c,
                      const struct checkpoint *positions, eddy_error *err)
{
    bool failed = false;
    *input = (struct input){.name = copy_text(c->name, &failed),
                            .where = copy_text(c->where, &failed),
                            .format = copy_text(c->format, &failed),
                            .archive = copy_text(c->archive, &failed)};
    if (failed)
        return fault(err, EDDY_ENOMEM, "out of memory");
    return c->is_log ? open_log(in, input, c, positions, err) : open_socket(in, input, err);
}

static bool planned(const struct plan *plan, const struct input *input)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!plan->opened[i] && plan->list[i].where == input->where)
            return true;
    return false;
}

/* Puts what was planned in force: nothing of it can fail. */
static void carry_out(struct inputs *in, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct input *next = &plan->list[i];
        struct input *before =
            plan->opened[i] && next->listener != NULL ? find_open(in, false, next->where) : NULL;
        if (before != NULL)
            listener_inherit(next->listener, before->listener);
    }
    for (size_t i = 0; i < in->count; i++)
        if (!planned(plan, &in->list[i]))
            close_input(&in->list[i]);
    memcpy(in->list, plan->list, sizeof in->list);
    in->count = plan->count;
}

int inputs_apply(struct inputs *in, const struct input_list *list,
                 const struct checkpoint *positions, eddy_error *err)
{
    struct plan *plan = calloc(1, sizeof *plan);
    int status = plan != NULL ? EDDY_OK : fault(err, EDDY_ENOMEM, "out of memory");
    for (size_t i = 0; i < list->count && status == EDDY_OK; i++) {
        struct input *next = &plan->list[plan->count];
        const struct input_conf *c = &list->items[i];
        const struct input *open = find_open(in, c->is_log, c->where);
        if (open != NULL && is_same(open, c)) {
            *next = *open;
        } else {
            plan->opened[plan->count] = true;
            status = open_input(in, next, c, positions, err);
        }
        plan->count++;
    }
    if (status == EDDY_OK)
        carry_out(in, plan);
    for (size_t i = 0; status < 0 && plan != NULL && i < plan->count; i++)
        if (plan->opened[i])
            close_input(&plan->list[i]);
    free(plan);
    return status;
}

static size_t turn_logs(struct inputs *in)
{
    size_t total = 0;
    in->busy = false;
    for (size_t i = 0; i < in->count; i++) {
        struct input *input = &in->list[i];
        if (input->follow == NULL || (in->quick > 0 && input->busy == 0))
            continue;
        size_t got = follow_turn(input->follow);
        if (got > 0)
            input->busy = BUSY_TURNS;
        else if (input->busy > 0)
            input->busy--;
        in->busy = in->busy || input->busy > 0;
        total += got;
    }
    in->quick = in->busy ? (in->quick + 1) % BUSY_TURNS : 0;
    return total;
}

size_t inputs_turn(struct inputs *in, bool hold_logs, int wake_fd, int idle_ms)
{
    if (idle_ms == 0) /* who does not wait wants to know what is left anywhere */
        in->quick = 0;
    size_t total = hold_logs ? 0 : turn_logs(in);
    if (in->busy && !hold_logs)
        idle_ms = idle_ms < BUSY_MS ? idle_ms : BUSY_MS;
    size_t n = 0;
    in->fds[n++] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    for (size_t i = 0; i < in->count; i++)
        if (in->list[i].listener != NULL)
            n += listener_poll(in->list[i].listener, in->fds + n);
    if (poll(in->fds, n, total > 0 ? 0 : idle_ms) <= 0)
        return total; /* EINTR too: the next turn asks again */
    struct pollfd *at = in->fds + 1;
    struct pollfd again[LISTEN_FDS_MAX];
    for (size_t i = 0; i < in->count; i++) {
        if (in->list[i].listener == NULL)
            continue;
        size_t own = listener_poll(in->list[i].listener, again); /* the same ones: just counted */
        total += listener_turn(in->list[i].listener, at, own);
        at += own;
    }
    return total;
}

int inputs_positions(const struct inputs *in, struct checkpoint *out, eddy_error *err)
{
    for (size_t i = 0; i < in->count; i++) {
        if (in->list[i].follow == NULL)
            continue;
        const struct follow_state *state = follow_state(in->list[i].follow);
        if (state == NULL)
            return 0;
        int status = checkpoint_add(out, in->list[i].where, state, err);
        if (status < 0)
            return status;
    }
    return 1;
}

size_t inputs_count(const struct inputs *in)
{
    return in->count;
}

/* ---- what is told of them ---- */

struct input_stats {
    bool is_log;
    struct follow_stats log;
    struct listen_stats socket;
};

enum column { READING, LAG, BYTES, ROTATIONS, TRUNCATIONS, GAPS, UNRESOLVED, OPEN, ACCEPTED, CUT };

static const struct {
    const char *name, *help;
    eddy_kind kind;
    bool of_logs, of_sockets;
} columns[] = {
    [READING] = {"input_reading", "1 if a part of the log is open.", EDDY_GAUGE, true, false},
    [LAG] = {"input_lag_bytes", "Bytes of the log's current part that are not read yet.",
             EDDY_GAUGE, true, false},
    [BYTES] = {"input_read_bytes_total", "Bytes read.", EDDY_COUNTER, true, true},
    [ROTATIONS] = {"input_rotations_total", "Parts of the log read to their end.", EDDY_COUNTER,
                   true, false},
    [TRUNCATIONS] = {"input_truncations_total",
                     "How often the log was truncated or rewritten in place.", EDDY_COUNTER, true,
                     false},
    [GAPS] = {"input_gaps_total",
              "How often a part vanished or broke before its end was read: records were lost.",
              EDDY_COUNTER, true, false},
    [UNRESOLVED] = {"input_unresolved",
                    "1 while the part that was read at the last stop is not found.", EDDY_GAUGE,
                    true, false},
    [OPEN] = {"input_connections_open", "Open connections of the socket.", EDDY_GAUGE, false, true},
    [ACCEPTED] = {"input_connections_total", "Connections accepted.", EDDY_COUNTER, false, true},
    [CUT] = {"input_cut_datagrams_total", "Datagrams longer than 1 MiB, cut.", EDDY_COUNTER, false,
             true},
};

static uint64_t value_of(const struct input_stats *s, enum column column)
{
    switch (column) {
    case READING:
        return s->log.reading ? 1 : 0;
    case LAG:
        return s->log.lag;
    case BYTES:
        return s->is_log ? s->log.bytes : s->socket.bytes;
    case ROTATIONS:
        return s->log.finished;
    case TRUNCATIONS:
        return s->log.restarts;
    case GAPS:
        return s->log.gaps;
    case UNRESOLVED:
        return s->log.unresolved ? 1 : 0;
    case OPEN:
        return s->socket.connections;
    case ACCEPTED:
        return s->socket.accepted;
    case CUT:
        return s->socket.cut;
    }
    return 0;
}

/* `input="NAME"`: backslash, quote and newline escaped; a name too long is cut. */
static void write_label(const char *name, char *to, size_t size)
{
    size_t n = (size_t)snprintf(to, size, "input=\"");
    for (; *name != '\0' && n + 4 < size; name++) {
        if (*name == '\\' || *name == '"' || *name == '\n')
            to[n++] = '\\';
        to[n++] = *name;
        if (*name == '\n')
            to[n - 1] = 'n';
    }
    to[n++] = '"';
    to[n] = '\0';
}

static int visit_column(const struct inputs *in, enum column column, eddy_metric_fn *each,
                        void *user)
{
    int stop = 0;
    for (size_t i = 0; i < in->count && stop == 0; i++) {
        const struct input *input = &in->list[i];
        struct input_stats s = {.is_log = input->follow != NULL};
        char label[600];
        if (s.is_log ? !columns[column].of_logs : !columns[column].of_sockets)
            continue;
        if (s.is_log)
            follow_stats(input->follow, &s.log);
        else
            listener_stats(input->listener, &s.socket);
        write_label(input->name, label, sizeof label);
        eddy_metric metric = {.name = columns[column].name,
                              .help = columns[column].help,
                              .kind = columns[column].kind,
                              .labels = label,
                              .value = (double)value_of(&s, column)};
        stop = each(&metric, user);
    }
    return stop;
}

int inputs_metrics(const struct inputs *in, eddy_metric_fn *each, void *user)
{
    int stop = 0;
    for (size_t c = 0; c < sizeof columns / sizeof *columns && stop == 0; c++) {
        eddy_metric metric = {.name = columns[c].name,
                              .help = columns[c].help,
                              .kind = columns[c].kind,
                              .labels = ""};
        stop = in == NULL ? each(&metric, user) : visit_column(in, (enum column)c, each, user);
    }
    return stop;
}
