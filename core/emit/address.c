/* SPDX-License-Identifier: MIT */
/* address.c - addresses as text. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "eddy.h"

static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF}; /* ::ffff:0:0/96, RFC 4291 2.5.5.2 */

const char *eddy_address_text(const uint8_t address[16], char buf[46])
{
    const char *text;
    if (memcmp(address, mapped, sizeof mapped) == 0)
        text = inet_ntop(AF_INET, address + sizeof mapped, buf, INET_ADDRSTRLEN);
    else
        text = inet_ntop(AF_INET6, address, buf, INET6_ADDRSTRLEN);
    if (text == NULL) /* it can't: family and room are right */
        buf[0] = '\0';
    return buf;
}
