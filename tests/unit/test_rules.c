/* SPDX-License-Identifier: MIT */
/* test_rules.c - suppressions: which findings a rule covers, and which rules are refused. */
#include "pipeline.h"
#include "vet/rules.h"

#define NOW (T0 * US)

static struct rules *rules_of(const char *text)
{
    struct entries entries = {.name = "rules", .text = text, .length = strlen(text)};
    struct rules *rules;
    eddy_error err = {0};
    if (rules_new(&entries, &rules, &err) != EDDY_OK)
        fail_msg("%s", err.message);
    return rules;
}

static void assert_refused(const char *text, const char *message)
{
    struct entries entries = {.name = "rules", .text = text, .length = strlen(text)};
    struct rules *rules = NULL;
    eddy_error err = {0};
    assert_int_equal(rules_new(&entries, &rules, &err), EDDY_ECONFIG);
    assert_null(rules);
    assert_string_equal(err.message, message);
}

static struct row row_of(const char *src, const char *dst, uint16_t port)
{
    struct row row = {.flow = flow_at(0, src, dst, port)};
    return row;
}

/* Does the rule cover a finding of beacon about the source of this row? */
static bool covers_row(const char *rule, const struct row *row)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%s\n", rule);
    struct rules *rules = rules_of(text);
    bool covered = rules_find(rules, row, detector_named("beacon"), NOW) != NULL;
    rules_free(rules);
    return covered;
}

static bool covers(const char *rule, const char *src, const char *dst, uint16_t port)
{
    struct row row = row_of(src, dst, port);
    return covers_row(rule, &row);
}

#define A "10.0.0.5"
#define B "203.0.113.7"
#define C "198.51.100.9"

static void all_fields_must_hold(void **state)
{
    (void)state;
    static const char rule[] = "detector=beacon src=10.0.0.0/24 dst=203.0.113.7 port=443 proto=tcp";
    assert_true(covers(rule, A, B, 443));
    assert_false(covers(rule, "10.0.1.5", B, 443));
    assert_false(covers(rule, A, C, 443));
    assert_false(covers(rule, A, B, 80));
    struct row udp = row_of(A, B, 443);
    udp.flow.proto = 17;
    assert_false(covers_row(rule, &udp));
    assert_false(covers("detector=fanout src=10.0.0.5", A, B, 443));
}

static void networks_are_of_both_families(void **state)
{
    (void)state;
    assert_true(covers("dst=203.0.112.0/20", A, B, 443));
    assert_false(covers("dst=203.0.112.0/24", A, B, 443));
    assert_true(covers("dst=2001:db8::/33", A, "2001:db8:7fff::1", 443));
    assert_false(covers("dst=2001:db8::/33", A, "2001:db8:8000::1", 443));
}

static void a_rule_with_both_ends_holds_either_way_round(void **state)
{
    (void)state;
    static const char rule[] = "src=10.0.0.5 dst=203.0.113.7 port=443";
    assert_true(covers(rule, A, B, 443));
    struct row turned = row_of(B, A, 50000);
    turned.flow.src_port = 443; /* the same conversation, recorded from its answer */
    assert_true(covers_row(rule, &turned));
    assert_true(covers(rule, B, A, 443)); /* and where the port named is the host's own */
    assert_false(covers(rule, B, A, 80));
    assert_false(covers("src=10.0.0.5 dst=203.0.113.7 direction=recorded", B, A, 443));
}

/* Else a rule for what a scanner does would hide attacks on the scanner. */
static void a_rule_with_one_end_holds_as_recorded(void **state)
{
    (void)state;
    assert_true(covers("src=10.0.0.5", A, B, 443));
    assert_false(covers("src=10.0.0.5", B, A, 443));
    assert_true(covers("src=10.0.0.5 direction=both", B, A, 443));
    assert_false(covers("dst=10.0.0.5", A, B, 443));
    struct row turned = row_of(B, A, 50000);
    turned.flow.src_port = 443;
    assert_false(covers_row("port=443", &turned));
}

static void host_is_either_end_and_about_whom_the_finding_is_about(void **state)
{
    (void)state;
    assert_true(covers("host=10.0.0.5", A, B, 443));
    assert_true(covers("host=10.0.0.5", B, A, 443));
    assert_false(covers("host=10.0.0.5", B, C, 443));
    assert_true(covers("about=10.0.0.5", A, B, 443));
    assert_false(covers("about=10.0.0.5", B, A, 443));
    struct row victim = row_of(B, A, 443);
    victim.finding[detector_named("beacon")].of_destination = true;
    assert_true(covers_row("about=10.0.0.5", &victim));
    assert_false(covers_row("about=203.0.113.7", &victim));
}

static void asn_and_country_are_of_either_end(void **state)
{
    (void)state;
    struct row row = row_of(A, B, 443);
    assert_false(covers_row("asn=64496", &row)); /* no database */
    row.dst = (struct place){.country = "DE", .asn = 64496};
    assert_true(covers_row("asn=64496", &row));
    assert_true(covers_row("asn=AS64496 country=DE", &row));
    assert_false(covers_row("asn=64497", &row));
    assert_false(covers_row("country=FR", &row));
    row.src = row.dst;
    row.dst = (struct place){0};
    assert_true(covers_row("country=DE", &row));
}

