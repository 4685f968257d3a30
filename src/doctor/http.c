/* What the server answers. */
#include <string.h>

#include "doctor/exchange.h"
#include "doctor/parts.h"

/* What is shown of bytes that are no HTTP. */
enum { SHOWN_MAX = 40 };

/* TLS begins every record so: an alert, of version 3 (RFC 8446 section 5.1). */
static bool is_tls(const struct exchange *exchange)
{
    return exchange->size >= 2 && exchange->bytes[0] == 0x15 && exchange->bytes[1] == 0x03;
}

static int no_http(FILE *stream, const struct exchange *exchange)
{
    int shown = exchange->size > SHOWN_MAX ? SHOWN_MAX : (int)exchange->size;

    if (is_tls(exchange)) {
        report_wrong(stream, "http", "the server speaks TLS");
        return report_remedy(stream, "let the proxy speak TLS to it, or the server plain HTTP: nobody listens in on a "
                                     "Unix socket");
    }
    report_wrong(stream, "http", "the server does not speak HTTP: it says \"%.*s\"", shown, exchange->bytes);
    return report_remedy(stream, "give the proxy the socket of a server that speaks HTTP/1.1, or tell it the protocol "
                                 "(nginx: fastcgi_pass, uwsgi_pass)");
}

static int closed(FILE *stream)
{
    report_wrong(stream, "http", "the server closes the connection and answers nothing");
    return report_remedy(stream, "look into the server's log; if it speaks another protocol, tell the proxy which "
                                 "(nginx: fastcgi_pass, uwsgi_pass)");
}

static int take_queue(const struct inspected *socket, void *data)
{
    struct inspected *known = data;

    if (socket->inode != known->inode)
        return 0;
    *known = *socket;
    return 1;
}

/* Whether nobody took our connection out of the queue. */
static bool still_waits(struct examination *examination)
{
    return examination->bound && inspect_each(take_queue, &examination->socket) == 1 && examination->socket.has_queue &&
           examination->socket.queued > 0;
}

static int silent(struct examination *examination)
{
    FILE *stream = examination->stream;

    if (still_waits(examination)) {
        report_wrong(stream, "http", "the server accepts no connection within %d s; queue %u",
                     EXCHANGE_PATIENCE_MS / 1000, examination->socket.queued);
        return report_remedy(stream, "see whether the server hangs or is stopped (its log, ps), and restart it");
    }
    report_wrong(stream, "http", "the server says nothing within %d s", EXCHANGE_PATIENCE_MS / 1000);
    return report_remedy(stream, "see whether the server hangs (its log, ps); if it speaks another protocol, tell the "
                                 "proxy which (nginx: fastcgi_pass, uwsgi_pass)");
}

/* ---- HTTP ---- */

static int remedy_host(const struct examination *examination)
{
    const struct visitor *visitor = examination->question->visitor;
    const char *host = examination->question->host, *other = "let the proxy ask for localhost (nginx: proxy_set_header "
                                                             "Host localhost)";

    /* Nobody's proxy should run as root. */
    if (visitor->uid == 0)
        return report_remedy(examination->stream, "berth serve --allow-host %s, or %s", host, other);
    return report_remedy(examination->stream,
                         "berth serve --allow-host %s, or --trust-proxy %s if that is whom your "
                         "proxy runs as, or %s",
                         host, visitor->name, other);
}

static int answered(const struct examination *examination, const struct answer *answer)
{
    const char *host = examination->question->host;
    FILE *stream = examination->stream;
    char line[256];

    snprintf(line, sizeof(line), "%u%s%s to GET %s for the host %.64s%s%s", answer->status,
             answer->reason[0] ? " " : "", answer->reason, EXCHANGE_TARGET, host, answer->server[0] ? "; Server: " : "",
             answer->server);
    if (answer->status == 421) {
        report_wrong(stream, "http", "%s", line);
        return remedy_host(examination);
    }
    if (answer->status == 503 && answer->retry_after) {
        report_wrong(stream, "http", "%s", line);
        return report_remedy(stream, "the server is full or about to end: wait a moment; if it stays so, raise its "
                                     "--limit-connections, or --workers");
    }
    if (answer->status >= 500) {
        report_wrong(stream, "http", "%s", line);
        return report_remedy(stream, "the way to the server is fine: the server itself fails, and its log says why");
    }
    report_ok(stream, "http", "%s", line);
    return 0;
}

int check_http(struct examination *examination)
{
    static struct exchange exchange; /* large */

    exchange_make(examination->contact.fd, examination->question->host, &exchange);
    switch (exchange.end) {
    case EXCHANGE_ANSWERED:
        return answered(examination, &exchange.answer);
    case EXCHANGE_OTHER:
        return no_http(examination->stream, &exchange);
    case EXCHANGE_CLOSED:
        return exchange.size > 0 ? no_http(examination->stream, &exchange) : closed(examination->stream);
    case EXCHANGE_SILENT:
        break;
    }
    return silent(examination);
}
