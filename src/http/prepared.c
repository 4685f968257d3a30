#include "http/prepared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <microhttpd.h>

#include "http/date.h"
#include "http/field.h"
#include "http/reply.h"
#include "http/request.h"

/* The fields of a 304 (RFC 9110 section 15.4.5). Last-Modified is only of use there when there is no ETag. */
static const char *const not_modified_fields[] = { "ETag", "Vary", "Cache-Control", "Content-Location", "Expires" };

struct prepared_field {
    char *name, *value;
};

/* What one is answered with: libmicrohttpd's response, made at its first use. */
enum prepared_form { FORM_WHOLE, FORM_WHOLE_CLOSE, FORM_NOT_MODIFIED, FORM_NOT_MODIFIED_CLOSE, FORM_COUNT };

struct berth_prepared {
    unsigned int users;  /* the application, and each reply on its way to libmicrohttpd */
    unsigned int bodies; /* responses that use the bytes: they end when the last reply with them does */
    char *type;
    const void *bytes; /* NULL: a file */
    int fd;            /* -1: bytes */
    bool fd_taken;     /* by the first response, which closes it; that lives at least as long as this */
    uint64_t offset, size;
    void (*release)(void *data);
    void *data;
    struct prepared_field fields[REPLY_FIELDS_MAX];
    size_t field_count, fields_size;
    struct MHD_Response *forms[FORM_COUNT];
    time_t seconds[FORM_COUNT]; /* of their Dates */
    unsigned int incomplete;    /* a bit for each form that could not be finished */
};

static void prepared_destroy(struct berth_prepared *prepared)
{
    if (prepared->release)
        prepared->release(prepared->data);
    if (prepared->fd >= 0 && !prepared->fd_taken)
        close(prepared->fd);
    for (size_t i = 0; i < prepared->field_count; i++) {
        free(prepared->fields[i].name);
        free(prepared->fields[i].value);
    }
    free(prepared->type);
    free(prepared);
}

static void body_over(void *context)
{
    struct berth_prepared *prepared = context;

    if (--prepared->bodies == 0 && prepared->users == 0)
        prepared_destroy(prepared);
}

void prepared_release(struct berth_prepared *prepared)
{
    if (--prepared->users > 0)
        return;
    prepared->bodies++; /* it lives until all forms are given back */
    for (size_t i = 0; i < FORM_COUNT; i++)
        if (prepared->forms[i])
            MHD_destroy_response(prepared->forms[i]);
    body_over(prepared);
}

void berth_prepared_free(struct berth_prepared *prepared)
{
    if (prepared)
        prepared_release(prepared);
}

static int prepared_new(const char *type, struct berth_prepared **ret_prepared)
{
    struct berth_prepared *prepared = calloc(1, sizeof(*prepared));

    if (!prepared)
        return -ENOMEM;
    prepared->users = 1;
    prepared->fd = -1;
    if (type && !(prepared->type = strdup(type))) {
        free(prepared);
        return -ENOMEM;
    }
    *ret_prepared = prepared;
    return 0;
}

int berth_prepared_bytes(const char *type, const void *bytes, size_t size, void (*release)(void *data), void *data,
                         struct berth_prepared **ret_prepared)
{
    struct berth_prepared *prepared;
    int r = prepared_new(type, &prepared);

    if (r < 0) {
        if (release)
            release(data);
        return r;
    }
    prepared->bytes = bytes ? bytes : "";
    prepared->size = size;
    prepared->release = release;
    prepared->data = data;
    *ret_prepared = prepared;
    return 0;
}

int berth_prepared_fd(const char *type, int fd, uint64_t offset, uint64_t size, struct berth_prepared **ret_prepared)
{
    struct berth_prepared *prepared;
    int r = prepared_new(type, &prepared);

    if (r < 0) {
        close(fd);
        return r;
    }
    prepared->fd = fd;
    prepared->offset = offset;
    prepared->size = size;
    *ret_prepared = prepared;
    return 0;
}

int berth_prepared_header(struct berth_prepared *prepared, const char *name, const char *value)
{
    struct prepared_field field;

    if (!reply_field_valid(name, value))
        return -EBADMSG;
    for (size_t i = 0; i < FORM_COUNT; i++)
        if (prepared->forms[i])
            return -EALREADY;
    if (prepared->field_count == REPLY_FIELDS_MAX)
        return -E2BIG;
    field.name = strdup(name);
    field.value = strdup(value);
    if (!field.name || !field.value) {
        free(field.name);
        free(field.value);
        return -ENOMEM;
    }
    prepared->fields[prepared->field_count++] = field;
    prepared->fields_size += reply_field_size(name, value);
    return 0;
}

