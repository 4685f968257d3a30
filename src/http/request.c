#include "http/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "access/forwarded.h"
#include "common/number.h"
#include "http/connection.h"
#include "http/cookie.h"
#include "http/hold.h"
#include "http/reply.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/takeover.h"

void request_init(struct berth_request *request, struct connection *connection)
{
    request->connection = connection;
    arena_init(&request->arena);
    reply_init(&request->reply);
}

void request_begin(struct berth_request *request, const char *target)
{
    request->state = REQUEST_HEAD;
    request->started_at = request->connection->server->clock;
    request->target_at = (uintptr_t)target;
    request->target_size = strlen(target);
    if (target_parse(target, request->target_size, &request->arena, &request->target, &request->target_fault) ==
        -ENOMEM)
        request->target_fault = "the target is too long";
}

void request_abandon(struct berth_request *request)
{
    if (request->state == REQUEST_NAMING)
        names_leave(request->connection->peer.berth_names, &request->connection->naming);
    if (request->state == REQUEST_HELD)
        counters_fewer(request->connection->server->counters, COUNTERS_HELD);
    else
        request->reply.gone = NULL; /* it was answered */
    request->state = REQUEST_ABANDONED;
    reply_unhold(&request->reply);
    if (request->reply.stream)
        stream_over(request->reply.stream, -EPIPE);
}

void request_reset(struct berth_request *request)
{
    request_abandon(request);
    takeover_settle(request, false);
    reply_release(&request->reply);
    if (request->destroy_data)
        request->destroy_data(request->data);
    json_decref(request->json);
    buffer_done(&request->body);
    arena_reset(&request->arena);
    /* The arena is large, and has just been made ready: what stands before and behind it is cleared. */
    memset((char *)request + sizeof(request->connection), 0,
           offsetof(struct berth_request, arena) - sizeof(request->connection));
    reply_init(&request->reply);
}

int request_fail(struct berth_request *request, int r, const char *format, ...)
{
    char text[512];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size < 0)
        return r;
    if ((size_t)size >= sizeof(text))
        size = sizeof(text) - 1;
    request->detail = arena_text(&request->arena, text, (size_t)size);
    return r;
}

const char *berth_request_method(const struct berth_request *request)
{
    return request->method;
}

const char *berth_request_target(const struct berth_request *request)
{
    return request->target.raw;
}

const char *berth_request_path(const struct berth_request *request)
{
    return request->target.path;
}

static const struct http_application *request_application(const struct berth_request *request)
{
    return request->match.owner;
}

const char *berth_request_root(const struct berth_request *request)
{
    return request->root ? request->root : request_application(request)->root;
}

void *berth_request_state(const struct berth_request *request)
{
    return request_application(request)->state;
}

const struct berth_peer *berth_request_peer(const struct berth_request *request)
{
    return &request->connection->peer;
}

const char *berth_request_client(const struct berth_request *request)
{
    return request->client ? request->client : "";
}

const char *berth_request_scheme(const struct berth_request *request)
{
    return request->scheme ? request->scheme : "http";
}

const char *berth_request_host(const struct berth_request *request)
{
    return request->host ? request->host : "";
}

const char *berth_request_param(struct berth_request *request, const char *name)
{
    for (size_t i = 0; i < request->match.count; i++)
        if (strcmp(request->match.names[i], name) == 0)
            return request->match.values[i];
    return NULL;
}

static int text_u64(struct berth_request *request, const char *name, const char *text, uint64_t *ret_value)
{
    struct error error;

    if (number_parse(text, 0, UINT64_MAX, ret_value, &error) == 0)
        return 0;
    return request_fail(request, -EINVAL, "%s: %s", name, error.text);
}

int berth_request_param_u64(struct berth_request *request, const char *name, uint64_t *ret_value)
{
    const char *text = berth_request_param(request, name);

    return text ? text_u64(request, name, text, ret_value) : -ENOKEY;
}

