/* SPDX-License-Identifier: MIT */
/* host.c - the Suricata we are in: its functions, found by name when the plugin is loaded. */
#include "host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

struct host host;

static const struct {
    size_t place;
    const char *name_7, *name_8;
} wanted[] = {
    {offsetof(struct host, log), "SCLog", "SCLog"}, /* these two first: they tell of the others */
    {offsetof(struct host, log_error), "SCLogErr", "SCLogErr"},
    {offsetof(struct host, child), "ConfNodeLookupChild", "SCConfNodeLookupChild"},
    {offsetof(struct host, log_directory), "ConfigGetLogDirectory", "SCConfigGetLogDirectory"},
    {offsetof(struct host, setting), "ConfGet", "SCConfGet"},
    {offsetof(struct host, add_file_type), "SCRegisterEveFileType", "SCRegisterEveFileType"},
    {offsetof(struct host, watch_rotation), "OutputRegisterFileRotationFlag",
     "OutputRegisterFileRotationFlag"},
    {offsetof(struct host, unwatch_rotation), "OutputUnregisterFileRotationFlag",
     "OutputUnregisterFileRotationFlag"},
};

const char *host_find(void)
{
    const char *(*version)(void);
    const char *lacking = NULL;
    void *program = dlopen(NULL, RTLD_LAZY); /* POSIX's way to say RTLD_DEFAULT */
    if (program == NULL)
        return "its symbols";
    *(void **)&version = dlsym(program, "GetProgramVersion");
    const char *text = version != NULL ? version() : NULL;
    host.major = text != NULL ? (int)strtol(text, NULL, 10) : 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *name = host.major == 7 ? wanted[i].name_7 : wanted[i].name_8;
        void *found = dlsym(program, name);
        if (found == NULL && lacking == NULL)
            lacking = name;
        memcpy((char *)&host + wanted[i].place, &found, sizeof found);
    }
    (void)dlclose(program); /* it stays loaded: it is what runs */
    return host.major != 7 && host.major != 8 ? "the plugin interface of 7.0 or 8.0" : lacking;
}

void host_line(int level, const char *message, void *user)
{
    (void)user;
    if (host.log == NULL || host.log_error == NULL)
        (void)fprintf(stderr, "eddy: %s\n", message);
    else if (level <= LOG_WARNING)
        host.log_error(level <= LOG_ERR ? ABI_ERROR : ABI_WARNING, __FILE__, __func__, __LINE__,
                       "eddy", "%s", message);
    else
        host.log(level == LOG_NOTICE ? ABI_NOTICE : ABI_INFO, __FILE__, __func__, __LINE__, "eddy",
                 "%s", message);
}

/* Whether an argument is -T, alone or among other letters: -vT. */
static bool asks_for_test(const char *argument)
{
    if (argument[0] != '-' || argument[1] == '-')
        return false;
    for (argument++; *argument != '\0' && strchr("cilqdrsSUFk", *argument) == NULL; argument++)
        if (*argument == 'T')
            return true; /* the others take a value: what follows them is none of ours */
    return false;
}

/* The numbers of Suricata's run modes differ from version to version. But -T always makes failures
 * at start fatal, as another option does too, and it is among the arguments. */
bool host_only_tests(void)
{
    const char *fatal = NULL;
    char arguments[65536];
    if (host.setting("engine.init-failure-fatal", &fatal) != 1 || fatal == NULL ||
        strcmp(fatal, "1") != 0)
        return false;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, arguments, sizeof arguments - 1) : 0;
    if (fd >= 0)
        (void)close(fd); /* read only */
    bool found = false;
    arguments[length > 0 ? length : 0] = '\0';
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(arguments + at) + 1)
        found = found || asks_for_test(arguments + at);
    return found;
}
