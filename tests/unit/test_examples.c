/* SPDX-License-Identifier: MIT */
/* test_examples.c - the parts in examples/ do what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <math.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "incident.h"
#include "part.h"
#include "row.h"
#include "score/explanation.h"

extern const struct input ingest_csv;
extern const struct output emit_udp;
extern const struct detector score_volume;

static enum reason decode(const char *line, eddy_flow *flow)
{
    return ingest_csv.decode(NULL, NULL, line, strlen(line), flow, NULL);
}

static void the_input_reads_its_lines_and_no_others(void **state)
{
    (void)state;
    static const char line[] = "1767322800.25,1.5,10.0.0.5,40000,203.0.113.9,443,6,1200,";
    eddy_flow flow;
    char address[46];
    assert_true(ingest_csv.recognise(line, strlen(line)));
    assert_false(ingest_csv.recognise("{\"ts\":1,2,3,4,5,6,7,8}", 22));
    assert_int_equal(decode(line, &flow), REASON_NONE);
    assert_true(flow.start_us == INT64_C(1767322800250000));
    assert_int_equal(flow.duration_us, 1500000);
    assert_string_equal(eddy_address_text(flow.dst, address), "203.0.113.9");
    assert_int_equal(flow.dst_port, 443);
    assert_int_equal(flow.bytes_out, 1200);
    assert_true(flow.bytes_in == EDDY_UNSET);
    assert_int_equal(decode("1,2,3", &flow), REASON_wrong_columns);
    assert_int_equal(decode("1,1,10.0.0.5,70000,10.0.0.6,1,6,1,1", &flow), REASON_bad_address);
    assert_int_equal(decode("1,-1,10.0.0.5,1,10.0.0.6,1,6,1,1", &flow), REASON_bad_number);
}

static void the_output_sends_an_incident(void **state)
{
    (void)state;
    struct {
        const char *address;
        uint64_t port;
    } conf = {"127.0.0.1", 0};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    static _Alignas(max_align_t) unsigned char udp[64];
    char datagram[2048] = "";
    eddy_incident incident = sample_incident();
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    conf.port = ntohs(at.sin_port);
    assert_int_equal(emit_udp.part.conf_size, sizeof conf);
    assert_true(emit_udp.state_size <= sizeof udp && emit_udp.wanted(&conf));
    assert_int_equal(emit_udp.open(udp, &conf, NULL), EDDY_OK);
    assert_int_equal(emit_udp.incident(udp, &incident, NULL), EDDY_OK);
    assert_true(recv(fd, datagram, sizeof datagram - 1, 0) > 0);
    assert_non_null(strstr(datagram, "\"incident_id\":\"beacon-0f3a\""));
    emit_udp.close(udp);
    (void)close(fd);
    conf.address = "nowhere";
    assert_int_equal(emit_udp.open(udp, &conf, NULL), EDDY_ECONFIG);
}

static void the_detector_finds_what_is_far_out(void **state)
{
    (void)state;
    uint64_t conf = 100; /* volume.min_flows */
    static _Alignas(max_align_t) unsigned char volume[64];
    struct row row = {.flow = {.size = sizeof row.flow}};
    struct explanation why = {0};
    assert_true(score_volume.state_size <= sizeof volume);
    for (unsigned i = 0; i < 200; i++) {
        struct finding finding = {.score = NAN, .sample = NAN};
        row.bytes_out = 1000 + i * 37 % 500;
        score_volume.score(volume, &conf, &row, &finding);
        assert_int_equal(isnan(finding.score), i < 100);
        assert_true(isnan(finding.score) || finding.score < 3);
    }
    struct finding finding = {.score = NAN, .sample = NAN};
    row.bytes_out = 50000000;
    score_volume.score(volume, &conf, &row, &finding);
    assert_true(finding.score > 10);
    score_volume.explain(volume, &conf, &row, &why);
    assert_int_equal(why.count, 1);
    assert_non_null(strstr(why.sentence, " sent "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_input_reads_its_lines_and_no_others),
        cmocka_unit_test(the_output_sends_an_incident),
        cmocka_unit_test(the_detector_finds_what_is_far_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
