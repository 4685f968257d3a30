#include "worker/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

static void flush(struct access_log *log);

/* ---- when nobody takes what is written ---- */

static void wake(struct access_log *log)
{
    log->waiting = false;
    uv_timer_stop(&log->retry);
    uv_poll_stop(&log->room);
    flush(log);
}

static void on_retry(uv_timer_t *timer)
{
    wake(timer->data);
}

static void on_room(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    wake(poll->data);
}

/* What a reader makes room for is watched; what only time or an administrator heals is tried again. */
static void wait_for_room(struct access_log *log, bool reader)
{
    log->waiting = true;
    if (!reader || !log->watched || uv_poll_start(&log->room, UV_READABLE, on_room) < 0)
        uv_timer_start(&log->retry, on_retry, ACCESS_LOG_RETRY_MS, 0);
}

static void lose(struct access_log *log, uint64_t count)
{
    log->lost += count;
    if (log->dropped)
        counters_add(log->dropped, count);
}

/* The lines that end in the buffer. */
static uint64_t count_lines(const struct access_log *log)
{
    uint64_t count = 0;

    for (size_t i = 0; i < log->lines.size; i++)
        count += log->buffer[i] == '\n';
    return count;
}

static void drop_all(struct access_log *log)
{
    lose(log, count_lines(log));
    log->lines.size = 0;
    log->in_line = false;
}

/* A disk that is full, a device that fails: said once, until it works again. That a reader pauses is not said, since
 * the error log may well go to the same one. */
static void complain(struct access_log *log, int r)
{
    if (log->complained)
        return;
    log->complained = true;
    log_warning("the access log cannot be written: %s; its lines are dropped and counted until it can", strerror(-r));
}

static void end(struct access_log *log)
{
    drop_all(log);
    log->ended = true;
    log_warning("the access log ends: whoever read it is gone");
}

/* ---- writing ---- */

/* Where the last line ends that fits into one write; for one that was begun, and has no end there, all of it. */
static size_t piece_size(const struct access_log *log, size_t from)
{
    size_t size = log->lines.size - from;
    const char *end;

    if (size <= log->sink.piece)
        return size;
    end = memrchr(log->buffer + from, '\n', log->sink.piece);
    return end ? (size_t)(end + 1 - (log->buffer + from)) : log->sink.piece;
}

static void keep_rest(struct access_log *log, size_t written)
{
    if (written > 0)
        log->in_line = log->buffer[written - 1] != '\n';
    log->lines.size -= written;
    memmove(log->buffer, log->buffer + written, log->lines.size);
}

/* Returns 0, or why there is something left. */
static int write_lines(struct access_log *log)
{
    size_t done = 0;
    ssize_t n = 0;

    while (done < log->lines.size) {
        n = sink_write(&log->sink, log->buffer + done, piece_size(log, done));
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done > 0)
        keep_rest(log, done);
    if (n == 0 && log->lines.size > 0)
        return -EIO;
    return n < 0 ? (int)n : 0;
}

/* A line that a file took only the beginning of, or whose beginning another process may have left there, is ended
 * before the next one begins. */
static int end_torn_line(struct access_log *log)
{
    ssize_t n;

    if (!log->torn)
        return 0;
    n = sink_write(&log->sink, "\n", 1);
    if (n < 0)
        return (int)n;
    log->torn = false;
    return 0;
}

static void tell_of_lost(struct access_log *log)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    access_line_add_lost(&log->lines, &log->style, &now, log->lost, log->role);
    log->lost = 0;
}

static void fail(struct access_log *log, int r)
{
    if (r == -EPIPE) {
        end(log);
    } else if (r == -EAGAIN) {
        wait_for_room(log, true);
    } else {
        complain(log, r);
        log->torn = log->in_line || log->sink.kind == SINK_FILE;
        drop_all(log);
        wait_for_room(log, false);
    }
}

static void flush(struct access_log *log)
{
    int r = end_torn_line(log);

    if (r == 0)
        r = write_lines(log);
    if (r == 0 && log->lost > 0) {
        uint64_t lost = log->lost;

        tell_of_lost(log);
        r = write_lines(log);
        if (r < 0 && !log->in_line) { /* it is told later, with what is lost until then */
            log->lines.size = 0;
            log->lost = lost;
        }
    }
    if (r < 0)
        fail(log, r);
    else
        log->complained = false;
}

