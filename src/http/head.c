#include "http/head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "access/forwarded.h"
#include "access/origin.h"
#include "access/quota.h"
#include "http/admission.h"
#include "http/connection.h"
#include "http/field.h"
#include "http/host.h"
#include "http/layout.h"
#include "http/server.h"

/* What libmicrohttpd keeps of a field, a cookie or a parameter, apart from its text; and what a reply's head takes
 * without an application's fields. */
#define NOTE_SIZE       64
#define REPLY_LINE_SIZE 512

/* What the fields say together; gathered in one walk. */
struct fields {
    const char *host, *length, *encoding, *user_agent;
    const char *origin, *fetch_site;
    const char *forwarded[FORWARDED_FIELDS];
    bool proxied, is_forwarded; /* the peer is a trusted proxy, whose word counts; and it did say something */
    unsigned int hosts, lengths, encodings;
    struct layout layout;
    size_t size;       /* of the whole head */
    size_t notes;      /* what libmicrohttpd keeps of them in the connection's memory */
    const char *fault; /* the first thing wrong with one of them */
};

/* A cookie field is copied, and there is a note for each cookie of it. */
static size_t cookie_notes(const char *value, size_t size)
{
    size_t count = 1;

    for (size_t i = 0; i < size; i++)
        count += value[i] == ';';
    return size + 1 + count * NOTE_SIZE;
}

static bool name_is(const char *name, size_t size, const char *other, size_t other_size)
{
    return size == other_size && strncasecmp(name, other, size) == 0;
}
#define NAME_IS(name, size, literal) name_is(name, size, literal, sizeof(literal) - 1)

static void look_at_forwarded(struct fields *fields, const char *name, size_t size, const char *value)
{
    int field = forwarded_field(name, size);

    if (field < 0)
        return;
    fields->forwarded[field] = value;
    fields->is_forwarded = true;
}

static enum MHD_Result look_at_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                     const char *value, size_t value_size)
{
    struct fields *fields = context;

    (void)kind;
    if (value) {
        layout_field(&fields->layout, name, name_size, value, value_size);
    } else {
        value = "";
        value_size = 0;
    }
    fields->notes += NOTE_SIZE;
    if (!field_name_valid(name, name_size))
        fields->fault = "a field name is no token";
    else if (!field_value_valid(value, value_size))
        fields->fault = "a field value has control characters";
    else if (NAME_IS(name, name_size, "Host")) {
        fields->host = value;
        fields->hosts++;
    } else if (NAME_IS(name, name_size, "Content-Length")) {
        fields->length = value;
        fields->lengths++;
    } else if (NAME_IS(name, name_size, "Transfer-Encoding")) {
        fields->encoding = value;
        fields->encodings++;
    } else if (NAME_IS(name, name_size, "User-Agent"))
        fields->user_agent = value;
    else if (NAME_IS(name, name_size, "Cookie"))
        fields->notes += cookie_notes(value, value_size);
    else if (NAME_IS(name, name_size, "Origin"))
        fields->origin = fields->origin ? "" : value;
    else if (NAME_IS(name, name_size, "Sec-Fetch-Site"))
        fields->fetch_site = fields->fetch_site ? "" : value;
    else if (fields->proxied)
        look_at_forwarded(fields, name, name_size, value);
    return fields->fault ? MHD_NO : MHD_YES;
}

static unsigned int broken(struct berth_request *request, struct head *head, unsigned int status, const char *detail)
{
    head->broken = true;
    request->detail = detail;
    return status;
}

static unsigned int check_framing(struct berth_request *request, const struct fields *fields, bool http_1_0,
                                  struct head *head)
{
    if (fields->lengths > 1)
        return broken(request, head, 400, "there is more than one Content-Length");
    if (fields->lengths && fields->encodings)
        return broken(request, head, 400, "Content-Length and Transfer-Encoding exclude each other");
    if (fields->encodings && http_1_0)
        return broken(request, head, 400, "HTTP/1.0 knows no Transfer-Encoding");
    if (fields->encodings > 1 || (fields->encoding && !transfer_encoding_chunked(fields->encoding)))
        return broken(request, head, 400, "the only Transfer-Encoding taken is chunked");
    if (fields->length && content_length_parse(fields->length, &head->length) < 0)
        return broken(request, head, 400, "Content-Length is no number");
    head->body = fields->encoding || head->length > 0;
    return 0;
}