int berth_request_param_i64(struct berth_request *request, const char *name, int64_t *ret_value)
{
    const char *text = berth_request_param(request, name);
    bool negative = text && text[0] == '-';
    uint64_t size;

    if (!text)
        return -ENOKEY;
    if (number_parse(text + negative, 0, (uint64_t)INT64_MAX + negative, &size, NULL) < 0)
        return request_fail(request, -EINVAL, "%s: \"%s\" is not a whole number from %" PRId64 " to %" PRId64, name,
                            text, INT64_MIN, INT64_MAX);
    *ret_value = negative ? (int64_t)-size : (int64_t)size;
    return 0;
}

const char *berth_request_query(struct berth_request *request, const char *name, size_t index)
{
    return query_get(&request->query, name, index);
}

int berth_request_query_u64(struct berth_request *request, const char *name, uint64_t fallback, uint64_t *ret_value)
{
    const char *text = berth_request_query(request, name, 0);

    if (text)
        return text_u64(request, name, text, ret_value);
    *ret_value = fallback;
    return 0;
}

struct wanted_field {
    const char *name;
    size_t index;
    const char *value;
};

static enum MHD_Result look_for_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct wanted_field *wanted = context;

    (void)kind;
    if (strcasecmp(name, wanted->name) != 0 || wanted->index-- > 0)
        return MHD_YES;
    wanted->value = value ? value : "";
    return MHD_NO;
}

/* What only a trusted proxy may say is not there where somebody else says it. */
static bool is_hidden(const struct berth_request *request, const char *name)
{
    return !request->connection->peer.proxied && forwarded_speaks(name, strlen(name));
}

const char *berth_request_header(struct berth_request *request, const char *name, size_t index)
{
    struct wanted_field wanted = { .name = name, .index = index };

    if (is_hidden(request, name))
        return NULL;
    MHD_get_connection_values(request->connection->mhd, MHD_HEADER_KIND, look_for_field, &wanted);
    return wanted.value;
}

struct header_walk {
    const struct berth_request *request;
    int (*each)(void *data, const char *name, const char *value);
    void *data;
    int result;
};

static enum MHD_Result walk_on(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct header_walk *walk = context;

    (void)kind;
    if (is_hidden(walk->request, name))
        return MHD_YES;
    walk->result = walk->each(walk->data, name, value ? value : "");
    return walk->result == 0 ? MHD_YES : MHD_NO;
}

int berth_request_each_header(struct berth_request *request,
                              int (*each)(void *data, const char *name, const char *value), void *data)
{
    struct header_walk walk = { .request = request, .each = each, .data = data };

    MHD_get_connection_values(request->connection->mhd, MHD_HEADER_KIND, walk_on, &walk);
    return walk.result;
}

const char *berth_request_cookie(struct berth_request *request, const char *name)
{
    const char *header, *value;
    size_t size;

    for (size_t i = 0; (header = berth_request_header(request, "Cookie", i)); i++) {
        value = cookie_find(header, name, &size);
        if (value)
            return arena_text(&request->arena, value, size);
    }
    return NULL;
}

const char *berth_request_body(struct berth_request *request, size_t *ret_size)
{
    *ret_size = request->body.size;
    return request->body.bytes ? request->body.bytes : "";
}

int berth_request_json(struct berth_request *request, struct json_t **ret_json)
{
    json_error_t error;
    size_t size;
    const char *body = berth_request_body(request, &size);

    if (!request->json) {
        request->json = json_loadb(body, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        if (!request->json && json_error_code(&error) == json_error_out_of_memory)
            return -ENOMEM;
        if (!request->json)
            return request_fail(request, -EINVAL, "the body is not JSON: line %d, column %d: %s", error.line,
                                error.column, error.text);
    }
    *ret_json = request->json;
    return 0;
}

void berth_request_set_data(struct berth_request *request, void *data, void (*destroy)(void *data))
{
    if (request->destroy_data)
        request->destroy_data(request->data);
    request->data = data;
    request->destroy_data = destroy;
}

void *berth_request_data(const struct berth_request *request)
{
    return request->data;
}