/* Before the loop sleeps: costs nothing else where there was no request. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct access_log *log = prepare->data;

    if (log->lines.size > 0 && !log->waiting)
        flush(log);
}

/* ---- lines ---- */

/* Once lines were lost none is added before all that are older are written, so that it is told in the right place. */
static bool has_room(const struct access_log *log)
{
    return !log->ended && log->lost == 0 && ACCESS_LOG_BUFFER - log->lines.size >= ACCESS_LINE_MAX;
}

static void add(struct access_log *log, const struct berth_peer *peer, struct access_entry *entry)
{
    char number[16];

    if (!has_room(log) && !log->ended && !log->waiting)
        flush(log);
    if (!has_room(log)) {
        lose(log, 1);
        return;
    }
    entry->user = berth_peer_user(peer);
    entry->uid = peer->uid;
    entry->pid = peer->pid;
    if (!entry->user[0]) { /* refused before its name was known */
        snprintf(number, sizeof(number), "%u", entry->uid);
        entry->user = number;
    }
    clock_gettime(CLOCK_REALTIME, &entry->time);
    access_line_add(&log->lines, &log->style, entry);
}

void access_log_add(struct access_log *log, const struct http_record *record)
{
    struct access_entry entry = {
        .method = record->method,
        .target = record->target,
        .client = record->peer->proxied ? record->client : NULL,
        .user_agent = record->user_agent,
        .status = record->status,
        .bytes = record->bytes,
        .nanoseconds = record->nanoseconds,
        .complete = record->complete,
    };

    if (log->open)
        add(log, record->peer, &entry);
}

void access_log_add_refused(struct access_log *log, const struct berth_peer *peer, unsigned int status)
{
    struct access_entry entry = {
        .client = peer->proxied ? "" : NULL, .method = "", .target = "", .status = status, .complete = status != 0
    };

    if (log->open)
        add(log, peer, &entry);
}

/* ---- opening and closing ---- */

/* A file cannot be watched, nor can some devices. */
static void begin(struct access_log *log, int fd)
{
    struct epoll_event event = { .events = EPOLLOUT };

    sink_init(&log->sink, fd);
    log->watched = epoll_ctl(log->room_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void abandon(struct access_log *log)
{
    struct epoll_event event = { .events = 0 };

    if (log->watched)
        epoll_ctl(log->room_fd, EPOLL_CTL_DEL, log->sink.fd, &event);
    log->watched = false;
}

int access_log_open(struct access_log *log, uv_loop_t *loop, int fd)
{
    int r;

    log->room_fd = epoll_create1(EPOLL_CLOEXEC);
    if (log->room_fd < 0)
        return -errno;
    r = uv_poll_init(loop, &log->room, log->room_fd);
    if (r < 0) {
        close(log->room_fd);
        return r;
    }
    uv_prepare_init(loop, &log->prepare);
    uv_timer_init(loop, &log->retry);
    log->prepare.data = log->retry.data = log->room.data = log;
    log->style.format = log->format;
    log->lines = (struct line){ .bytes = log->buffer, .limit = sizeof(log->buffer) };
    log->open = true;
    begin(log, fd);
    return uv_prepare_start(&log->prepare, on_prepare);
}

void access_log_replace(struct access_log *log, int fd)
{
    if (!log->open)
        return;
    if (!log->waiting && !log->ended)
        flush(log);
    abandon(log);
    if (dup3(fd, log->sink.fd, O_CLOEXEC) < 0) {
        log_error("the access log cannot be replaced: %s", strerror(errno));
    } else if (log->in_line) { /* its beginning is in the old one */
        const char *end = memchr(log->buffer, '\n', log->lines.size);

        keep_rest(log, end ? (size_t)(end + 1 - log->buffer) : log->lines.size);
        lose(log, 1);
    }
    begin(log, log->sink.fd);
    log->ended = log->torn = log->in_line = log->complained = false;
    wake(log);
}

static void room_closed(uv_handle_t *handle)
{
    struct access_log *log = handle->data;

    close(log->room_fd);
}

void access_log_close(struct access_log *log)
{
    if (!log->open)
        return;
    if (!log->ended)
        flush(log);
    if (!log->ended) {
        drop_all(log);
        if (log->lost > 0)
            log_warning("the access log ends, and nobody took its last %" PRIu64 " lines", log->lost);
    }
    log->open = false;
    uv_close((uv_handle_t *)&log->prepare, NULL);
    uv_close((uv_handle_t *)&log->retry, NULL);
    uv_close((uv_handle_t *)&log->room, room_closed);
}
