/* SPDX-License-Identifier: MIT */
/* inputs.c - everything eddyd reads: followed logs and sockets, in the order of eddy.conf. */
#include "inputs.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define INPUTS_MAX    64
#define LISTENERS_MAX 16

struct input {
    char *entry; /* as configured */
    const char *name;
    eddy_worker *worker; /* of a log; sockets have their own */
    struct follow *follow;
    struct listener *listener; /* either this or `follow` */
};

struct inputs {
    eddy_engine *engine;
    const struct say *say;
    struct input list[INPUTS_MAX];
    size_t count;
    struct pollfd fds[1 + LISTENERS_MAX * LISTEN_FDS_MAX];
};

/* What inputs_apply() builds. */
struct plan {
    struct inputs *in;
    const struct conf *conf;
    const struct checkpoint *positions;
    struct input list[INPUTS_MAX];
    size_t count, listeners;
    bool opened[INPUTS_MAX]; /* by this plan, not taken from what was open */
};

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
    free(input->entry);
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

static struct input *find(struct input *list, size_t count, const char *entry, bool is_log)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].entry, entry) == 0 && (list[i].follow != NULL) == is_log)
            return &list[i];
    return NULL;
}

/* Reserves the next place in the plan; 1: taken from what is open already, 0: to be opened. */
static int place(struct plan *plan, const char *entry, bool is_log, struct input **out,
                 eddy_error *err)
{
    const char *key = is_log ? "follow" : "listen";
    if (plan->count == INPUTS_MAX || (!is_log && ++plan->listeners > LISTENERS_MAX))
        return fault(err, EDDY_ECONFIG, "eddyd.%s = '%s': one input too many", key, entry);
    if (find(plan->list, plan->count, entry, is_log) != NULL)
        return fault(err, EDDY_ECONFIG, "eddyd.%s = '%s': named twice", key, entry);
    struct input *next = &plan->list[plan->count];
    const struct input *open = find(plan->in->list, plan->in->count, entry, is_log);
    *out = next;
    if (open != NULL) {
        *next = *open;
        plan->count++;
        return 1;
    }
    *next = (struct input){.entry = strdup(entry)};
    if (next->entry == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    plan->opened[plan->count++] = true;
    next->name = next->entry;
    return 0;
}

static int plan_log(const char *entry, void *user, eddy_error *err)
{
    struct plan *plan = user;
    struct input *next;
    const char *format;
    int status = place(plan, entry, true, &next, err);
    if (status != 0)
        return status;
    conf_follow_entry(next->entry, &format, &next->name);
    status = eddy_worker_new(plan->in->engine, next->name, format, &next->worker, err);
    if (status < 0)
        return status;
    struct follow_options options = {.path = next->name,
                                     .archive = plan->conf->archive,
                                     .skip_existing = plan->conf->skip_existing,
                                     .say = plan->in->say};
    return follow_new(next->worker, &options, checkpoint_find(plan->positions, next->name),
                      &next->follow, err);
}

static int plan_socket(const char *entry, void *user, eddy_error *err)
{
    struct plan *plan = user;
    struct input *next;
    int status = place(plan, entry, false, &next, err);
    if (status != 0)
        return status;
    return listener_open(plan->in->engine, next->entry, plan->in->say, &next->listener, err);
}

int inputs_apply(struct inputs *in, const struct conf *conf, const struct checkpoint *positions,
                 eddy_error *err)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    plan->in = in;
    plan->conf = conf;
    plan->positions = positions;
    int status = conf_each(conf->follow, plan_log, plan, err);
    if (status == EDDY_OK)
        status = conf_each(conf->listen, plan_socket, plan, err);
    if (status < 0) {
        for (size_t i = 0; i < plan->count; i++)
            if (plan->opened[i])
                close_input(&plan->list[i]);
    } else {
        for (size_t i = 0; i < in->count; i++)
            if (find(plan->list, plan->count, in->list[i].entry, in->list[i].follow != NULL) ==
                NULL)
                close_input(&in->list[i]);
        memcpy(in->list, plan->list, sizeof in->list);
        in->count = plan->count;
    }
    free(plan);
    return status;
}

size_t inputs_turn(struct inputs *in, bool hold_logs, int wake_fd, int idle_ms)
{
    size_t total = 0;
    for (size_t i = 0; i < in->count && !hold_logs; i++)
        if (in->list[i].follow != NULL)
            total += follow_turn(in->list[i].follow);
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
        int status = checkpoint_add(out, in->list[i].name, state, err);
        if (status < 0)
            return status;
    }
    return 1;
}

size_t inputs_count(const struct inputs *in)
{
    return in->count;
}

void inputs_status(const struct inputs *in, size_t index, struct input_status *out)
{
    const struct input *input = &in->list[index];
    *out = (struct input_status){.name = input->name, .is_log = input->follow != NULL};
    if (input->follow != NULL)
        follow_stats(input->follow, &out->log);
    else
        listener_stats(input->listener, &out->socket);
}
