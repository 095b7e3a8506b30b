/* SPDX-License-Identifier: MIT */
/* service.h - kinds of conversation: coarse, so that each has enough examples to learn from.
 * Decided by the protocol the sensor named, else by the well-known port (IANA registry). */
#pragma once

enum service {
    SERVICE_OTHER_LOW,  /* a port below 1024 not named here */
    SERVICE_OTHER_HIGH, /* any other port */
    SERVICE_ICMP,
    SERVICE_DNS,
    SERVICE_WEB,
    SERVICE_MAIL,
    SERVICE_REMOTE,    /* ssh, rdp, vnc, telnet, winrm */
    SERVICE_FILES,     /* smb, nfs, ftp, rsync, tftp */
    SERVICE_DIRECTORY, /* kerberos, ldap, rpc endpoint mapper */
    SERVICE_CLOCK,     /* ntp */
    SERVICE_LOCAL,     /* dhcp, mdns, ssdp, netbios, llmnr: talk inside one network */
    SERVICE_COUNT
};
