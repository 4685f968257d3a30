#include "http/reply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "http/connection.h"
#include "http/date.h"
#include "http/field.h"
#include "http/prepared.h"
#include "http/request.h"
#include "http/server.h"

#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_JSON "application/json"

/* Text that is formatted into so many bytes at first; what is longer is formatted once more. */
#define TEXT_FIRST 256

/* A type of this size has room in any reply (head.c). */
#define REPLY_TYPE_SIZE 128

/* How much a reader is asked for at a time. */
#define READER_BLOCK 65536

void reply_init(struct berth_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    reply->file_fd = -1;
    reply->last_field = &reply->fields;
}

void reply_release(struct berth_reply *reply)
{
    if (reply->response && !reply->shared)
        MHD_destroy_response(reply->response);
    reply->response = NULL;
    if (reply->prepared)
        prepared_release(reply->prepared);
    reply->prepared = NULL;
}

bool reply_is_answered(const struct berth_reply *reply)
{
    return reply->response || reply->offload || reply_request_const(reply)->state >= REQUEST_ANSWERED;
}

void reply_forget_fields(struct berth_reply *reply)
{
    reply->fields = NULL;
    reply->last_field = &reply->fields;
    reply->field_count = reply->fields_size = 0;
}

bool reply_has_field(const struct berth_reply *reply, const char *name)
{
    for (const struct reply_field *field = reply->fields; field; field = field->next)
        if (strcasecmp(field->name, name) == 0)
            return true;
    return false;
}

bool reply_closes(const struct berth_reply *reply)
{
    const struct connection *connection = reply_request_const(reply)->connection;

    return connection->refused || connection->server->draining;
}

/* Puts a complete response in its place; a held request can go on. */
static int reply_answer(struct berth_reply *reply, unsigned int status, struct MHD_Response *response, uint64_t size,
                        bool shared)
{
    struct berth_request *request = reply_request(reply);

    reply->status = status;
    reply->bytes = size;
    reply->response = response;
    reply->shared = shared;
    if (request->state == REQUEST_HELD) {
        request->state = REQUEST_ANSWERED;
        counters_fewer(request->connection->server->counters, COUNTERS_HELD);
        connection_resume(request->connection);
    }
    return 0;
}

static int add_fields(struct berth_reply *reply, const char *type, struct MHD_Response *response)
{
    if (type && reply->fields_size + reply_field_size("Content-Type", type) > reply->room + REPLY_TYPE_SIZE)
        return -E2BIG;
    if (type && MHD_add_response_header(response, "Content-Type", type) != MHD_YES)
        return -EBADMSG;
    for (const struct reply_field *field = reply->fields; field; field = field->next)
        if (MHD_add_response_header(response, field->name, field->value) != MHD_YES)
            return -ENOMEM;
    if (reply_closes(reply) && MHD_add_response_header(response, "Connection", "close") != MHD_YES)
        return -ENOMEM;
    return 0;
}

int reply_take_prepared(struct berth_reply *reply, unsigned int status, struct MHD_Response *response, uint64_t size,
                        struct berth_prepared *prepared)
{
    reply->prepared = prepared;
    prepared_sending(prepared, &reply->file_fd, &reply->file_end);
    return reply_answer(reply, status, response, size, true);
}

int reply_take(struct berth_reply *reply, unsigned int status, const char *type, struct MHD_Response *response,
               uint64_t size)
{
    int r;

    if (!response)
        return -ENOMEM;
    if (reply_is_answered(reply))
        r = -EALREADY;
    else if (status < 200 || status > 599)
        r = -EBADMSG;
    else
        r = add_fields(reply, type, response);
    if (r < 0) {
        MHD_destroy_response(response);
        return r;
    }
    return reply_answer(reply, status, response, size, false);
}

int reply_take_bytes(struct berth_reply *reply, unsigned int status, const char *type, const void *bytes, size_t size)
{
    return reply_take(reply, status, type,
                      MHD_create_response_from_buffer(size, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT), size);
}

