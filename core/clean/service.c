/* SPDX-License-Identifier: MIT */
/* service.c - which kind of conversation a flow is: by protocol name, else by port. */
#include "clean/service.h"

#include <string.h>

/* Names as Suricata's app_proto writes them; ingest maps Zeek's onto these. */
static const struct {
    const char *app;
    enum service service;
} by_app[] = {
    {"dns", SERVICE_DNS},          {"doh2", SERVICE_DNS},       {"http", SERVICE_WEB},
    {"http2", SERVICE_WEB},        {"tls", SERVICE_WEB},        {"quic", SERVICE_WEB},
    {"websocket", SERVICE_WEB},    {"smtp", SERVICE_MAIL},      {"imap", SERVICE_MAIL},
    {"pop3", SERVICE_MAIL},        {"ssh", SERVICE_REMOTE},     {"rdp", SERVICE_REMOTE},
    {"rfb", SERVICE_REMOTE},       {"telnet", SERVICE_REMOTE},  {"smb", SERVICE_FILES},
    {"nfs", SERVICE_FILES},        {"ftp", SERVICE_FILES},      {"ftp-data", SERVICE_FILES},
    {"tftp", SERVICE_FILES},       {"krb5", SERVICE_DIRECTORY}, {"ldap", SERVICE_DIRECTORY},
    {"dcerpc", SERVICE_DIRECTORY}, {"ntp", SERVICE_CLOCK},      {"dhcp", SERVICE_LOCAL},
    {"mdns", SERVICE_LOCAL},
};

static enum service service_of_port(uint16_t port)
{
    switch (port) {
    case 53:
    case 853:
        return SERVICE_DNS;
    case 80:
    case 443:
    case 8000:
    case 8080:
    case 8443:
        return SERVICE_WEB;
    case 25:
    case 110:
    case 143:
    case 465:
    case 587:
    case 993:
    case 995:
        return SERVICE_MAIL;
    case 22:
    case 23:
    case 3389:
    case 5900:
    case 5985:
    case 5986:
        return SERVICE_REMOTE;
    case 20:
    case 21:
    case 69:
    case 111:
    case 139:
    case 445:
    case 873:
    case 2049:
        return SERVICE_FILES;
    case 88:
    case 135:
    case 389:
    case 464:
    case 636:
    case 3268:
        return SERVICE_DIRECTORY;
    case 123:
        return SERVICE_CLOCK;
    case 67:
    case 68:
    case 137:
    case 138:
    case 546:
    case 547:
    case 1900:
    case 5353:
    case 5355:
        return SERVICE_LOCAL;
    default:
        return port < 1024 ? SERVICE_OTHER_LOW : SERVICE_OTHER_HIGH;
    }
}

enum service service_of(const eddy_flow *flow)
{
    if (flow->proto == 1 || flow->proto == 58)
        return SERVICE_ICMP;
    enum service by_port = service_of_port(flow->dst_port);
    if (flow->app[0] == '\0' || by_port == SERVICE_LOCAL) /* LLMNR and mDNS parse as DNS */
        return by_port;
    for (size_t i = 0; i < sizeof by_app / sizeof *by_app; i++)
        if (strcmp(flow->app, by_app[i].app) == 0)
            return by_app[i].service;
    return by_port;
}

const char *service_name(enum service service)
{
    static const char *const names[SERVICE_COUNT] = {
        [SERVICE_OTHER_LOW] = "other",
        [SERVICE_OTHER_HIGH] = "other",
        [SERVICE_ICMP] = "ICMP",
        [SERVICE_DNS] = "DNS",
        [SERVICE_WEB] = "web",
        [SERVICE_MAIL] = "mail",
        [SERVICE_REMOTE] = "remote-login",
        [SERVICE_FILES] = "file-sharing",
        [SERVICE_DIRECTORY] = "directory",
        [SERVICE_CLOCK] = "clock (NTP)",
        [SERVICE_LOCAL] = "local-discovery",
    };
    return names[service];
}