/* An absolute-form target's authority takes the place of Host (RFC 9112 section 3.2.2). Whom a trusted proxy answers
 * for is its own to check: it passes on what its client asked for. */
static unsigned int check_host(struct berth_request *request, const struct fields *fields, bool http_1_0,
                               struct head *head)
{
    const struct settings *settings = request->connection->server->settings;
    const char *host = request->target.authority ? request->target.authority : fields->host;

    if (fields->hosts > 1)
        return broken(request, head, 400, "there is more than one Host");
    if (fields->hosts == 0 && !http_1_0)
        return broken(request, head, 400, "HTTP/1.1 needs a Host field, if need be an empty one");
    request->host = host;
    switch (host_check(host, settings->allow_host.items, settings->allow_host.count)) {
    case HOST_ALLOWED:
        return 0;
    case HOST_FOREIGN:
        if (fields->proxied)
            return 0;
        request_fail(request, 0, "this server does not answer for the host \"%s\": --allow-host would allow it", host);
        return 421;
    case HOST_MALFORMED:
        break;
    }
    return broken(request, head, 400, "Host is no host");
}

/* Copies one text, where there is one. */
static bool keep(struct berth_request *request, const char *text, const char **ret_text)
{
    if (text[0] == '\0')
        return true;
    *ret_text = arena_text(&request->arena, text, strlen(text));
    return *ret_text;
}

/* What a trusted proxy says of its client. */
static unsigned int take_forwarded(struct berth_request *request, const struct fields *fields)
{
    struct forwarded forwarded;

    if (!fields->is_forwarded)
        return 0;
    forwarded_parse(fields->forwarded, &forwarded);
    if (keep(request, forwarded.address, &request->client) && keep(request, forwarded.scheme, &request->scheme) &&
        keep(request, forwarded.host, &request->host) && keep(request, forwarded.prefix, &request->prefix))
        return 0;
    request->detail = "there is no memory for it";
    return 503;
}

/* A web page may send requests to any server that its reader's browser can reach; but it cannot hide that it did. */
static unsigned int check_origin(struct berth_request *request, const struct fields *fields)
{
    const struct settings *settings = request->connection->server->settings;
    struct origin_question question = {
        .method = request->method,
        .sec_fetch_site = fields->fetch_site,
        .origin = fields->origin,
        .scheme = request->scheme,
        .host = request->host,
    };
    bool named = fields->origin && fields->origin[0];

    if (!origin_is_foreign(&question, &settings->allow_origin))
        return 0;
    connection_count_denial(request->connection, COUNTERS_DENIAL_ORIGIN);
    request_fail(request, 0,
                 "web pages of another site%s%.200s%s may not change anything here: --allow-origin would allow it",
                 named ? " (" : "", named ? fields->origin : "", named ? ")" : "");
    return 403;
}

static size_t head_size(const struct berth_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info ? info->header_size : 0;
}

/*
 * Head, notes and the reply's head share the connection's memory. A reply whose head did not fit would be lost after
 * its handler has run, so what would leave too little is refused before.
 */
static unsigned int check_size(struct berth_request *request, const struct fields *fields, struct head *head)
{
    const struct settings *settings = request->connection->server->settings;
    size_t memory = head_pool_size(settings->limit_header);
    size_t used = fields->size + fields->notes + request->query.count * NOTE_SIZE + REPLY_LINE_SIZE;

    if (request->target_size > settings->limit_target)
        return broken(request, head, 414, "the target is longer than --limit-request-target");
    if (fields->size > settings->limit_header)
        return broken(request, head, 431, "the head is longer than --limit-request-header");
    if (used + REPLY_FIELDS_ROOM_MIN > memory) {
        head->no_room = true;
        return broken(request, head, 431,
                      "there are too many fields, cookies or parameters for --limit-request-header");
    }
    request->reply.room = memory - used;
    return 0;
}

static unsigned int check_line(struct berth_request *request, const char *version, struct head *head)
{
    if (!method_valid(request->method))
        return broken(request, head, 400, "the method is no token");
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return broken(request, head, 505, "the versions spoken are HTTP/1.1 and HTTP/1.0");
    if (strcmp(request->method, "CONNECT") == 0)
        return broken(request, head, 501, "this is no proxy");
    if (request->target_fault)
        return broken(request, head, 400, request->target_fault);
    if (request->target.asterisk && strcmp(request->method, "OPTIONS") != 0)
        return broken(request, head, 400, "only OPTIONS may ask for *");
    if (query_parse(request->target.query, &request->arena, &request->query) < 0)
        return broken(request, head, 400, "the query cannot be decoded");
    return 0;
}

