/*
 * What a stream writes to its client, past libmicrohttpd: framed as chunks (RFC 9112 section 7.1) where those were
 * announced, sent at once where the client takes it, and kept where it does not. Nothing here blocks, and what is taken
 * at once is neither copied nor allocated for. How much may be kept is for the caller to say; the memory for it is at
 * most twice as large.
 */
#ifndef BERTH_HTTP_STREAM_BUFFER_H
#define BERTH_HTTP_STREAM_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A chunk's size in hexadecimal digits, and CRLF. */
#define STREAM_CHUNK_HEAD_MAX (2 * sizeof(size_t) + 2)

/* Zeroes are a buffer that keeps everything, until stream_buffer_open. */
struct stream_buffer {
    int fd;
    bool open, chunked;

    /* Of the chunk that the client has taken a part of; all 0: none. Its bytes are the first that are kept. */
    char head[STREAM_CHUNK_HEAD_MAX];
    unsigned int head_left, tail_left;
    size_t chunk_left;

    char *bytes; /* a ring */
    size_t start, size, allocated;
    uint64_t sent; /* bytes of the application's that the kernel has taken */
};

/* From now on bytes go to `fd`, which stays the caller's. What is kept waits for stream_buffer_flush. */
void stream_buffer_open(struct stream_buffer *buffer, int fd, bool chunked);
void stream_buffer_done(struct stream_buffer *buffer);

/* Nothing of it is waiting to be sent. */
bool stream_buffer_is_empty(const struct stream_buffer *buffer);

/* Takes all of it, as one chunk where nothing else waits. 0, whether it was sent or is kept; -ENOMEM, and then it took
 * nothing; -EPIPE when nothing more can be sent. */
int stream_buffer_write(struct stream_buffer *buffer, const void *bytes, size_t size);

/* Sends as much of what is kept as the client takes. 0, or -EPIPE. */
int stream_buffer_flush(struct stream_buffer *buffer);

#endif
