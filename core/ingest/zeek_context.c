/* SPDX-License-Identifier: MIT */
/* zeek_context.c - the fields of dns.log, ssl.log, quic.log and http.log. */
#include "zeek_context.h"

#include "conn.h"

void zeek_set_context(struct zeek_conn *conn, enum zeek_field field, const char *text,
                      size_t length)
{
    bool again = (conn->seen & ZEEK_BIT(field)) != 0;
    struct context *context = conn->context;
    conn->seen |= ZEEK_BIT(field);
    if (context == NULL || (again && field != ZEEK_ANSWERS)) /* which come one by one */
        return;
    switch (field) {
    case ZEEK_QUERY:
    case ZEEK_SERVER_NAME:
    case ZEEK_HOST:
        if (context->name[0] == '\0')
            context_name(context, text, length);
        break;
    case ZEEK_QTYPE:
        context_type(context, text, length);
        break;
    case ZEEK_RCODE:
        context_rcode(context, text, length);
        break;
    case ZEEK_ANSWERS:
        context_answer(context, text, length);
        break;
    case ZEEK_JA3:
        context_ja3(context, text, length);
        break;
    case ZEEK_JA4:
        context_ja4(context, text, length);
        break;
    default: /* only tells the log */
        break;
    }
}

enum reason zeek_finish_context(struct zeek_conn *conn, enum zeek_log log)
{
    const unsigned needed = ZEEK_BIT(ZEEK_TS) | ZEEK_BIT(ZEEK_ORIG_H) | ZEEK_BIT(ZEEK_RESP_H);
    struct context *context = conn->context;
    eddy_flow *flow = conn->flow;
    if (conn->wrong != REASON_NONE || (conn->seen & needed) != needed || !context_says(context))
        return REASON_other_event;
    if (flow->proto == 0) /* of these only dns.log has it */
        flow->proto = log == ZEEK_LOG_QUIC ? IP_UDP : IP_TCP;
    flow->tcp_out = flow->tcp_in = 0; /* what else a log may have by the name of `history` */
    switch (log) {
    case ZEEK_LOG_DNS:
        context->kind = CONTEXT_DNS;
        return REASON_dns_context;
    case ZEEK_LOG_HTTP:
        context->kind = CONTEXT_HTTP;
        return REASON_http_context;
    default:
        context->kind = CONTEXT_TLS;
        return REASON_tls_context;
    }
}
