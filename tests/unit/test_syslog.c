/* SPDX-License-Identifier: MIT */
/* test_syslog.c - incidents to a datagram socket in the place of /dev/log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "incident.h"
#include "part.h"
#include "scratch.h"

extern const struct output emit_syslog;

/* As in syslog.c: the settings of the output, in its conf struct. */
struct conf {
    bool enabled;
    const char *facility, *ident, *socket;
};

static _Alignas(max_align_t) unsigned char sys[512];
static char received[4096];

static int open_with(const char *facility, const char *ident, const char *socket, eddy_error *err)
{
    assert_true(emit_syslog.state_size <= sizeof sys);
    assert_int_equal(emit_syslog.part.conf_size, sizeof(struct conf));
    memset(sys, 0, sizeof sys);
    struct conf conf = {true, facility, ident, socket};
    return emit_syslog.open(sys, &conf, err);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    (void)unlink(path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static const char *receive(int fd)
{
    ssize_t n = recv(fd, received, sizeof received - 1, MSG_DONTWAIT);
    received[n > 0 ? n : 0] = '\0';
    return received;
}

static void an_incident_is_one_message_with_its_priority(void **state)
{
    const char *path = scratch_path(state, "log");
    int fd = listen_at(path);
    eddy_incident incident = sample_incident();
    char expected[256];
    assert_int_equal(open_with("local3", "eddy", path, NULL), EDDY_OK);
    assert_int_equal(emit_syslog.incident(sys, &incident, NULL), EDDY_OK);
    (void)snprintf(expected, sizeof expected,
                   "<155>eddy[%ld]: new beacon incident beacon-0f3a, p=1.25e-09, 64 flows: "
                   "10.0.0.5 calls 2001:db8::1 every 600 s", /* 155 = 19 * 8 + 3 */
                   (long)getpid());
    assert_string_equal(receive(fd), expected);
    incident.severity = EDDY_LOW;
    assert_int_equal(emit_syslog.incident(sys, &incident, NULL), EDDY_OK);
    assert_memory_equal(receive(fd), "<157>", 5);
    emit_syslog.close(sys);
    (void)close(fd);
}

static void a_restarted_receiver_is_found_again(void **state)
{
    const char *path = scratch_path(state, "log");
    eddy_incident incident = sample_incident();
    int fd = listen_at(path);
    assert_int_equal(open_with("daemon", "eddy", path, NULL), EDDY_OK);
    assert_int_equal(emit_syslog.incident(sys, &incident, NULL), EDDY_OK);
    (void)close(fd);
    fd = listen_at(path);
    assert_int_equal(emit_syslog.incident(sys, &incident, NULL), EDDY_OK);
    assert_memory_equal(receive(fd), "<27>eddy[", 9); /* 27 = 3 * 8 + 3 */
    emit_syslog.close(sys);
    (void)close(fd);
}

static void a_missing_receiver_is_an_error_that_names_the_socket(void **state)
{
    const char *path = scratch_path(state, "log");
    eddy_incident incident = sample_incident();
    eddy_error err = {0};
    assert_int_equal(open_with("daemon", "eddy", path, NULL), EDDY_OK);
    assert_int_equal(emit_syslog.incident(sys, &incident, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, path));
    emit_syslog.close(sys);
}

static void a_full_receiver_is_not_waited_for_for_ever(void **state)
{
    const char *path = scratch_path(state, "log");
    int fd = listen_at(path);
    eddy_incident incident = sample_incident();
    int status = EDDY_OK;
    assert_int_equal(open_with("daemon", "eddy", path, NULL), EDDY_OK);
    for (int i = 0; i < 100000 && status == EDDY_OK; i++)
        status = emit_syslog.incident(sys, &incident, NULL);
    assert_int_equal(status, EDDY_EIO);
    emit_syslog.close(sys);
    (void)close(fd);
}

static void control_characters_and_length_are_bounded(void **state)
{
    const char *path = scratch_path(state, "log");
    int fd = listen_at(path);
    char summary[3000];
    memset(summary, 's', sizeof summary - 1);
    summary[sizeof summary - 1] = '\0';
    summary[0] = '\n';
    eddy_incident incident = sample_incident();
    incident.summary = summary;
    assert_int_equal(open_with("daemon", "eddy", path, NULL), EDDY_OK);
    assert_int_equal(emit_syslog.incident(sys, &incident, NULL), EDDY_OK);
    emit_syslog.close(sys);
    assert_null(strchr(receive(fd), '\n'));
    assert_int_equal(strlen(received), 2047);
    (void)close(fd);
}

static void withheld_incidents_are_not_sent(void **state)
{
    const char *path = scratch_path(state, "log");
    int fd = listen_at(path);
    eddy_incident incident = sample_incident();
    incident.withheld = 1;
    assert_int_equal(open_with("daemon", "eddy", path, NULL), EDDY_OK);
    assert_int_equal(emit_syslog.incident(sys, &incident, NULL), EDDY_OK);
    emit_syslog.close(sys);
    assert_string_equal(receive(fd), "");
    (void)close(fd);
}

static void settings_that_make_no_message_are_refused(void **state)
{
    (void)state;
    char path[300];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(open_with("mail", "eddy", "/dev/log", NULL), EDDY_ECONFIG);
    assert_int_equal(open_with("daemon", "ed dy", "/dev/log", NULL), EDDY_ECONFIG);
    assert_int_equal(open_with("daemon", "", "/dev/log", NULL), EDDY_ECONFIG);
    assert_int_equal(open_with("daemon", "eddy", path, NULL), EDDY_ECONFIG);
    assert_int_equal(open_with("daemon", "eddy", "", NULL), EDDY_ECONFIG);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(an_incident_is_one_message_with_its_priority),
        IN_SCRATCH(a_restarted_receiver_is_found_again),
        IN_SCRATCH(a_missing_receiver_is_an_error_that_names_the_socket),
        IN_SCRATCH(a_full_receiver_is_not_waited_for_for_ever),
        IN_SCRATCH(control_characters_and_length_are_bounded),
        IN_SCRATCH(withheld_incidents_are_not_sent),
        cmocka_unit_test(settings_that_make_no_message_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