int berth_reply_bytes(struct berth_reply *reply, unsigned int status, const char *type, const void *bytes, size_t size)
{
    return reply_take(reply, status, type,
                      MHD_create_response_from_buffer(size, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY), size);
}

int berth_reply_text(struct berth_reply *reply, unsigned int status, const char *format, ...)
{
    struct arena *arena = &reply_request(reply)->arena;
    char *text = arena_alloc(arena, TEXT_FIRST);
    va_list arguments;
    int size;

    if (!text)
        return -ENOMEM;
    va_start(arguments, format);
    size = vsnprintf(text, TEXT_FIRST, format, arguments);
    va_end(arguments);
    if (size < 0)
        return -EBADMSG;
    if (size < TEXT_FIRST)
        return reply_take_bytes(reply, status, TYPE_TEXT, text, (size_t)size);

    text = malloc((size_t)size + 1);
    if (!text)
        return -ENOMEM;
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return reply_take(reply, status, TYPE_TEXT,
                      MHD_create_response_from_buffer((size_t)size, text, MHD_RESPMEM_MUST_FREE), (uint64_t)size);
}

int berth_reply_html(struct berth_reply *reply, unsigned int status, const char *html)
{
    return berth_reply_bytes(reply, status, TYPE_HTML, html, strlen(html));
}

int berth_reply_json(struct berth_reply *reply, unsigned int status, const struct json_t *json)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t size;
    char *text;

    if (!json)
        return -EBADMSG;
    size = json_dumpb(json, NULL, 0, flags);
    if (size == 0)
        return -EBADMSG;
    text = malloc(size + 1);
    if (!text)
        return -ENOMEM;
    json_dumpb(json, text, size, flags);
    text[size] = '\n';
    return reply_take(reply, status, TYPE_JSON, MHD_create_response_from_buffer(size + 1, text, MHD_RESPMEM_MUST_FREE),
                      size + 1);
}

int berth_reply_file(struct berth_reply *reply, unsigned int status, const char *type, const char *path)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode)) {
        close(fd);
        return -EACCES;
    }
    return berth_reply_fd(reply, status, type, fd, 0, (uint64_t)file.st_size);
}

int berth_reply_fd(struct berth_reply *reply, unsigned int status, const char *type, int fd, uint64_t offset,
                   uint64_t size)
{
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(size, fd, offset); /* takes the fd */
    int r;

    if (!response)
        close(fd);
    r = reply_take(reply, status, type, response, size);
    if (r == 0) {
        reply->file_fd = fd;
        reply->file_end = offset + size;
    }
    return r;
}

/* What a reply is read from: freed with its response. */
struct reader {
    ssize_t (*read)(void *data, uint64_t offset, void *buffer, size_t room);
    void (*done)(void *data);
    void *data;
};