static void a_rule_expires_in_event_time(void **state)
{
    (void)state;
    struct rules *rules = rules_of("src=10.0.0.5 expires=2023-11-14T22:13:20Z\n"); /* 1700000000 */
    struct row row = row_of(A, B, 443);
    assert_non_null(rules_find(rules, &row, 0, NOW - 1));
    assert_null(rules_find(rules, &row, 0, NOW));
    assert_int_equal(rules_expired(rules, NOW - 1), 0);
    assert_int_equal(rules_expired(rules, NOW), 1);
    rules_free(rules);
    rules = rules_of("src=10.0.0.5 expires=2023-11-14\n"); /* the beginning of the day, UTC */
    assert_int_equal(rules->rule[0].expires_us, INT64_C(1699920000) * US);
    rules_free(rules);
}

/* Which list a rule is found in does not matter: wide, by the one end or by the other. */
static void the_first_rule_of_the_file_is_named(void **state)
{
    (void)state;
    static const char *const lines[] = {"id=wide detector=beacon\n", "id=src src=10.0.0.5\n",
                                        "id=dst dst=203.0.113.7\n"};
    struct row row = row_of(A, B, 443);
    for (unsigned first = 0; first < 3; first++) {
        char text[256], id[8];
        (void)snprintf(text, sizeof text, "%s%s%s", lines[first], lines[(first + 1) % 3],
                       lines[(first + 2) % 3]);
        (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(lines[first] + 3, " "),
                       lines[first] + 3);
        struct rules *rules = rules_of(text);
        const struct rule *rule = rules_find(rules, &row, detector_named("beacon"), NOW);
        assert_non_null(rule);
        assert_string_equal(rule->id, id);
        rules_free(rules);
    }
}

/* Every rule is found among many: buckets are shared, chains are long. */
static void each_of_thousands_is_found(void **state)
{
    (void)state;
    enum { COUNT = 9000 };
    char *text = malloc(COUNT * 64), *at = text;
    assert_non_null(text);
    for (unsigned i = 0; i < COUNT; i++)
        at += snprintf(at, 64, "id=r%u %s=10.9.%u.%u\n", i, i % 2 ? "src" : "host", i / 250,
                       i % 250 + 1);
    struct rules *rules = rules_of(text);
    free(text);
    for (unsigned i = 0; i < COUNT; i++) {
        char address[32], id[16];
        (void)snprintf(address, sizeof address, "10.9.%u.%u", i / 250, i % 250 + 1);
        (void)snprintf(id, sizeof id, "r%u", i);
        struct row row = row_of(address, B, 443);
        const struct rule *rule = rules_find(rules, &row, 0, NOW);
        assert_non_null(rule);
        assert_string_equal(rule->id, id);
    }
    rules_free(rules);
}

static void the_same_rule_has_the_same_id(void **state)
{
    (void)state;
    struct rules *a = rules_of("src=10.0.0.5 port=443 owner=ann\n");
    struct rules *b = rules_of("why=other port=443   src=10.0.0.5 expires=2030-01-01\n");
    struct rules *c = rules_of("src=10.0.0.5 port=444\n");
    assert_string_equal(a->rule[0].id, b->rule[0].id);
    assert_string_not_equal(a->rule[0].id, c->rule[0].id);
    assert_int_equal(strlen(a->rule[0].id), 8);
    rules_free(a);
    rules_free(b);
    rules_free(c);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    assert_refused("src=10.0.0.5\nscr=10.0.0.5\n", "rules:2: scr: no such key");
    assert_refused("owner=me why=because\n",
                   "rules:1: names nothing to match (detector, src, dst, host, about, port, proto, "
                   "asn or country)");
    assert_refused("src=10.0.0.5/33\n",
                   "rules:1: src=10.0.0.5/33: not an address, or a network such as 10.0.0.0/8");
    assert_refused("src=10.0.0.5/8\n", "rules:1: src=10.0.0.5/8: not a network: its address has "
                                       "bits beyond the prefix");
    assert_refused("dst=0.0.0.0/0\n", "rules:1: dst=0.0.0.0/0: not a part of the network: leave "
                                      "the key out to mean any address");
    assert_refused("dst=::/0\n", "rules:1: dst=::/0: not a part of the network: leave the key out "
                                 "to mean any address");
    assert_refused("dst=example.com\n",
                   "rules:1: dst=example.com: not an address, or a network such as 10.0.0.0/8");
    assert_refused("port=0\n", "rules:1: port=0: not in 1..65535");
    assert_refused("port=65536\n", "rules:1: port=65536: not in 1..65535");
    assert_refused("port=443,80\n", "rules:1: port=443,80: not in 1..65535");
    assert_refused("proto=tpc\n", "rules:1: proto=tpc: not a protocol such as tcp, udp or 47");
    assert_refused("asn=0\n", "rules:1: asn=0: not a number such as 64496");
    assert_refused("asn=4294967296\n", "rules:1: asn=4294967296: not a number such as 64496");
    assert_refused("country=de\n", "rules:1: country=de: not two capitals such as DE");
    assert_refused("detector=becaon\n", "rules:1: detector=becaon: not a detector of eddy");
    assert_refused("src=10.0.0.5 direction=forward\n",
                   "rules:1: direction=forward: not recorded or both");
}