/* ---- Its forms ------------------------------------------------------------------------------------------------ */

static bool has_field(const struct berth_prepared *prepared, const char *name)
{
    for (size_t i = 0; i < prepared->field_count; i++)
        if (strcasecmp(prepared->fields[i].name, name) == 0)
            return true;
    return false;
}

static bool belongs_to_not_modified(const struct berth_prepared *prepared, const char *name)
{
    for (size_t i = 0; i < sizeof(not_modified_fields) / sizeof(not_modified_fields[0]); i++)
        if (strcasecmp(name, not_modified_fields[i]) == 0)
            return true;
    return strcasecmp(name, "Last-Modified") == 0 && !has_field(prepared, "ETag");
}

/* A 304 announces the length that a 200 would have, and has no body to read. */
static ssize_t read_nothing(void *context, uint64_t offset, char *buffer, size_t room)
{
    (void)context;
    (void)offset;
    (void)buffer;
    (void)room;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* libmicrohttpd closes the descriptor with the response. */
static struct MHD_Response *make_file_body(struct berth_prepared *prepared)
{
    int fd = prepared->fd_taken ? fcntl(prepared->fd, F_DUPFD_CLOEXEC, 0) : prepared->fd;
    struct MHD_Response *response;

    if (fd < 0)
        return NULL;
    response = MHD_create_response_from_fd_at_offset64(prepared->size, fd, prepared->offset);
    if (!response && prepared->fd_taken)
        close(fd);
    if (response)
        prepared->fd_taken = true;
    return response;
}

static struct MHD_Response *make_body(struct berth_prepared *prepared, enum prepared_form form)
{
    struct MHD_Response *response;

    if (form >= FORM_NOT_MODIFIED)
        return MHD_create_response_from_callback(prepared->size, 1, read_nothing, NULL, NULL);
    if (!prepared->bytes)
        return make_file_body(prepared);
    response = MHD_create_response_from_buffer_with_free_callback_cls(
        prepared->size, (void *)(uintptr_t)prepared->bytes, body_over, prepared);
    if (response)
        prepared->bodies++;
    return response;
}

static bool add_form_fields(const struct berth_prepared *prepared, enum prepared_form form,
                            struct MHD_Response *response)
{
    bool whole = form < FORM_NOT_MODIFIED, closes = form & 1;

    if (whole && prepared->type && MHD_add_response_header(response, "Content-Type", prepared->type) != MHD_YES)
        return false;
    for (size_t i = 0; i < prepared->field_count; i++) {
        const struct prepared_field *field = &prepared->fields[i];

        if ((whole || belongs_to_not_modified(prepared, field->name)) &&
            MHD_add_response_header(response, field->name, field->value) != MHD_YES)
            return false;
    }
    return !closes || MHD_add_response_header(response, "Connection", "close") == MHD_YES;
}

static struct MHD_Response *make_form(struct berth_prepared *prepared, enum prepared_form form)
{
    struct MHD_Response *response = make_body(prepared, form);

    /* One that lacks a field, for want of memory, is not sent; it stays, since it may have the descriptor. */
    prepared->forms[form] = response;
    if (response && !add_form_fields(prepared, form, response))
        prepared->incomplete |= 1U << form;
    return response;
}

int berth_reply_prepared(struct berth_reply *reply, unsigned int status, struct berth_prepared *prepared)
{
    enum prepared_form form = (status == 304 ? FORM_NOT_MODIFIED : FORM_WHOLE) + (reply_closes(reply) ? 1 : 0);
    struct MHD_Response *response = prepared->forms[form];

    if (reply_is_answered(reply))
        return -EALREADY;
    if (status < 200 || status > 599)
        return -EBADMSG;
    if (prepared->fields_size > reply->room)
        return -E2BIG;
    if (!response)
        response = make_form(prepared, form);
    if (!response || prepared->incomplete & 1U << form)
        return -ENOMEM;
    date_refresh(response, &prepared->seconds[form]);
    prepared->users++;
    return reply_take_prepared(reply, status, response, prepared->size, prepared);
}

void prepared_sending(const struct berth_prepared *prepared, int *ret_fd, uint64_t *ret_end)
{
    *ret_fd = prepared->fd;
    *ret_end = prepared->offset + prepared->size;
}
