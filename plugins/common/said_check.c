/* SPDX-License-Identifier: MIT */
/* said_check.c - are the files that people write, suppress.path and feedback.path, without fault?
 */
#include "said_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

#define ROOM ((size_t)8 * 1024 * 1024) /* twice what an engine takes: the library says "larger" */

static int trouble(const char *path, int problem, eddy_error *err)
{
    return fault(err, EDDY_EIO, "%.200s: %s", path, strerror(problem));
}

/* At most ROOM bytes of the file, ended by NUL. NULs within, at which the library would take the
 * text to end, become another control character: these are refused, with their line. */
static int read_text(int fd, const char *path, char **out, eddy_error *err)
{
    char *text = malloc(ROOM + 1);
    size_t length = 0;
    ssize_t n = 1;
    if (text == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    while (n > 0 && length < ROOM) {
        n = read(fd, text + length, ROOM - length);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            length += (size_t)n;
    }
    if (n < 0) {
        int problem = errno;
        free(text);
        return trouble(path, problem, err);
    }
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = '\1';
    text[length] = '\0';
    *out = text;
    return EDDY_OK;
}

/* Non-blocking, for it may be a FIFO. */
static int check_file(eddy_said which, const char *path, eddy_error *err)
{
    char *text = NULL;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? EDDY_OK : trouble(path, errno, err);
    int status = fstat(fd, &info) == 0 && S_ISREG(info.st_mode)
                     ? read_text(fd, path, &text, err)
                     : fault(err, EDDY_EIO, "%.200s: not a regular file", path);
    (void)close(fd); /* read only */
    if (status == EDDY_OK)
        status = eddy_said_check(which, path, text, NULL, NULL, err);
    free(text);
    return status;
}

int said_check(const eddy_config *config, eddy_error *err)
{
    static const struct {
        const char *key;
        eddy_said which;
    } files[] = {{"suppress.path", EDDY_SUPPRESSIONS}, {"feedback.path", EDDY_MARKS}};
    eddy_error why;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = eddy_config_value(config, files[i].key);
        int status = *path != '\0' ? check_file(files[i].which, path, &why) : EDDY_OK;
        if (status < 0)
            return fault(err, status, "%s = %s", files[i].key, why.message);
    }
    return EDDY_OK;
}
