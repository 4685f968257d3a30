/*
 * Publishing, as chapter 7 of berth.h has it, and what a request and its reply have to do with events.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/log.h"
#include "events/client.h"
#include "events/feed.h"
#include "events/input.h"
#include "http/connection.h"
#include "http/request.h"

int berth_reply_event_log(struct berth_reply *reply, const struct berth_event_query *query, bool server_sent)
{
    return feed_reply(reply, query, server_sent);
}

static void set_peer(struct event *event, uid_t uid, pid_t pid, const char *user)
{
    event->uid = uid;
    event->pid = pid;
    event->user = user;
    event->user_size = strnlen(user, EVENT_USER_MAX);
}

static int add(struct channel_batch *batch, struct event *event, const struct event_input *input)
{
    event->type = input->type;
    event->type_size = strlen(input->type);
    event->data = input->data;
    event->data_size = input->data_size;
    return channel_batch_add(batch, event);
}

/* With the request's peer, or, without a request, this server. */
static int add_as(struct channel_batch *batch, const struct berth_request *request, const struct event_input *input)
{
    struct event event = { 0 };
    struct peer_names *names;
    int r;

    if (request) {
        const struct berth_peer *peer = berth_request_peer(request);

        set_peer(&event, peer->uid, peer->pid, berth_peer_user(peer));
        if (peer->proxied) {
            event.client = berth_request_client(request);
            event.client_size = strnlen(event.client, EVENT_CLIENT_MAX);
        }
        return add(batch, &event, input);
    }
    names = names_take(geteuid(), getegid());
    if (!names)
        return -ENOMEM;
    set_peer(&event, geteuid(), getpid(), names_user(names));
    r = add(batch, &event, input);
    names_release(names);
    return r;
}

/* ---- one, by an application ---- */

struct publishing {
    void (*stored)(void *data, int r, uint64_t id);
    void *data;
};

static void published(void *data, int r, uint64_t first_id, size_t count)
{
    struct publishing *publishing = data;

    (void)count;
    if (publishing->stored)
        publishing->stored(publishing->data, r, r < 0 ? 0 : first_id);
    free(publishing);
}

/* What was wrong with it goes into the reply's error, if it is returned. */
static int explain(const struct berth_request *request, int r, const struct error *error)
{
    struct connection *connection = request ? request->connection : NULL;

    return connection && error->text[0] ? request_fail(&connection->request, r, "%s", error->text) : r;
}

int berth_event_publish(const struct berth_request *request, const char *type, const struct json_t *event,
                        void (*stored)(void *data, int r, uint64_t id), void *data)
{
    struct channel_batch batch = { 0 };
    struct publishing *publishing;
    struct event_input input;
    struct error error = { "" };
    int r = event_input_make(type, event, &input, &error);

    if (r < 0)
        return explain(request, r, &error);
    r = add_as(&batch, request, &input);
    event_input_done(&input);
    publishing = malloc(sizeof(*publishing));
    if (r == 0 && !publishing)
        r = -ENOMEM;
    if (r == 0) {
        *publishing = (struct publishing){ .stored = stored, .data = data };
        r = client_publish(&batch, published, publishing);
    }
    if (r < 0) {
        channel_batch_done(&batch);
        free(publishing);
    }
    return r;
}

/* ---- what a request brought ---- */

struct reply_publishing {
    struct berth_reply *reply; /* NULL: its client is gone */
};

static void publisher_gone(void *data)
{
    ((struct reply_publishing *)data)->reply = NULL;
}

static int reply_ids(struct berth_reply *reply, uint64_t first_id, size_t count)
{
    json_t *ids = json_array(), *json;
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        r = json_array_append_new(ids, json_integer((json_int_t)(first_id + i)));
    json = json_pack("{s:o}", "ids", ids);
    r = r == 0 && json ? berth_reply_json(reply, 201, json) : -ENOMEM;
    json_decref(json);
    return r;
}

static int reply_refused(struct berth_reply *reply, int r)
{
    switch (r) {
    case -ENOSPC:
    case -EDQUOT:
    case -EFBIG:
        return berth_reply_error(reply, 507, "there is no room for events on the disk: nothing was stored");
    case -EMSGSIZE:
        return berth_reply_error(reply, 413, "this is more than the log of events takes at once: nothing was stored");
    case -EIO:
        return berth_reply_error(reply, 500, "it is not known whether the events were stored");
    default:
        return berth_reply_error(reply, 500, "the events were not stored");
    }
}

static void stored_for_reply(void *data, int r, uint64_t first_id, size_t count)
{
    struct reply_publishing *publishing = data;
    struct berth_reply *reply = publishing->reply;

    free(publishing);
    if (r < 0 && r != -EMSGSIZE)
        log_error("events were not stored: %s", strerror(-r));
    if (!reply)
        return;
    r = r == 0 ? reply_ids(reply, first_id, count) : reply_refused(reply, r);
    if (r < 0)
        berth_reply_error(reply, 500, "the events were stored, but their numbers cannot be told");
}

struct gathering {
    const struct berth_request *request;
    struct channel_batch batch;
    bool full; /* the batch takes no more */
};

static int gather(void *data, struct event_input *input)
{
    struct gathering *gathering = data;
    int r = add_as(&gathering->batch, gathering->request, input);

    event_input_done(input);
    gathering->full = r == -EMSGSIZE;
    return r;
}

static int gather_one(struct gathering *gathering, const char *body, size_t size, struct error *error)
{
    struct event_input input;
    int r = event_input_parse(body, size, &input, error);

    return r < 0 ? r : gather(gathering, &input);
}

static int gather_body(struct berth_request *request, bool many, struct channel_batch *ret_batch)
{
    struct gathering gathering = { .request = request };
    struct error error = { "" };
    size_t size;
    const char *body = berth_request_body(request, &size);
    int r = many ? event_input_parse_lines(body, size, gather, &gathering, &error)
                 : gather_one(&gathering, body, size, &error);

    if (gathering.full)
        error_set(&error, r, "these are more events than can be stored at once: nothing was stored");
    if (r == 0 && gathering.batch.count == 0)
        r = error_set(&error, -EINVAL, "there is no event in the body");
    if (r < 0) {
        channel_batch_done(&gathering.batch);
        /* A type that is ours alone is a mistake in the body as well. */
        return explain(request, r == -EPERM ? -EINVAL : r, &error);
    }
    *ret_batch = gathering.batch;
    return 0;
}

int berth_reply_publish(struct berth_request *request, struct berth_reply *reply, bool many)
{
    struct reply_publishing *publishing;
    struct channel_batch batch;
    int r = gather_body(request, many, &batch);

    if (r < 0)
        return r;
    publishing = malloc(sizeof(*publishing));
    if (publishing)
        publishing->reply = reply;
    r = publishing ? client_publish(&batch, stored_for_reply, publishing) : -ENOMEM;
    channel_batch_done(&batch);
    if (r < 0)
        free(publishing);
    if (r == -EAGAIN)
        return berth_reply_error(reply, 503, "too many events wait to be stored already: nothing was stored");
    if (r < 0)
        return r;
    return berth_reply_hold(reply, publisher_gone, publishing);
}
