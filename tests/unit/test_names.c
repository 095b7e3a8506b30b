/* SPDX-License-Identifier: MIT */
/* test_names.c - what services and addresses are called: remembered, found, given up, told. */
#include "decide/called.h"
#include "naming.h"

static void call(struct pipeline *p, double at_s, enum context_kind kind, const char *name)
{
    struct context context = context_of(kind, name);
    (void)name_pass(p, at_s, "10.0.0.1", "203.0.113.9", &context);
}

static void resolve(struct pipeline *p, double at_s, const char *name, const char *address)
{
    struct context context = context_of(CONTEXT_DNS, name);
    context_answer(&context, address, strlen(address));
    (void)name_pass(p, at_s, "10.0.0.2", "10.0.0.53", &context);
}

/* What the destination of a flow is called. */
static const char *called(struct pipeline *p, double at_s, const char *src, const char *dst)
{
    eddy_flow flow = flow_at(at_s, src, dst, 443);
    return names_call(&p->state->names, pipeline_pass(p, &flow));
}

static void a_pair_is_called_by_its_sni(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    assert_null(called(p, 0, "10.0.0.1", "203.0.113.9"));
    call(p, 1, CONTEXT_TLS, "a.example.org");
    call(p, 2, CONTEXT_TLS, "a.example.org");
    assert_string_equal(called(p, 3, "10.0.0.1", "203.0.113.9"), "a.example.org");
    assert_null(called(p, 4, "10.0.0.7", "203.0.113.9")); /* another source called it by no name */
    pipeline_free(p);
}

/* A proxy, or many sites at one address: which of them a flow was for is not known. The last name
 * is still evidence. */
static void what_has_several_names_is_called_by_none(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    call(p, 1, CONTEXT_TLS, "a.example.org");
    call(p, 2, CONTEXT_HTTP, "b.example.org");
    assert_null(called(p, 3, "10.0.0.1", "203.0.113.9"));
    const struct names_pair *pair = names_of_pair(&p->state->names, p->row.hash.pair);
    assert_string_equal(pair->name, "b.example.org");
    assert_true(pair->http);
    resolve(p, 4, "www.example.org", "203.0.113.10");
    resolve(p, 5, "ftp.example.org", "203.0.113.10");
    assert_null(called(p, 6, "10.0.0.1", "203.0.113.10"));
    pipeline_free(p);
}

static void an_address_is_called_as_it_was_asked_for_by_whomever(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    resolve(p, 0, "www.example.org", "203.0.113.9");
    assert_string_equal(called(p, 1, "10.0.0.7", "203.0.113.9"), "www.example.org");
    call(p, 2, CONTEXT_TLS, "sni.example.org"); /* of the pair itself: nearer */
    assert_string_equal(called(p, 3, "10.0.0.1", "203.0.113.9"), "sni.example.org");
    assert_string_equal(called(p, 3, "10.0.0.7", "203.0.113.9"), "www.example.org");
    pipeline_free(p);
}

/* A record with a fingerprint alone does not forget the name, nor the other way round. */
static void names_and_fingerprints_come_apart(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    struct context context = context_of(CONTEXT_TLS, "");
    context_ja3(&context, "e7d705a3286e19ea42f587b344ee6865", 32);
    (void)name_pass(p, 0, "10.0.0.1", "203.0.113.9", &context);
    call(p, 1, CONTEXT_TLS, "a.example.org");
    const struct names_pair *pair = names_of_pair(&p->state->names, p->row.hash.pair);
    assert_non_null(pair);
    assert_string_equal(pair->name, "a.example.org");
    assert_string_equal(pair->ja3, "e7d705a3286e19ea42f587b344ee6865");
    pipeline_free(p);
}

static void of_a_long_name_the_end_is_remembered(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    char name[200];
    memset(name, 'x', sizeof name);
    (void)snprintf(name + 180, 20, ".example.org");
    call(p, 0, CONTEXT_TLS, name);
    const char *found = called(p, 1, "10.0.0.1", "203.0.113.9");
    assert_int_equal(strlen(found), NAMES_TEXT - 1);
    assert_string_equal(found + strlen(found) - 12, ".example.org");
    assert_memory_equal(found, "...x", 4); /* and that something was cut */
    pipeline_free(p);
}

