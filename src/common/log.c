#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/line.h"
#include "common/sink.h"

/* PIPE_BUF: up to here a line from one worker is not mixed with another's. */
#define LINE_MAX_BYTES 4096
#define ROLE_MAX       64

static enum berth_log_level log_level = BERTH_LOG_INFO;
static const char *log_role = "berth";
static bool log_json;
static uint64_t lost; /* lines, since the last that was written */

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

void log_use_json(bool json)
{
    log_json = json;
}

static const char *level_name(enum berth_log_level level)
{
    switch (level) {
    case BERTH_LOG_ERROR:
        return "error";
    case BERTH_LOG_WARNING:
        return "warning";
    case BERTH_LOG_DEBUG:
        return "debug";
    case BERTH_LOG_INFO:
        break;
    }
    return "info";
}

/* A person at a terminal knows the date; who reads a file later does not. */
static void line_add_prefix(struct line *line, enum berth_log_level level)
{
    time_t now = time(NULL);
    struct tm parts;
    char text[32];

    if (goes_to_journal()) {
        line_add_text(line, "<");
        line_add_number(line, (uint64_t)level);
        line_add_text(line, ">");
        return;
    }
    if (!localtime_r(&now, &parts))
        memset(&parts, 0, sizeof(parts));
    line_add(line, text,
             strftime(text, sizeof(text), isatty(STDERR_FILENO) ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts));
    line_add_text(line, " ");
    line_add_escaped(line, log_role, LINE_PLAIN, ROLE_MAX);
    line_add_text(line, ": ");
    if (level == BERTH_LOG_INFO)
        return; /* what a server has to say by itself needs no label */
    line_add_text(line, level_name(level));
    line_add_text(line, ": ");
}

static void line_add_json(struct line *line, enum berth_log_level level, const char *text)
{
    static struct line_clock line_clock;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    line_add_text(line, "{\"time\":\"");
    line_add_time(line, &line_clock, &now);
    line_add_text(line, "\",\"level\":\"");
    line_add_text(line, level_name(level));
    line_add_text(line, "\",\"role\":");
    line_add_escaped(line, log_role, LINE_JSON, ROLE_MAX);
    line_add_text(line, ",\"message\":");
    line_add_escaped(line, text, LINE_JSON, line->limit - line->size - 2);
    line_add_text(line, "}\n");
}

/* One write of one line: a log that blocks or is gone must not take the server with it. Returns whether it was taken.
 */
static bool write_line(enum berth_log_level level, const char *text)
{
    char bytes[LINE_MAX_BYTES];
    struct line line = { .bytes = bytes, .limit = sizeof(bytes) };
    struct sink sink;

    if (log_json) {
        line_add_json(&line, level, text);
    } else {
        line_add_prefix(&line, level);
        line_add_escaped(&line, text, LINE_PLAIN, line.limit - line.size - 1);
        line_add_text(&line, "\n");
    }
    sink_init(&sink, STDERR_FILENO);
    return sink_write(&sink, line.bytes, line.size) == (ssize_t)line.size;
}

/* First of all, what is missing. */
static bool tell_of_lost(void)
{
    char text[64];

    if (lost == 0)
        return true;
    snprintf(text, sizeof(text), "%" PRIu64 " lines are missing here: nobody took them", lost);
    if (!write_line(BERTH_LOG_WARNING, text))
        return false;
    lost = 0;
    return true;
}

void berth_log(enum berth_log_level level, const char *format, ...)
{
    int saved_errno = errno;
    char text[LINE_MAX_BYTES];
    va_list arguments;

    if (level > log_level)
        return;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof(text), format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    if (!tell_of_lost() || !write_line(level, text))
        lost++;
    errno = saved_errno;
}

/* O_NONBLOCK is for a FIFO: nobody may have to wait for its reader, least of all at a signal. Of this description,
 * which is our own, it goes again, since children that inherit it do not expect it. */
static int open_file(const char *path, struct error *error)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640), flags;

    if (fd < 0 && errno == ENXIO)
        return error_set(error, -ENXIO, "--log: cannot open \"%s\": nobody reads it, or it is a socket", path);
    if (fd < 0)
        return error_set(error, -errno, "--log: cannot open \"%s\": %s", path, strerror(errno));
    flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}

int log_try(const char *path, struct error *error)
{
    int fd = open_file(path, error);

    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

int log_open(const char *path, struct error *error)
{
    int r, fd = open_file(path, error);

    if (fd < 0)
        return fd;
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