static ssize_t reader_read(void *context, uint64_t offset, char *buffer, size_t room)
{
    struct reader *reader = context;
    ssize_t size = reader->read(reader->data, offset, buffer, room);

    return size > 0 ? size : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void reader_free(void *context)
{
    struct reader *reader = context;

    if (reader->done)
        reader->done(reader->data);
    free(reader);
}

int berth_reply_reader(struct berth_reply *reply, unsigned int status, const char *type, uint64_t size,
                       ssize_t (*read)(void *data, uint64_t offset, void *buffer, size_t room),
                       void (*done)(void *data), void *data)
{
    struct reader *reader = malloc(sizeof(*reader));
    struct MHD_Response *response = NULL;

    if (reader) {
        *reader = (struct reader){ .read = read, .done = done, .data = data };
        response = MHD_create_response_from_callback(size, READER_BLOCK, reader_read, reader, reader_free);
    }
    if (!response) {
        free(reader);
        if (done)
            done(data);
    }
    return reply_take(reply, status, type, response, size);
}

int berth_reply_redirect(struct berth_reply *reply, unsigned int status, const char *location)
{
    int r;

    if (status < 301 || status > 308 || (status > 303 && status < 307))
        return -EBADMSG;
    r = berth_reply_header(reply, "Location", location);
    return r < 0 ? r : reply_take_bytes(reply, status, NULL, "", 0);
}

static bool field_is_ours(const char *name)
{
    static const char *const ours[] = { "Content-Length", "Transfer-Encoding", "Connection", "Date", "Content-Type" };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return false;
}

bool reply_field_valid(const char *name, const char *value)
{
    /* libmicrohttpd sends neither empty values nor tabs. */
    return !field_is_ours(name) && field_name_valid(name, strlen(name)) && value[0] != '\0' &&
           field_value_valid(value, strlen(value)) && !strchr(value, '\t');
}

size_t reply_field_size(const char *name, const char *value)
{
    return strlen(name) + strlen(": ") + strlen(value) + strlen("\r\n");
}

int berth_reply_header(struct berth_reply *reply, const char *name, const char *value)
{
    struct arena *arena = &reply_request(reply)->arena;
    size_t name_size = strlen(name), value_size = strlen(value);
    struct reply_field *field;

    if (reply_is_answered(reply))
        return -EALREADY;
    if (!reply_field_valid(name, value))
        return -EBADMSG;
    if (reply->field_count == REPLY_FIELDS_MAX || reply->fields_size + reply_field_size(name, value) > reply->room)
        return -E2BIG;
    field = arena_alloc(arena, sizeof(*field));
    if (!field)
        return -ENOMEM;
    field->name = arena_text(arena, name, name_size);
    field->value = arena_text(arena, value, value_size);
    field->next = NULL;
    if (!field->name || !field->value)
        return -ENOMEM;
    *reply->last_field = field;
    reply->last_field = &field->next;
    reply->field_count++;
    reply->fields_size += reply_field_size(name, value);
    return 0;
}

/*
 * Constants. What they prepared is remembered here, to be freed at the end: an application has no place to do it.
 */
struct prepared_constant {
    struct prepared_constant *next;
    struct MHD_Response *response;
    time_t second; /* of its Date */
};

static struct prepared_constant *all_prepared;

void constants_done(void)
{
    while (all_prepared) {
        struct prepared_constant *prepared = all_prepared;

        all_prepared = prepared->next;
        MHD_destroy_response(prepared->response);
        free(prepared);
    }
}

static struct prepared_constant *constant_prepare(struct berth_constant *constant, bool closes)
{
    struct prepared_constant *prepared = calloc(1, sizeof(*prepared));
    struct MHD_Response *response =
        MHD_create_response_from_buffer(constant->size, (void *)(uintptr_t)constant->bytes, MHD_RESPMEM_PERSISTENT);

    if (!prepared || !response ||
        (constant->type && MHD_add_response_header(response, "Content-Type", constant->type) != MHD_YES) ||
        (closes && MHD_add_response_header(response, "Connection", "close") != MHD_YES)) {
        if (response)
            MHD_destroy_response(response);
        free(prepared);
        return NULL;
    }
    prepared->response = response;
    prepared->next = all_prepared;
    all_prepared = prepared;
    constant->prepared[closes] = prepared;
    return prepared;
}

int berth_reply_constant(struct berth_reply *reply, struct berth_constant *constant)
{
    bool closes = reply_closes(reply);
    struct prepared_constant *prepared = constant->prepared[closes];

    if (reply_is_answered(reply))
        return -EALREADY;
    if (constant->status < 200 || constant->status > 599)
        return -EBADMSG;
    if (!prepared)
        prepared = constant_prepare(constant, closes);
    if (!prepared)
        return -ENOMEM;
    date_refresh(prepared->response, &prepared->second);
    return reply_answer(reply, constant->status, prepared->response, constant->size, true);
}
