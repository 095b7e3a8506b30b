/* SPDX-License-Identifier: MIT */
/* called.c - what an incident's other end is called, as names the sensor has seen. */
#include "decide/called.h"

#include "score/explanation.h"

static void add_pair(const struct names_pair *pair, struct explanation *why)
{
    explanation_name(why, pair->http ? "http_host" : "sni", pair->name);
    explanation_name(why, "ja3", pair->ja3);
    explanation_name(why, "ja4", pair->ja4);
}

void called_add(const struct names *names, struct incident *i)
{
    struct explanation *why = &i->why;
    if (!why->names_peer)
        return;
    const struct names_pair *pair =
        names_of_pair(names, names_key(names, i->host, i->peer, i->peer_port, i->proto));
    if (pair == NULL) /* a flood's victim is the host, and its peer the one who called */
        pair = names_of_pair(names, names_key(names, i->peer, i->host, i->peer_port, i->proto));
    if (pair != NULL)
        add_pair(pair, why);
    const struct names_answer *answer = names_of_address(names, i->peer);
    if (answer != NULL)
        explanation_name(why, "dns", answer->name);
}
