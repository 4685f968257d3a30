#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

/* PIPE_BUF: up to here a line from one worker is not mixed with another's. */
#define LINE_MAX_BYTES 4096

struct line {
    char bytes[LINE_MAX_BYTES];
    size_t size;
};

static const char cut_mark[] = "…";

static enum berth_log_level log_level = BERTH_LOG_INFO;
static const char *log_role = "berth";

/* What JOURNAL_STREAM names (systemd.exec(5)): the stream that systemd gave us, if it gave one. */
static bool journal_known;
static dev_t journal_device;
static ino_t journal_inode;

static void journal_find(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    char end;

    journal_known = text && sscanf(text, "%llu:%llu%c", &device, &inode, &end) == 2;
    if (journal_known) {
        journal_device = (dev_t)device;
        journal_inode = (ino_t)inode;
    }
}

/* Asked anew for each line: standard error can have been replaced since, by log_open or by a parent's descriptor. */
static bool goes_to_journal(void)
{
    struct stat status;

    return journal_known && fstat(STDERR_FILENO, &status) == 0 && status.st_dev == journal_device &&
           status.st_ino == journal_inode;
}

void log_init(enum berth_log_level level, const char *role)
{
    log_level = level;
    log_role = role;
    journal_find();
}

static void line_add(struct line *line, const char *bytes, size_t size)
{
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
}

/* The bytes of the UTF-8 character at `text` if it is one that a terminal shows and does not obey; 0 otherwise. C1
 * controls (U+0080 to U+009F) are two bytes of valid UTF-8, and a terminal may take them for escape sequences. RFC
 * 3629. */
static size_t printable_length(const unsigned char *text)
{
    size_t length = text[0] < 0x80   ? 1
                    : text[0] < 0xc2 ? 0
                    : text[0] < 0xe0 ? 2
                    : text[0] < 0xf0 ? 3
                    : text[0] < 0xf5 ? 4
                                     : 0;

    if (text[0] < 0x20 || text[0] == 0x7f)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((text[0] == 0xc2 && text[1] < 0xa0) || (text[0] == 0xe0 && text[1] < 0xa0) ||
        (text[0] == 0xed && text[1] > 0x9f) || (text[0] == 0xf0 && text[1] < 0x90) ||
        (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

/* One character, or one byte that must not be shown, as it goes into the line. */
static size_t escape_one(const unsigned char *text, char escaped[5], size_t *ret_size)
{
    static const char letters[] = "abtnvfr";
    size_t length = printable_length(text);

    if (length > 0) {
        memcpy(escaped, text, length);
        *ret_size = length;
        return length;
    }
    if (text[0] >= '\a' && text[0] <= '\r')
        *ret_size = (size_t)snprintf(escaped, 5, "\\%c", letters[text[0] - '\a']);
    else
        *ret_size = (size_t)snprintf(escaped, 5, "\\x%02x", text[0]);
    return 1;
}

static void line_add_escaped(struct line *line, const char *text)
{
    const unsigned char *next = (const unsigned char *)text;
    char escaped[5];
    size_t size, consumed;

    while (*next) {
        consumed = escape_one(next, escaped, &size);
        /* Room stays for the mark and the newline. */
        if (line->size + size + sizeof(cut_mark) > sizeof(line->bytes)) {
            line_add(line, cut_mark, sizeof(cut_mark) - 1);
            return;
        }
        line_add(line, escaped, size);
        next += consumed;
    }
}

static const char *level_name(enum berth_log_level level)
{
    switch (level) {
    case BERTH_LOG_ERROR:
        return "error: ";
    case BERTH_LOG_WARNING:
        return "warning: ";
    case BERTH_LOG_DEBUG:
        return "debug: ";
    case BERTH_LOG_INFO:
        break;
    }
    return ""; /* what a server has to say by itself needs no label */
}

/* A person at a terminal knows the date; who reads a file later does not. */
static void line_begin(struct line *line, enum berth_log_level level)
{
    time_t now = time(NULL);
    struct tm parts;
    char prefix[160];
    size_t size;

    if (goes_to_journal()) {
        line->size = (size_t)snprintf(line->bytes, sizeof(line->bytes), "<%d>", (int)level);
        return;
    }
    if (!localtime_r(&now, &parts))
        memset(&parts, 0, sizeof(parts));
    size = strftime(prefix, sizeof(prefix), isatty(STDERR_FILENO) ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(prefix + size, sizeof(prefix) - size, " %.64s: %s", log_role, level_name(level));
    line->size = 0;
    line_add(line, prefix, strlen(prefix));
}

void berth_log(enum berth_log_level level, const char *format, ...)
{
    int saved_errno = errno;
    char text[LINE_MAX_BYTES];
    struct line line;
    va_list arguments;

    if (level > log_level)
        return;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof(text), format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);

    line_begin(&line, level);
    line_add_escaped(&line, text);
    line_add(&line, "\n", 1);
    /* One write, whatever becomes of it: a log that blocks or is gone must not take the server with it. */
    while (write(STDERR_FILENO, line.bytes, line.size) < 0 && errno == EINTR)
        ;
    errno = saved_errno;
}

int log_open(const char *path, struct error *error)
{
    int r, fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

    if (fd < 0)
        return error_set(error, -errno, "--log: cannot open \"%s\": %s", path, strerror(errno));
    /* Standard error is what children inherit: no CLOEXEC. dup3(2) refuses equal descriptors, which is what we
     * get when standard error was closed: then open(2) may have put the log right where it belongs. */
    if (fd == STDERR_FILENO)
        r = fcntl(fd, F_SETFD, 0);
    else
        r = dup3(fd, STDERR_FILENO, 0);
    if (r < 0)
        r = error_set(error, -errno, "--log: cannot write standard error to \"%s\": %s", path, strerror(errno));
    if (fd != STDERR_FILENO)
        close(fd);
    return r < 0 ? r : 0;
}