static void absurd_times_and_ids_are_refused(void **state)
{
    (void)state;
    static const char *const times[] = {"nan",         "never",      "2026-02-30", "2026-13-01",
                                        "1969-12-31",  "30d",        "2026-1-1",   "20261231",
                                        "2026-12-31T", "0000-00-00", "1e99",       "-1"};
    char text[128], message[256];
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        (void)snprintf(text, sizeof text, "src=10.0.0.5 expires=%s\n", times[i]);
        (void)snprintf(message, sizeof message,
                       "rules:1: expires=%s: not a time such as 2026-12-31 or 2026-12-31T12:00:00Z",
                       times[i]);
        assert_refused(text, message);
    }
    assert_refused("id=a/b src=10.0.0.5\n",
                   "rules:1: id=a/b: not at most 23 of letters, digits, '.', '_' and '-'");
    assert_refused("id=x src=10.0.0.5\nid=x src=10.0.0.6\n", "rules:2: the same id as line 1: x");
    struct rules *rules = rules_of("src=10.0.0.5\n");
    (void)snprintf(message, sizeof message, "rules:3: the same rule as line 1: %s",
                   rules->rule[0].id);
    rules_free(rules);
    assert_refused("src=10.0.0.5\n\nsrc=10.0.0.5 owner=me\n", message);
}

static void rules_without_an_address_are_bounded(void **state)
{
    (void)state;
    char *text = malloc((RULES_WIDE + 1) * 16), *at = text;
    assert_non_null(text);
    for (unsigned i = 0; i <= RULES_WIDE; i++)
        at += snprintf(at, 16, "port=%u\n", i + 1);
    assert_refused(text, "rules:1001: more than 1000 rules without a single address");
    free(text);
}

static void counts_go_over_to_the_same_rules_of_a_new_set(void **state)
{
    (void)state;
    struct rules *was = rules_of("id=a src=10.0.0.5\nid=b src=10.0.0.6\n");
    was->rule[0].hits = 3;
    was->rule[1].hits = 7;
    was->rule[1].last_us = 11;
    struct rules *now = rules_of("id=new src=10.0.0.9\nid=b src=10.0.0.7\n");
    assert_int_equal(rules_trace(now, was, NULL), EDDY_OK);
    rules_inherit(now, was);
    assert_int_equal(now->rule[0].hits, 0);
    assert_int_equal(now->rule[1].hits, 7);
    assert_int_equal(now->rule[1].last_us, 11);
    rules_free(was);
    rules_free(now);
}

static void all_matching_flows_can_be_counted(void **state)
{
    (void)state;
    struct rules *rules =
        rules_of("id=a src=10.0.0.5\nid=b dst=203.0.113.7\nid=c detector=beacon\n"
                 "id=d about=203.0.113.7\nid=e src=10.0.0.5 expires=2001-01-01\n");
    struct row row = row_of(A, B, 443), other = row_of(C, A, 443);
    rules_count(rules, &row, NOW);
    assert_int_equal(rules->rule[0].flows, 1);
    assert_int_equal(rules->rule[1].flows, 1);
    assert_int_equal(rules->rule[2].flows, 1); /* a detector is no matter of flows */
    assert_int_equal(rules->rule[3].flows, 1); /* it might be found about either end */
    assert_int_equal(rules->rule[4].flows, 0); /* expired */
    rules_count(rules, &other, NOW);
    assert_int_equal(rules->rule[0].flows, 1);
    assert_int_equal(rules->rule[2].flows, 2);
    assert_int_equal(rules->flows, 2); /* each flow once */
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_must_hold),
        cmocka_unit_test(networks_are_of_both_families),
        cmocka_unit_test(a_rule_with_both_ends_holds_either_way_round),
        cmocka_unit_test(a_rule_with_one_end_holds_as_recorded),
        cmocka_unit_test(host_is_either_end_and_about_whom_the_finding_is_about),
        cmocka_unit_test(asn_and_country_are_of_either_end),
        cmocka_unit_test(a_rule_expires_in_event_time),
        cmocka_unit_test(the_first_rule_of_the_file_is_named),
        cmocka_unit_test(each_of_thousands_is_found),
        cmocka_unit_test(the_same_rule_has_the_same_id),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(absurd_times_and_ids_are_refused),
        cmocka_unit_test(rules_without_an_address_are_bounded),
        cmocka_unit_test(counts_go_over_to_the_same_rules_of_a_new_set),
        cmocka_unit_test(all_matching_flows_can_be_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
