/*
 * The workers' channels: a worker says hello over the rendezvous, and has a channel from then on.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "events/recorder_parts.h"

/* Of one channel in one turn, so that none keeps us from the others. */
enum { PACKETS_IN_TURN = 64, HELLOS_IN_TURN = 64 };

struct worker_channel {
    struct recorder *recorder;
    struct worker_channel *previous, *next;
    uv_poll_t poll;
    int fd, news_fd;
    /* The batch that has come in part. */
    struct buffer body;
    uint64_t token;
    /* Answers that the worker has no room for: until it has, nothing is read from it. */
    struct channel_header *answers;
    size_t answer_count, answer_room;
};

/* What was received last. */
static char packet[CHANNEL_BODY_MAX];

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- the end of a channel ---- */

static void on_closed(uv_handle_t *handle)
{
    struct worker_channel *channel = handle->data;

    close_fd(channel->fd);
    close_fd(channel->news_fd);
    buffer_done(&channel->body);
    free(channel->answers);
    free(channel);
}

static bool is_open(const struct worker_channel *channel)
{
    return !uv_is_closing((const uv_handle_t *)&channel->poll);
}

static void channel_close(struct worker_channel *channel)
{
    struct recorder *recorder = channel->recorder;

    if (!is_open(channel))
        return;
    turn_forget(recorder, channel);
    if (channel->previous)
        channel->previous->next = channel->next;
    else
        recorder->channels = channel->next;
    if (channel->next)
        channel->next->previous = channel->previous;
    recorder->channel_count--;
    uv_close((uv_handle_t *)&channel->poll, on_closed);
    recorder_on_worker_gone(recorder);
}

static void channel_offended(struct worker_channel *channel)
{
    log_error("a worker sent to the recorder what no worker may send: its channel is closed");
    channel_close(channel);
}

/* ---- answers ---- */

static void on_channel(uv_poll_t *poll, int status, int events);