unsigned int head_check(struct berth_request *request, const char *version, struct head *ret_head)
{
    bool http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    struct fields fields = { .proxied = request->connection->peer.proxied };
    unsigned int status;

    *ret_head = (struct head){ .broken = false };
    layout_line(&fields.layout, request->method, request->target_at, request->target_size, version);
    MHD_get_connection_values_n(request->connection->mhd, MHD_HEADER_KIND, look_at_field, &fields);
    if (fields.fault)
        return broken(request, ret_head, 400, fields.fault);
    request->user_agent = fields.user_agent;
    fields.size = head_size(request);
    layout_end(&fields.layout, request->method, fields.size);
    if (fields.layout.gap)
        return broken(request, ret_head, 400, "the head has NULs, folded lines, or lines that do not end in CRLF");
    status = check_line(request, version, ret_head);
    if (status == 0)
        status = check_size(request, &fields, ret_head);
    if (status == 0)
        status = check_framing(request, &fields, http_1_0, ret_head);
    if (status == 0)
        status = check_host(request, &fields, http_1_0, ret_head);
    if (status == 0)
        status = take_forwarded(request, &fields);
    if (status == 0)
        status = check_origin(request, &fields);
    return status;
}

/* OPTIONS is answered by the handler-less route of the router: with what may be asked here. */
static unsigned int no_method(struct berth_request *request, const char *allow)
{
    request->allow = arena_text(&request->arena, allow, strlen(allow));
    return strcmp(request->method, "OPTIONS") == 0 ? 204 : 405;
}

/* Where clients find the application, if a trusted proxy says so in place of --root-path. */
static bool take_root(struct berth_request *request)
{
    const struct http_application *application = request->match.owner;
    const char *root_path = request->connection->server->settings->root_path, *prefix = request->prefix, *mount;
    size_t prefix_size, mount_size;
    char *root;

    if (!prefix)
        return true;
    mount = application->root + (root_path ? strlen(root_path) : 0);
    mount_size = strlen(mount);
    prefix_size = strcmp(prefix, "/") == 0 ? 0 : strlen(prefix);
    root = arena_alloc(&request->arena, prefix_size + mount_size + 1);
    if (!root)
        return false;
    memcpy(root, prefix, prefix_size);
    memcpy(root + prefix_size, mount, mount_size + 1);
    request->root = root;
    return true;
}

/* What one user may have. A connection too many is not asked how often, since it gets nothing. */
static unsigned int check_quota(struct berth_request *request)
{
    struct connection *connection = request->connection;
    const struct settings *settings = connection->server->settings;

    if (connection->excess)
        request_fail(request, 0,
                     "the limit of one user's connections at a time is %u here; --limit-user-connections sets it",
                     settings->limit_user_connections);
    if (connection->refused)
        return 503;
    if (!connection->quota || quota_ask(connection->quota, connection->server->clock) == 0)
        return 0;
    connection_count_denial(connection, COUNTERS_DENIAL_RATE);
    request_fail(request, 0, "the limit of one user's requests per second is %u here; --limit-user-rate sets it",
                 settings->limit_user_rate);
    return 429;
}

unsigned int head_route(struct berth_request *request, const struct head *head)
{
    const struct settings *settings = request->connection->server->settings;
    char allow[ROUTER_ALLOW_MAX];
    const struct berth_route *route;
    unsigned int status;

    status = check_quota(request);
    if (status != 0)
        return status;
    if (request->target.asterisk)
        return no_method(request, "GET, HEAD, OPTIONS");
    switch (router_match(request->connection->server->router, request->method, &request->target, &request->match, allow,
                         sizeof(allow))) {
    case ROUTER_FOUND:
        break;
    case ROUTER_NO_METHOD:
        status = admission_check_nowhere(request, allow);
        return status != 0 ? status : no_method(request, allow);
    case ROUTER_NO_PATH:
        allow[0] = '\0';
        return admission_check_nowhere(request, allow);
    }
    status = admission_check(request);
    if (status != 0)
        return status;
    if (!take_root(request))
        return 503;
    route = request->match.route;
    request->body_limit = route->body_limit ? route->body_limit : settings->limit_body;
    if (head->length > request->body_limit) {
        request_fail(request, 0, "a body may have at most %llu bytes here, not %llu",
                     (unsigned long long)request->body_limit, (unsigned long long)head->length);
        return 413;
    }
    return 0;
}
