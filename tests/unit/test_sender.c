/* SPDX-License-Identifier: MIT */
/* test_sender.c - records on their way to another process's socket: whole, in order, or counted. */
#define _DEFAULT_SOURCE 1 /* mkdtemp() here, madvise() in ring.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/un.h>

#include "../../plugins/common/ring.c"
#include "../../plugins/common/say.c"
#include "../../plugins/common/sender.c"
#include "../../plugins/common/sockets.c"

enum { ROOM = 4 << 20 };

struct bench {
    char folder[64], path[96], spec[128];
    struct ring *ring;
    struct sender *sender;
    int fd;    /* of the receiver; -1: it is away */
    char *got; /* all that was received */
    size_t length, datagrams;
    unsigned lines; /* in the log */
};

static void count_line(int level, const char *message, void *user)
{
    struct bench *b = user;
    (void)level, (void)message;
    b->lines++;
}

static void listen_there(struct bench *b)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", b->path);
    b->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(b->fd >= 0);
    assert_int_equal(bind(b->fd, (struct sockaddr *)&at, sizeof at), 0);
}

static void go_away(struct bench *b)
{
    assert_int_equal(close(b->fd), 0);
    assert_int_equal(unlink(b->path), 0);
    b->fd = -1;
}

static void receive(struct bench *b)
{
    for (;;) {
        ssize_t got = recv(b->fd, b->got + b->length, ROOM - b->length, 0);
        if (got < 0)
            return;
        b->length += (size_t)got;
        b->datagrams++;
    }
}

static struct say log_of(struct bench *b)
{
    return (struct say){.line = count_line, .user = b};
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    (void)snprintf(b->folder, sizeof b->folder, "/tmp/eddy-sender-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    (void)snprintf(b->path, sizeof b->path, "%s/s", b->folder);
    (void)snprintf(b->spec, sizeof b->spec, "unix_dgram:%s", b->path);
    b->fd = -1;
    b->got = malloc(ROOM);
    assert_non_null(b->got);
    struct say log = log_of(b);
    assert_int_equal(ring_new((size_t)8 << 20, &b->ring, NULL), EDDY_OK);
    assert_int_equal(sender_new(b->spec, &log, &b->sender, NULL), EDDY_OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    sender_free(b->sender);
    ring_free(b->ring);
    if (b->fd >= 0)
        go_away(b);
    (void)rmdir(b->folder);
    free(b->got);
    free(b);
    return 0;
}

static void put_numbers(struct bench *b, unsigned from, unsigned to)
{
    char text[32];
    for (unsigned i = from; i < to; i++)
        assert_true(ring_put(b->ring, text, (size_t)snprintf(text, sizeof text, "record %u", i)));
}

static void expect_numbers(struct bench *b, unsigned count)
{
    char *at = b->got;
    char text[32];
    for (unsigned i = 0; i < count; i++) {
        size_t length = (size_t)snprintf(text, sizeof text, "record %u\n", i);
        assert_true(at + length <= b->got + b->length);
        assert_memory_equal(at, text, length);
        at += length;
    }
    assert_ptr_equal(at, b->got + b->length);
}

static uint64_t sent(const struct bench *b)
{
    struct sender_counts counts;
    sender_counts(b->sender, &counts);
    return counts.sent;
}

static void several_records_share_a_datagram(void **state)
{
    struct bench *b = *state;
    listen_there(b);
    put_numbers(b, 0, 1000);
    assert_int_equal(sender_turn(b->sender, b->ring, 0), 1000);
    receive(b);
    expect_numbers(b, 1000);
    assert_true(b->datagrams < 10);
    assert_int_equal(sent(b), 1000);
    assert_int_equal(sender_waiting(b->sender), 0);
    assert_int_equal(sender_turn(b->sender, b->ring, 0), 0);
}

static void records_wait_while_nobody_listens(void **state)
{
    struct bench *b = *state;
    put_numbers(b, 0, 100);
    for (int i = 0; i < 3; i++)
        (void)sender_turn(b->sender, b->ring, 0);
    assert_int_equal(sent(b), 0);
    assert_int_equal(b->lines, 1); /* told once, not three times */
    listen_there(b);
    put_numbers(b, 100, 200);
    (void)sender_turn(b->sender, b->ring, 0);
    receive(b);
    expect_numbers(b, 200);
    assert_int_equal(b->lines, 2);
}

static void a_receiver_that_comes_again_is_found(void **state)
{
    struct bench *b = *state;
    listen_there(b);
    put_numbers(b, 0, 10);
    (void)sender_turn(b->sender, b->ring, 0);
    receive(b);
    go_away(b);
    put_numbers(b, 10, 20);
    (void)sender_turn(b->sender, b->ring, 0);
    assert_int_equal(sent(b), 10);
    listen_there(b);
    (void)sender_turn(b->sender, b->ring, 0);
    receive(b);
    expect_numbers(b, 20);
}

/* The kernel's queue is full: nothing is lost, nothing is sent twice. */
static void a_receiver_that_is_slow_gets_all(void **state)
{
    struct bench *b = *state;
    listen_there(b);
    put_numbers(b, 0, 100000);
    (void)sender_turn(b->sender, b->ring, 0);
    assert_true(sent(b) < 100000); /* about 1.3 MB: more than a socket holds */
    for (int i = 0; i < 1000 && sent(b) < 100000; i++) {
        receive(b);
        (void)sender_turn(b->sender, b->ring, 0);
    }
    receive(b);
    expect_numbers(b, 100000);
}

static void a_record_too_long_for_a_datagram_is_counted(void **state)
{
    struct bench *b = *state;
    struct sender_counts counts;
    const size_t length = LISTEN_DATAGRAM_MAX + 1;
    char *text = calloc(1, length);
    assert_non_null(text);
    listen_there(b);
    put_numbers(b, 0, 1);
    assert_true(ring_put(b->ring, text, length));
    free(text);
    put_numbers(b, 1, 2);
    assert_int_equal(sender_turn(b->sender, b->ring, 0), 3);
    receive(b);
    expect_numbers(b, 2);
    sender_counts(b->sender, &counts);
    assert_int_equal(counts.too_long, 1);
    assert_int_equal(counts.sent, 2);
}

static void only_a_datagram_socket_will_do(void **state)
{
    struct sender *sender = NULL;
    eddy_error err;
    (void)state;
    assert_int_equal(sender_new("unix_stream:/tmp/x", NULL, &sender, &err), EDDY_ECONFIG);
    assert_non_null(strstr(err.message, "not unix_dgram:PATH"));
    assert_int_equal(sender_new("unix_dgram:x", NULL, &sender, &err), EDDY_ECONFIG);
    assert_null(sender);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(several_records_share_a_datagram, setup, teardown),
        cmocka_unit_test_setup_teardown(records_wait_while_nobody_listens, setup, teardown),
        cmocka_unit_test_setup_teardown(a_receiver_that_comes_again_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_receiver_that_is_slow_gets_all, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_too_long_for_a_datagram_is_counted, setup,
                                        teardown),
        cmocka_unit_test(only_a_datagram_socket_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