static int answer_keep(struct worker_channel *channel, const struct channel_header *header)
{
    size_t room = channel->answer_room > 0 ? channel->answer_room * 2 : PACKETS_IN_TURN;
    struct channel_header *larger;

    if (channel->answer_count == channel->answer_room) {
        larger = reallocarray(channel->answers, room, sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        channel->answers = larger;
        channel->answer_room = room;
    }
    if (channel->answer_count == 0)
        uv_poll_start(&channel->poll, UV_WRITABLE, on_channel);
    channel->answers[channel->answer_count++] = *header;
    return 0;
}

void workers_answer(struct recorder *recorder, struct worker_channel *channel, const struct channel_header *header)
{
    int r = -EAGAIN;

    (void)recorder;
    if (channel->answer_count == 0)
        r = channel_send(channel->fd, header, NULL, NULL);
    if (r == -EAGAIN)
        r = answer_keep(channel, header);
    if (r < 0)
        channel_close(channel);
}

static void answers_send(struct worker_channel *channel)
{
    size_t sent = 0;
    int r = 0;

    while (sent < channel->answer_count) {
        r = channel_send(channel->fd, &channel->answers[sent], NULL, NULL);
        if (r < 0)
            break;
        sent++;
    }
    channel->answer_count -= sent;
    memmove(channel->answers, channel->answers + sent, channel->answer_count * sizeof(*channel->answers));
    if (r < 0 && r != -EAGAIN)
        channel_close(channel);
    else if (channel->answer_count == 0)
        uv_poll_start(&channel->poll, UV_READABLE, on_channel);
}

/* ---- publications ---- */

/* Whether the bytes are `count` events, and what their records take at most. */
static int measure(const char *bytes, size_t size, uint32_t count, size_t *ret_bound)
{
    struct event event;
    size_t offset = 0, bound = 0, found = 0;
    int r;

    while ((r = channel_batch_next(bytes, size, &offset, &event)) > 0) {
        bound += turn_bound(&event);
        found++;
    }
    if (r < 0 || found == 0 || found != count)
        return -EPROTO;
    *ret_bound = bound;
    return 0;
}

static int publish(struct worker_channel *channel, const struct channel_header *header, const char *bytes, size_t size)
{
    struct recorder *recorder = channel->recorder;
    uint64_t time_us = turn_time(recorder);
    struct event event;
    size_t offset = 0, bound;
    int r = measure(bytes, size, header->count, &bound);

    if (r == 0)
        r = turn_begin(recorder, channel, header->token, bound);
    if (r < 0)
        return r;
    if (!is_open(channel)) { /* it did not take an answer to what was before */
        turn_forget(recorder, channel);
        return 0;
    }
    while (r == 0 && channel_batch_next(bytes, size, &offset, &event) > 0)
        r = turn_add(recorder, &event, time_us);
    if (r < 0)
        turn_refuse(recorder, r);
    return 0;
}

static int take_packet(struct worker_channel *channel, const struct channel_header *header)
{
    bool whole = channel->body.size == 0 && header->last;
    int r;

    if (header->type != CHANNEL_PUBLISH || header->size == 0 ||
        (channel->body.size > 0 && header->token != channel->token))
        return -EPROTO;
    if (whole)
        return publish(channel, header, packet, header->size);
    channel->token = header->token;
    r = buffer_add(&channel->body, packet, header->size, CHANNEL_BATCH_MAX);
    if (r == -EMSGSIZE)
        return -EPROTO;
    if (r < 0 || !header->last)
        return r;
    r = publish(channel, header, channel->body.bytes, channel->body.size);
    buffer_done(&channel->body);
    return r;
}

static void channel_read(struct worker_channel *channel, unsigned int limit)
{
    struct channel_header header;
    int descriptors[2], r = 0;

    while (limit-- > 0 && is_open(channel)) {
        r = channel_receive(channel->fd, &header, packet, descriptors);
        if (r <= 0)
            break;
        r = descriptors[0] >= 0 ? -EPROTO : take_packet(channel, &header);
        close_fd(descriptors[0]);
        close_fd(descriptors[1]);
        if (r < 0)
            break;
    }
    if (r == -EPROTO)
        channel_offended(channel);
    else if (r < 0)
        channel_close(channel);
}

static void on_channel(uv_poll_t *poll, int status, int events)
{
    struct worker_channel *channel = poll->data;

    (void)status; /* reading says what is wrong */
    if (channel->answer_count > 0)
        answers_send(channel);
    else if (events & (UV_READABLE | UV_DISCONNECT) || status < 0)
        channel_read(channel, PACKETS_IN_TURN);
}

void workers_read_all(struct recorder *recorder)
{
    struct worker_channel *next;

    for (struct worker_channel *channel = recorder->channels; channel; channel = next) {
        next = channel->next;
        channel_read(channel, UINT_MAX);
    }
}

/* ---- the begin of a channel ---- */

/* The worker's eventfd must not make us wait. */
static int prepare_news(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int channel_open(struct recorder *recorder, const int descriptors[2])
{
    struct worker_channel *channel = calloc(1, sizeof(*channel));
    int r;

    if (!channel)
        return -ENOMEM;
    channel->recorder = recorder;
    channel->poll.data = channel;
    channel->fd = channel->news_fd = -1;
    r = prepare_news(descriptors[1]);
    if (r == 0)
        r = uv_poll_init(&recorder->loop, &channel->poll, descriptors[0]);
    if (r < 0) {
        free(channel);
        return r;
    }
    channel->fd = descriptors[0];
    channel->news_fd = descriptors[1];
    channel->next = recorder->channels;
    if (channel->next)
        channel->next->previous = channel;
    recorder->channels = channel;
    recorder->channel_count++;
    uv_poll_start(&channel->poll, UV_READABLE, on_channel);
    return 0;
}

/*
 * Before READY all is in the log that came over other channels: one of them may have been this worker's, which now
 * looks there for what was not acknowledged.
 */
static int take_hello(struct recorder *recorder, const struct channel_header *header, const int descriptors[2])
{
    const struct channel_header ready = { .type = CHANNEL_READY, .value = CHANNEL_VERSION };
    int r;

    if (header->type != CHANNEL_HELLO || header->value != CHANNEL_VERSION || header->size != 0 || descriptors[1] < 0)
        return -EPROTO;
    if (recorder->channel_count >= WORKER_CHANNELS_MAX)
        return -EMFILE;
    workers_read_all(recorder);
    turn_flush(recorder);
    r = channel_open(recorder, descriptors);
    if (r == 0)
        workers_answer(recorder, recorder->channels, &ready);
    return r;
}

static void on_rendezvous(uv_poll_t *poll, int status, int events)
{
    struct recorder *recorder = poll->data;
    struct channel_header header;
    int descriptors[2], r = 0;

    (void)status;
    (void)events;
    for (int i = 0; i < HELLOS_IN_TURN; i++) {
        r = channel_receive(CONTRACT_RENDEZVOUS_FD, &header, packet, descriptors);
        if (r == 0 || (r < 0 && r != -EPROTO))
            break;
        if (r > 0) {
            r = take_hello(recorder, &header, descriptors);
            if (r < 0)
                close_fd(descriptors[0]);
            if (r < 0)
                close_fd(descriptors[1]);
        }
        if (r < 0)
            log_error("a worker could not be given a channel: %s", strerror(-r));
        r = 1;
    }
    if (r >= 0)
        return;
    uv_poll_stop(poll);
    recorder->rendezvous_ended = true;
    recorder_on_worker_gone(recorder);
}

int workers_open(struct recorder *recorder)
{
    int r = uv_poll_init(&recorder->loop, &recorder->rendezvous, CONTRACT_RENDEZVOUS_FD);

    if (r < 0)
        return r;
    recorder->rendezvous.data = recorder;
    return uv_poll_start(&recorder->rendezvous, UV_READABLE, on_rendezvous);
}

/* A counter that is full wakes as well as one that is not. */
void workers_wake(struct recorder *recorder)
{
    const uint64_t one = 1;

    for (const struct worker_channel *channel = recorder->channels; channel; channel = channel->next)
        if (write(channel->news_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
            log_debug("a worker cannot be woken: %s", strerror(errno));
}

void workers_close(struct recorder *recorder)
{
    uv_close((uv_handle_t *)&recorder->rendezvous, NULL);
    while (recorder->channels)
        channel_close(recorder->channels);
}