/* 64 KiB hold a few hundred of each; ten thousand come. */
static void memory_is_bounded_and_what_is_given_up_is_counted(void **state)
{
    (void)state;
    const char *const settings[] = {"state.names", "64K", NULL};
    struct pipeline *p = pipeline_new(settings);
    char name[32];
    for (unsigned i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof name, "n%u.example.org", i);
        resolve(p, i, name, numbered("203.0", i));
        struct context context = context_of(CONTEXT_TLS, name);
        (void)name_pass(p, i, "10.0.0.1", numbered("203.0", i), &context);
    }
    const struct names *n = &p->state->names;
    assert_true(n->pairs.used <= 65536 * 40 / 100 / sizeof(struct names_pair));
    assert_true(n->answers.used <= 65536 * 20 / 100 / sizeof(struct names_answer));
    assert_true(n->pairs.used + n->pairs.evictions >= 10000);
    assert_true(names_evictions(n) >= 19000);
    uint8_t last[16];
    address_of(numbered("203.0", 9999), last);
    assert_string_equal(names_of_address(n, last)->name, "n9999.example.org");
    pipeline_free(p);
}

/* Their log may be read before that of flows, a day of it: flows are not late because of it. */
static void names_do_not_make_flows_late(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    for (unsigned i = 0; i < 24; i++)
        resolve(p, i * 3600.0, "www.example.org", "203.0.113.9");
    assert_true(state_now_us(p->state) == (T0 + 23 * 3600) * US); /* no flow yet */
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.9", 443);
    assert_false(pipeline_pass(p, &flow)->late);
    assert_true(state_now_us(p->state) == (T0 + 1) * US);
    pipeline_free(p);
}

/* ---- incidents ---- */

static struct incident incident_of(const char *host, const char *peer, bool names_peer)
{
    struct incident incident = {.peer_port = 443, .proto = 6};
    address_of(host, incident.host);
    address_of(peer, incident.peer);
    incident.why.names_peer = names_peer;
    return incident;
}

static void an_incident_is_told_all_names_of_its_other_end_once(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    struct incident incident = incident_of("10.0.0.1", "203.0.113.9", true);
    const struct explanation *why = &incident.why;
    called_add(&p->state->names, &incident);
    assert_int_equal(why->name_count, 0); /* nothing is known yet */
    struct context context = context_of(CONTEXT_TLS, "a.example.org");
    context_ja4(&context, "t13d1515h2_8daaf6152771_de4a06bb82e3", 36);
    (void)name_pass(p, 0, "10.0.0.1", "203.0.113.9", &context);
    resolve(p, 1, "www.example.org", "203.0.113.9");
    for (int again = 0; again < 2; again++)
        called_add(&p->state->names, &incident);
    assert_int_equal(why->name_count, 3);
    assert_string_equal(why->name[0].kind, "sni");
    assert_string_equal(why->name[0].value, "a.example.org");
    assert_string_equal(why->name[1].kind, "ja4");
    assert_string_equal(why->name[2].kind, "dns");
    assert_string_equal(why->name[2].value, "www.example.org");
    /* A flood's victim is the host, and its peer the one who called. */
    struct incident flood = incident_of("203.0.113.9", "10.0.0.1", true);
    called_add(&p->state->names, &flood);
    assert_string_equal(flood.why.name[0].value, "a.example.org");
    /* One about many others has no other end. */
    struct incident sweep = incident_of("10.0.0.1", "203.0.113.9", false);
    called_add(&p->state->names, &sweep);
    assert_int_equal(sweep.why.name_count, 0);
    pipeline_free(p);
}

static void the_key_of_an_incident_is_that_of_its_flows(void **state)
{
    (void)state;
    const char *const settings[] = {"state.seed", "7", NULL};
    struct pipeline *p = pipeline_new(settings);
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.9", 443);
    struct row *row = pipeline_pass(p, &flow);
    assert_true(names_key(&p->state->names, flow.src, flow.dst, 443, 6) == row->hash.pair);
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_called_by_its_sni),
        cmocka_unit_test(what_has_several_names_is_called_by_none),
        cmocka_unit_test(an_address_is_called_as_it_was_asked_for_by_whomever),
        cmocka_unit_test(names_and_fingerprints_come_apart),
        cmocka_unit_test(of_a_long_name_the_end_is_remembered),
        cmocka_unit_test(memory_is_bounded_and_what_is_given_up_is_counted),
        cmocka_unit_test(names_do_not_make_flows_late),
        cmocka_unit_test(an_incident_is_told_all_names_of_its_other_end_once),
        cmocka_unit_test(the_key_of_an_incident_is_that_of_its_flows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
