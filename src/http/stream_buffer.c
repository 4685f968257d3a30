#include "http/stream_buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* The ring begins so large, and doubles. An idle stream has none. */
#define RING_FIRST 1024

static const char chunk_end[] = "\r\n";
#define CHUNK_END_SIZE (sizeof(chunk_end) - 1)

/* The head, the ring's two parts, the end. */
#define PARTS_MAX 4

struct parts {
    struct iovec items[PARTS_MAX];
    int count;
};

void stream_buffer_open(struct stream_buffer *buffer, int fd, bool chunked)
{
    buffer->fd = fd;
    buffer->chunked = chunked;
    buffer->open = true;
}

void stream_buffer_done(struct stream_buffer *buffer)
{
    free(buffer->bytes);
    buffer->bytes = NULL;
    buffer->start = buffer->size = buffer->allocated = 0;
}

static bool in_chunk(const struct stream_buffer *buffer)
{
    return buffer->head_left + buffer->chunk_left + buffer->tail_left > 0;
}

bool stream_buffer_is_empty(const struct stream_buffer *buffer)
{
    return buffer->size == 0 && !in_chunk(buffer);
}

/* ---- the ring ---- */

/* The part of the ring that begins `from` bytes behind its start, up to `size` bytes or the ring's edge. */
static size_t ring_part(const struct stream_buffer *buffer, size_t from, size_t size, char **ret_part)
{
    size_t at = buffer->start + from;

    if (at >= buffer->allocated)
        at -= buffer->allocated;
    *ret_part = buffer->bytes + at;
    return size < buffer->allocated - at ? size : buffer->allocated - at;
}

static int ring_reserve(struct stream_buffer *buffer, size_t size)
{
    size_t allocated = buffer->allocated ? buffer->allocated : RING_FIRST, done = 0;
    char *bytes, *part;

    if (size > SIZE_MAX / 2 - buffer->size)
        return -ENOMEM;
    while (allocated < buffer->size + size)
        allocated *= 2;
    if (allocated == buffer->allocated)
        return 0;
    bytes = malloc(allocated);
    if (!bytes)
        return -ENOMEM;
    while (done < buffer->size) {
        size_t piece = ring_part(buffer, done, buffer->size - done, &part);

        memcpy(bytes + done, part, piece);
        done += piece;
    }
    free(buffer->bytes);
    buffer->bytes = bytes;
    buffer->start = 0;
    buffer->allocated = allocated;
    return 0;
}

static int ring_add(struct stream_buffer *buffer, const char *bytes, size_t size)
{
    int r = size > 0 ? ring_reserve(buffer, size) : 0;

    while (r == 0 && size > 0) {
        char *part;
        size_t piece = ring_part(buffer, buffer->size, size, &part);

        memcpy(part, bytes, piece);
        buffer->size += piece;
        bytes += piece;
        size -= piece;
    }
    return r;
}

/* Gives its memory back when it is empty: most streams are, most of the time. */
static void ring_remove(struct stream_buffer *buffer, size_t size)
{
    buffer->size -= size;
    buffer->start += size;
    if (buffer->start >= buffer->allocated)
        buffer->start -= buffer->allocated;
    if (buffer->size == 0)
        stream_buffer_done(buffer);
}

/* ---- chunks ---- */

/* Writes its head from behind. Without chunks the bytes go out as they are, and a chunk is what one call sends. */
static void chunk_begin(struct stream_buffer *buffer, size_t size)
{
    unsigned int at = STREAM_CHUNK_HEAD_MAX;

    buffer->chunk_left = size;
    if (!buffer->chunked)
        return;
    buffer->head[--at] = '\n';
    buffer->head[--at] = '\r';
    for (; size > 0; size >>= 4)
        buffer->head[--at] = "0123456789abcdef"[size & 15];
    buffer->head_left = STREAM_CHUNK_HEAD_MAX - at;
    buffer->tail_left = CHUNK_END_SIZE;
}

static void chunk_forget(struct stream_buffer *buffer)
{
    buffer->head_left = buffer->tail_left = 0;
    buffer->chunk_left = 0;
}

static void part_add(struct parts *parts, const void *bytes, size_t size)
{
    if (size > 0)
        parts->items[parts->count++] = (struct iovec){ .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
}

/* Its bytes are the caller's, or, with NULL, the first that are kept. */
static void chunk_collect(const struct stream_buffer *buffer, const char *bytes, struct parts *parts)
{
    parts->count = 0;
    part_add(parts, buffer->head + STREAM_CHUNK_HEAD_MAX - buffer->head_left, buffer->head_left);
    if (bytes) {
        part_add(parts, bytes, buffer->chunk_left);
    } else if (buffer->chunk_left > 0) {
        char *part;
        size_t piece = ring_part(buffer, 0, buffer->chunk_left, &part);

        part_add(parts, part, piece);
        if (piece < buffer->chunk_left)
            part_add(parts, buffer->bytes, buffer->chunk_left - piece);
    }
    part_add(parts, chunk_end + CHUNK_END_SIZE - buffer->tail_left, buffer->tail_left);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* So many bytes of what was collected are sent. Returns how many of them were the application's. */
static size_t chunk_advance(struct stream_buffer *buffer, size_t sent)
{
    size_t head = smaller(sent, buffer->head_left), body = smaller(sent - head, buffer->chunk_left);

    buffer->head_left -= (unsigned int)head;
    buffer->chunk_left -= body;
    buffer->tail_left -= (unsigned int)(sent - head - body);
    buffer->sent += body;
    return body;
}

/* Returns how many of the chunk's bytes were sent, -EAGAIN when the client takes none now, or -EPIPE. */
static ssize_t chunk_send(struct stream_buffer *buffer, const char *bytes)
{
    struct parts parts;
    struct msghdr message = { .msg_iov = parts.items };
    ssize_t n;

    chunk_collect(buffer, bytes, &parts);
    message.msg_iovlen = (size_t)parts.count;
    do
        n = sendmsg(buffer->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? -EAGAIN : -EPIPE;
    return (ssize_t)chunk_advance(buffer, (size_t)n);
}

int stream_buffer_write(struct stream_buffer *buffer, const void *bytes, size_t size)
{
    ssize_t sent;
    int r;

    if (size == 0) /* an empty chunk would be the last */
        return 0;
    if (!buffer->open || !stream_buffer_is_empty(buffer))
        return ring_add(buffer, bytes, size);
    chunk_begin(buffer, size);
    sent = chunk_send(buffer, bytes);
    if (sent == -EAGAIN) {
        chunk_forget(buffer);
        return ring_add(buffer, bytes, size);
    }
    if (sent < 0)
        return (int)sent;
    /* What was begun has to go on: where there is no memory for it, nothing that follows can be understood. */
    r = ring_add(buffer, (const char *)bytes + sent, size - (size_t)sent);
    return r < 0 ? -EPIPE : 0;
}

int stream_buffer_flush(struct stream_buffer *buffer)
{
    while (!stream_buffer_is_empty(buffer)) {
        ssize_t sent;

        if (!in_chunk(buffer))
            chunk_begin(buffer, buffer->size);
        sent = chunk_send(buffer, NULL);
        if (sent == -EAGAIN)
            return 0;
        if (sent < 0)
            return (int)sent;
        ring_remove(buffer, (size_t)sent);
    }
    return 0;
}
