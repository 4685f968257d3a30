#include "http/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <microhttpd.h>

#include "http/accept.h"
#include "http/reply.h"
#include "http/request.h"

#define TYPE_PROBLEM "application/problem+json"
#define TYPE_PAGE    "text/html; charset=utf-8"

unsigned int problem_status(int r)
{
    static const struct {
        int error;
        unsigned int status;
    } table[] = {
        { EINVAL, 400 }, { EACCES, 403 },    { EPERM, 403 },  { ENOENT, 404 }, { EEXIST, 409 },
        { EBUSY, 409 },  { EMSGSIZE, 413 },  { EUSERS, 429 }, { ENOSYS, 501 }, { EAGAIN, 503 },
        { ENOMEM, 503 }, { ETIMEDOUT, 504 }, { ENOSPC, 507 },
    };

    if (r >= 400 && r <= 599)
        return (unsigned int)r;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (r == -table[i].error)
            return table[i].status;
    return 500;
}

/* A JSON text of bytes that may not be UTF-8: a client's own, quoted back to it. */
static json_t *safe_text(const char *text)
{
    json_t *json = json_string(text);
    char *copy;

    if (json)
        return json;
    copy = strdup(text);
    if (!copy)
        return NULL;
    for (char *at = copy; *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    json = json_string(copy);
    free(copy);
    return json;
}

static char *problem_json(const struct berth_request *request, unsigned int status, const char *title,
                          const char *detail)
{
    json_t *problem = json_pack("{s:s, s:s, s:i}", "type", "about:blank", "title", title, "status", (int)status);
    char *compact = NULL, *text = NULL;

    if (problem && detail)
        json_object_set_new(problem, "detail", safe_text(detail));
    if (problem && request->target.path && !request->target_fault)
        json_object_set_new(problem, "instance", safe_text(request->target.raw));
    if (problem)
        compact = json_dumps(problem, JSON_COMPACT);
    if (!compact || asprintf(&text, "%s\n", compact) < 0)
        text = NULL;
    free(compact);
    json_decref(problem);
    return text;
}

/* Room for the longest escape of every byte. */
static char *escape_html(const char *text)
{
    char *escaped = malloc(6 * strlen(text) + 1), *to = escaped;

    if (!escaped)
        return NULL;
    for (; *text; text++)
        switch (*text) {
        case '<':
            to = stpcpy(to, "&lt;");
            break;
        case '>':
            to = stpcpy(to, "&gt;");
            break;
        case '&':
            to = stpcpy(to, "&amp;");
            break;
        case '"':
            to = stpcpy(to, "&quot;");
            break;
        default:
            *to++ = *text;
        }
    *to = '\0';
    return escaped;
}

static char *problem_page(unsigned int status, const char *title, const char *detail)
{
    char *escaped = escape_html(detail ? detail : ""), *page = NULL;

    if (escaped && asprintf(&page,
                            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                            "<meta name=\"viewport\" content=\"width=device-width\">\n"
                            "<meta name=\"color-scheme\" content=\"light dark\">\n<title>%u %s</title>\n"
                            "<body style=\"font-family: system-ui, sans-serif; margin: 4rem auto; max-width: 40rem\">\n"
                            "<h1>%u %s</h1>\n<p>%s</p>\n",
                            status, title, status, title, escaped) < 0)
        page = NULL;
    free(escaped);
    return page;
}

int problem_reply(struct berth_reply *reply, unsigned int status, const char *detail)
{
    struct berth_request *request = reply_request(reply);
    const char *title = MHD_get_reason_phrase_for(status);
    bool html = accept_prefers_html(berth_request_header(request, "Accept", 0));
    char *body;

    if (request->allow && (status == 405 || status == 204))
        berth_reply_header(reply, "Allow", request->allow);
    if ((status == 503 || status == 429) && !reply_has_field(reply, "Retry-After"))
        berth_reply_header(reply, "Retry-After", "1");
    if (status == 204)
        return reply_take_bytes(reply, status, NULL, "", 0);
    body = html ? problem_page(status, title, detail) : problem_json(request, status, title, detail);
    if (!body)
        return -ENOMEM;
    return reply_take(reply, status, html ? TYPE_PAGE : TYPE_PROBLEM,
                      MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE), strlen(body));
}

int berth_reply_error(struct berth_reply *reply, unsigned int status, const char *format, ...)
{
    char detail[1024];
    va_list arguments;

    if (status < 400)
        return -EBADMSG;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    return problem_reply(reply, status, detail);
}
