/* SPDX-License-Identifier: MIT */
/* config_file.c - reads eddy.conf; the only file that includes ini.h.
 *
 * Distributions build inih with different habits (inline comments, continuation lines, line
 * length), and it cuts what is too long without a word. So it is given one line at a time by
 * read_line(), which takes out what inih might treat in more than one way: blanks before a line,
 * comments, a byte order mark. inih then has to tell sections from settings, and does not meet a
 * line that it would cut. */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "util/error.h"
#include "util/io.h"
#include "util/text.h"

#define FILE_SIZE (1U << 20)
#define KEY_SIZE  128

struct reader {
    eddy_config *config;
    const char *name;
    const char *at, *end; /* what is still to be read */
    int line;             /* of what was read last, from 1 */
    int failed_line;      /* 0: none */
    int *lines;           /* of the file, where each setting was set; 0: not */
    eddy_error error;     /* for failed_line */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static int fail(struct reader *reader, const char *problem)
{
    reader->failed_line = reader->line;
    return error_set(&reader->error, EDDY_ECONFIG, "%s:%d: %s", reader->name, reader->line,
                     problem);
}

/* Where the comment of this line begins, else its end: a '#' or ';' first in the line or after a
 * blank. */
static const char *find_comment(const char *at, const char *end)
{
    for (const char *c = at; c < end; c++) {
        if ((*c == '#' || *c == ';') && (c == at || is_blank(c[-1])))
            return c;
    }
    return end;
}

/* What is wrong with a line, that inih would not see; NULL if nothing. */
static const char *find_fault(const char *at, const char *end)
{
    if (memchr(at, '\0', (size_t)(end - at)) != NULL)
        return "has a NUL byte";
    const char *bracket = memchr(at, ']', (size_t)(end - at));
    if (at < end && *at == '[' && bracket != NULL && bracket + 1 != end)
        return "text after [section]";
    return NULL;
}

/* Gives inih the next line, as fgets would. */
static char *read_line(char *line, int size, void *user)
{
    struct reader *reader = user;
    if (reader->failed_line != 0 || reader->at == reader->end)
        return NULL;
    const char *at = reader->at;
    const char *newline = memchr(at, '\n', (size_t)(reader->end - at));
    const char *end = newline != NULL ? newline : reader->end;
    reader->at = newline != NULL ? newline + 1 : end;
    reader->line++;
    while (at < end && is_blank(*at))
        at++;
    end = find_comment(at, end);
    while (end > at && is_blank(end[-1]))
        end--;
    const char *fault = find_fault(at, end);
    if (fault != NULL) {
        (void)fail(reader, fault);
        return NULL;
    }
    size_t length = (size_t)(end - at);
    if (length + 2 > (size_t)size) { /* with a newline and the NUL */
        char problem[48];
        struct text text = text_over(problem, sizeof problem);
        text_format(&text, "longer than %d bytes", size - 2);
        (void)fail(reader, problem);
        return NULL;
    }
    memcpy(line, at, length);
    line[length] = '\n';
    line[length + 1] = '\0';
    return line;
}

/* inih has found a setting. 0 is failure here. */
static int take_setting(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;
    char key[KEY_SIZE], problem[KEY_SIZE + 48];
    size_t place;
    bool is_list;
    if (name == NULL || value == NULL) /* how some builds of inih tell other things */
        return 1;
    if (*section == '\0') {
        (void)fail(reader, "a setting before the first [section]");
        return 0;
    }
    struct text text = text_over(key, sizeof key);
    text_format(&text, "%s.%s", section, name);
    if (config_find(reader->config, key, &place, &is_list) && !is_list) {
        if (reader->lines[place] != 0) {
            text = text_over(problem, sizeof problem);
            text_format(&text, "%s: set a second time; first in line %d", key,
                        reader->lines[place]);
            (void)fail(reader, problem);
            return 0;
        }
        reader->lines[place] = reader->line;
    }
    eddy_error err = {0};
    if (eddy_config_set(reader->config, key, value, &err) == EDDY_OK)
        return 1;
    (void)fail(reader, err.message);
    reader->error.code = err.code;
    return 0;
}

static int read_all(struct reader *reader)
{
    if (reader->end - reader->at >= 3 && memcmp(reader->at, "\xEF\xBB\xBF", 3) == 0)
        reader->at += 3; /* byte order mark */
    int line = ini_parse_stream(read_line, reader, take_setting, reader);
    if (line == -2)
        return error_nomem(&reader->error);
    if (line > 0 && (reader->failed_line == 0 || line < reader->failed_line)) {
        reader->line = line; /* inih does not stop at what it can't make out itself */
        return fail(reader, "neither [section] nor name = value");
    }
    return reader->failed_line != 0 ? reader->error.code : EDDY_OK;
}

int config_load_text(eddy_config *config, const char *name, const char *text, size_t length,
                     eddy_error *err)
{
    eddy_config *copy;
    if (config_copy_all(config, &copy) != EDDY_OK)
        return error_nomem(err);
    struct reader reader = {.config = copy, .name = name, .at = text, .end = text + length};
    int status = EDDY_ENOMEM;
    reader.lines = calloc(config_count(copy) + 1, sizeof *reader.lines);
    if (reader.lines == NULL)
        (void)error_nomem(&reader.error);
    else
        status = read_all(&reader);
    if (status == EDDY_OK)
        config_swap(config, copy);
    else if (err != NULL)
        *err = reader.error;
    free(reader.lines);
    eddy_config_free(copy);
    return status;
}

int eddy_config_load(eddy_config *config, const char *path, eddy_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(err, EDDY_EIO, "%s: %s", path, strerror(errno));
    char *text = malloc(FILE_SIZE + 1);
    ssize_t length = text != NULL ? io_read(fd, text, FILE_SIZE + 1) : 0;
    int problem = errno;
    (void)close(fd); /* read only */
    int status;
    if (text == NULL)
        status = error_nomem(err);
    else if (length < 0)
        status = error_set(err, EDDY_EIO, "%s: %s", path, strerror(problem));
    else if ((size_t)length > FILE_SIZE)
        status = error_set(err, EDDY_ECONFIG, "%s: larger than 1 MiB", path);
    else
        status = config_load_text(config, path, text, (size_t)length, err);
    free(text);
    return status;
}
