#include "http/file.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/log.h"
#include "http/connection.h"
#include "http/server.h"

/*
 * From this size on a file's connection gets a larger send buffer, twice what is named second (socket(7)): a client is
 * woken less often to take it, and the worker less often to send more. Measured with 10 MiB, that is an eighth of the
 * reply's CPU. No system's default for net.core.wmem_max forbids it.
 */
#define FILE_LARGE (256 * 1024)
#define FILE_ROOM  (208 * 1024)

static bool file_lost(const struct file_sending *sending)
{
    struct stat file;

    return fstat(sending->fd, &file) < 0 || (uint64_t)file.st_size < sending->end;
}

/* What is under way keeps the queue of its socket filled: libmicrohttpd sends more as soon as there is room. */
static bool stands_still(struct file_sending *sending)
{
    int waiting;
    bool before = sending->taken;

    sending->taken = ioctl(sending->connection->fd, SIOCOUTQ, &waiting) == 0 && waiting == 0;
    return before && sending->taken;
}

static void look_at_all(uv_timer_t *timer)
{
    struct file_watch *watch = timer->data;

    for (struct file_sending *sending = watch->first, *next; sending; sending = next) {
        struct connection *connection = sending->connection;

        next = sending->next;
        if (!file_lost(sending) && !stands_still(sending))
            continue;
        log_warning("%s %s: the file became shorter while it was sent", connection->request.method,
                    connection->request.target.path);
        file_sending_stop(connection);
        connection_cut(connection);
    }
    watch->armed = watch->first != NULL;
    if (watch->armed)
        uv_timer_start(timer, look_at_all, FILE_WATCH_MS, 0);
}

void file_watch_init(struct file_watch *watch, uv_loop_t *loop)
{
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
}

void file_watch_done(struct file_watch *watch)
{
    uv_close((uv_handle_t *)&watch->timer, NULL);
}

/* Refused, or cut to what the machine allows, it goes on with what there is. */
static void make_room(struct connection *connection)
{
    int size = FILE_ROOM;

    connection->roomy = true;
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

void file_sending_start(struct connection *connection, int fd, uint64_t end)
{
    struct file_watch *watch = &connection->server->files;
    struct file_sending *sending = &connection->sending;

    *sending = (struct file_sending){ .connection = connection, .fd = fd, .end = end, .next = watch->first };
    if (watch->first)
        watch->first->previous = sending;
    watch->first = sending;
    if (connection->request.reply.bytes >= FILE_LARGE && !connection->roomy)
        make_room(connection);
    /* Most are over when the timer comes, and it then is not started again: a request does not touch it. */
    if (!watch->armed) {
        watch->armed = true;
        uv_timer_start(&watch->timer, look_at_all, FILE_WATCH_MS, 0);
    }
}

void file_sending_stop(struct connection *connection)
{
    struct file_watch *watch = &connection->server->files;
    struct file_sending *sending = &connection->sending;

    if (!sending->connection)
        return;
    if (sending->previous)
        sending->previous->next = sending->next;
    else
        watch->first = sending->next;
    if (sending->next)
        sending->next->previous = sending->previous;
    sending->connection = NULL;
}
