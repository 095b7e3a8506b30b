/* SPDX-License-Identifier: MIT */
/* test_listen.c - records from datagrams and connections, and who may have the socket. */
#define _GNU_SOURCE /* as listen.c; mkdtemp() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "fake_worker.h"

#include "../../plugins/common/listen.c"
#include "../../plugins/common/say.c"
#include "../../plugins/common/sockets.c"

struct bench {
    char folder[64];
    char path[96];
    char spec[128];
    struct fake_worker worker;
    struct listener *listener;
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    (void)snprintf(b->folder, sizeof b->folder, "/tmp/eddy-listen-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    (void)snprintf(b->path, sizeof b->path, "%s/eve.sock", b->folder);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    listener_close(b->listener);
    (void)unlink(b->path);
    (void)rmdir(b->folder);
    free(b->worker.lines);
    free(b);
    return 0;
}

static int open_listener(struct bench *b, const char *kind, eddy_error *err)
{
    (void)snprintf(b->spec, sizeof b->spec, "%s:%s", kind, b->path);
    struct listen_options options = {.spec = b->spec};
    return listener_open((eddy_engine *)&b->worker, &options, &b->listener, err);
}

static int dial(struct bench *b, int type)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, b->path, strlen(b->path) + 1);
    int fd = socket(AF_UNIX, type, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void run(struct bench *b)
{
    struct pollfd fds[LISTEN_FDS_MAX];
    for (int i = 0; i < 4; i++) { /* to accept, to read, to see the end */
        size_t n = listener_poll(b->listener, fds);
        (void)poll(fds, n, 0);
        (void)listener_turn(b->listener, fds, n);
    }
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void a_datagram_is_a_record_with_or_without_newline(void **state)
{
    struct bench *b = *state;
    assert_int_equal(open_listener(b, "unix_dgram", NULL), EDDY_OK);
    int fd = dial(b, SOCK_DGRAM);
    put(fd, "one");
    put(fd, "two\n");
    put(fd, "three\nfour");
    run(b);
    assert_string_equal(b->worker.lines, "one\ntwo\nthree\nfour\n");
    (void)close(fd);
}

static void a_stream_is_lines_and_its_last_one_counts_without_newline(void **state)
{
    struct bench *b = *state;
    assert_int_equal(open_listener(b, "unix_stream", NULL), EDDY_OK);
    int fd = dial(b, SOCK_STREAM);
    put(fd, "one\ntw");
    run(b);
    put(fd, "o\nthree");
    (void)close(fd);
    run(b);
    assert_string_equal(b->worker.lines, "one\ntwo\nthree\n");
    struct listen_stats stats;
    listener_stats(b->listener, &stats);
    assert_int_equal(stats.accepted, 1);
    assert_int_equal(stats.connections, 0);
}

static void connections_beyond_the_limit_wait_for_their_turn(void **state)
{
    struct bench *b = *state;
    assert_int_equal(open_listener(b, "unix_stream", NULL), EDDY_OK);
    int fds[LISTEN_CLIENTS_MAX + 1];
    for (int i = 0; i < LISTEN_CLIENTS_MAX; i++)
        fds[i] = dial(b, SOCK_STREAM);
    run(b);
    fds[LISTEN_CLIENTS_MAX] = dial(b, SOCK_STREAM);
    put(fds[LISTEN_CLIENTS_MAX], "waiting\n");
    run(b);
    struct listen_stats stats;
    listener_stats(b->listener, &stats);
    assert_int_equal(stats.connections, LISTEN_CLIENTS_MAX);
    assert_null(b->worker.lines);
    (void)close(fds[0]);
    run(b);
    assert_string_equal(b->worker.lines, "waiting\n");
    for (int i = 1; i <= LISTEN_CLIENTS_MAX; i++)
        (void)close(fds[i]);
}

static void the_socket_file_has_mode_0660_and_goes_with_the_listener(void **state)
{
    struct bench *b = *state;
    mode_t mask = umask(0177);
    assert_int_equal(open_listener(b, "unix_stream", NULL), EDDY_OK);
    (void)umask(mask);
    struct stat st;
    assert_int_equal(stat(b->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    listener_close(b->listener);
    b->listener = NULL;
    assert_int_equal(stat(b->path, &st), -1);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct bench *b = *state;
    struct socket_at at;
    (void)snprintf(b->spec, sizeof b->spec, "unix_dgram:%s", b->path);
    assert_int_equal(socket_parse(b->spec, &at, NULL), EDDY_OK);
    int left = socket_listen(&at, NULL);
    assert_true(left >= 0);
    (void)close(left); /* killed: the file stays */
    assert_int_equal(open_listener(b, "unix_dgram", NULL), EDDY_OK);
}

static void a_socket_in_use_is_left_alone(void **state)
{
    struct bench *b = *state;
    struct listen_options options = {.spec = b->spec};
    struct listener *second = NULL;
    eddy_error err;
    assert_int_equal(open_listener(b, "unix_stream", NULL), EDDY_OK);
    assert_int_equal(listener_open((eddy_engine *)&b->worker, &options, &second, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "another program listens"));
    (void)close(dial(b, SOCK_STREAM));
}

static void a_file_in_the_way_is_left_alone(void **state)
{
    struct bench *b = *state;
    eddy_error err;
    FILE *f = fopen(b->path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(open_listener(b, "unix_stream", &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "not a socket"));
    assert_int_equal(access(b->path, F_OK), 0);
}

static void a_program_we_start_inherits_nothing(void **state)
{
    struct bench *b = *state;
    assert_int_equal(open_listener(b, "unix_stream", NULL), EDDY_OK);
    int fd = dial(b, SOCK_STREAM);
    run(b);
    struct pollfd fds[LISTEN_FDS_MAX];
    assert_int_equal(listener_poll(b->listener, fds), 2);
    assert_int_equal(fcntl(fds[0].fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(fds[1].fd, F_GETFD), FD_CLOEXEC);
    (void)close(fd);
}

static void addresses_are_read_or_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "tcp:",
                                      "tcp:127.0.0.1",
                                      "tcp:127.0.0.1:",
                                      "tcp:127.0.0.1:99999",
                                      "tcp:127.0.0.1:12x",
                                      "tcp::80",
                                      "udp:127.0.0.1:1",
                                      "unix_stream:relative",
                                      "unix_stream:",
                                      "/run/eve.sock"};
    struct socket_at at;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        eddy_error err = {0};
        assert_int_equal(socket_parse(bad[i], &at, &err), EDDY_ECONFIG);
        assert_string_not_equal(err.message, "");
    }
    assert_int_equal(socket_parse("tcp:127.0.0.1:9478", &at, NULL), EDDY_OK);
    assert_int_equal(at.address.ss_family, AF_INET);
    assert_int_equal(socket_parse("tcp:[::1]:9478", &at, NULL), EDDY_OK);
    assert_int_equal(at.address.ss_family, AF_INET6);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_datagram_is_a_record_with_or_without_newline),
        TEST(a_stream_is_lines_and_its_last_one_counts_without_newline),
        TEST(connections_beyond_the_limit_wait_for_their_turn),
        TEST(the_socket_file_has_mode_0660_and_goes_with_the_listener),
        TEST(a_stale_socket_is_replaced),
        TEST(a_socket_in_use_is_left_alone),
        TEST(a_file_in_the_way_is_left_alone),
        TEST(a_program_we_start_inherits_nothing),
        TEST(addresses_are_read_or_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
