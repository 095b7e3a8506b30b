/* SPDX-License-Identifier: MIT */
/* addr.c - IP addresses as 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */
#include "addr.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "eddy.h"

/* By hand: inet_pton costs half as much again, and flows have two addresses each. */
static bool parse_v4(const char *text, size_t length, uint8_t out[16])
{
    uint8_t quad[4];
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && (at == length || text[at++] != '.'))
            return false;
        unsigned value = 0;
        size_t digits = 0;
        while (at < length && text[at] >= '0' && text[at] <= '9' && digits < 3) {
            value = value * 10 + (unsigned)(text[at++] - '0');
            digits++;
        }
        /* 010 is 8 to some programs and 10 to others, so it is nobody's address. */
        if (digits == 0 || value > 255 || (digits > 1 && text[at - digits] == '0'))
            return false;
        quad[i] = (uint8_t)value;
    }
    if (at != length)
        return false;
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, quad, sizeof quad);
    return true;
}

bool addr_parse(const char *text, size_t length, uint8_t out[16])
{
    if (length < sizeof "::" - 1 || length > INET6_ADDRSTRLEN - 1)
        return false;
    if (memchr(text, ':', length < 5 ? length : 5) == NULL) /* IPv6 has one in its first 5 */
        return parse_v4(text, length, out);
    char copy[INET6_ADDRSTRLEN];
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (strlen(copy) != length) /* a NUL byte inside */
        return false;
    struct in6_addr parsed;
    if (inet_pton(AF_INET6, copy, &parsed) != 1)
        return false;
    memcpy(out, parsed.s6_addr, 16);
    return true;
}

bool addr_is_unspecified(const uint8_t address[16])
{
    static const uint8_t zero[16];
    if (addr_is_v4(address))
        return memcmp(address + 12, zero, 4) == 0;
    return memcmp(address, zero, sizeof zero) == 0;
}

const char *eddy_address_text(const uint8_t address[16], char buf[46])
{
    bool v4 = addr_is_v4(address);
    /* 46 is INET6_ADDRSTRLEN, and neither family is unknown: it can't fail. */
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? address + 12 : address, buf, 46);
    return buf;
}
