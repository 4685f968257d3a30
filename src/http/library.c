/*
 * How libmicrohttpd's own refusals show, as seen with raw requests to 0.9.75, and read in 1.0:
 *
 *   - Whatever it answers by itself it announces in the log, once, with this text on every version: 414 and 431 for
 * what does not fit its memory, 505, 400 (a version that is none, a field without a colon, no Host, a bad
 *     Content-Length, a bad chunk, HTTP/0.9), 413 for a Content-Length or a chunk beyond 64 bits. The log does not say
 *     whose request it was, but the answer is small: the next request that ends without a reply of ours, or else the
 *     next connection that closes, is its own, unless its client takes nothing at that moment.
 *   - NOTIFY_COMPLETED comes for those that have got as far as the request target: not for 414, 505, HTTP/0.9.
 *   - A first line without a space (0.9.75 only) closes the connection without an answer, without a line in the log and
 *     without any callback but NOTIFY_CONNECTION. What tells it from a client that went away is that the client is
 * still there. One that goes in the very moment in which we close is not counted.
 */
#include "http/library.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"
#include "common/number.h"
#include "http/connection.h"
#include "http/daemon.h"

static const char announcement[] = "Error processing request (HTTP response code is ";

/* `text` goes on behind the status. A status that is none counts as another one. */
static void answered(struct daemon *daemon, const char *text)
{
    char digits[4];
    uint64_t status = 0;

    snprintf(digits, sizeof(digits), "%.*s", (int)strspn(text, "0123456789"), text);
    number_parse(digits, 100, 999, &status, NULL);
    daemon->library_status = (unsigned int)status;
    counters_library_error(daemon->server->counters, (unsigned int)status);
}

void library_says(void *context, const char *format, va_list arguments)
{
    char text[512];

    vsnprintf(text, sizeof(text), format, arguments);
    if (strncmp(text, announcement, sizeof(announcement) - 1) == 0)
        answered(context, text + sizeof(announcement) - 1);
    if (strstr(text, "resource limit"))
        ((struct daemon *)context)->full = true;
    log_debug("libmicrohttpd: %.*s", (int)strcspn(text, "\n"), text);
}

unsigned int library_take_status(struct daemon *daemon)
{
    unsigned int status = daemon->library_status;

    daemon->library_status = 0;
    return status;
}

static bool is_there(int fd)
{
    char byte;
    ssize_t size = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return size > 0 || (size < 0 && errno == EAGAIN);
}

/* Closed without an answer, since its first line is none. */
static bool closes_in_silence(const struct connection *connection)
{
    return connection->request.state == REQUEST_NONE && !connection->kept && !connection->cut &&
           is_there(connection->fd);
}

void library_closes(const struct connection *connection)
{
    struct http_server *server = connection->server;
    unsigned int status = library_take_status(connection->daemon);

    if (status == 0) {
        if (!closes_in_silence(connection))
            return;
        counters_library_error(server->counters, 0);
    }
    if (server->on_library_error)
        server->on_library_error(server, &connection->peer, status);
}
