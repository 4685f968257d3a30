/*
 * What streams are written in: Server-Sent Events (HTML Living Standard section 9.2.6) and lines. Pure functions.
 */
#ifndef BERTH_HTTP_STREAM_FORMAT_H
#define BERTH_HTTP_STREAM_FORMAT_H

#include <stddef.h>
#include <sys/types.h>

#include <berth.h>

/* What the stream of such a content type says when it has nothing to say: a text of whole lines that its readers skip;
 * NULL: there is none. */
const char *stream_heartbeat(const char *type);

/* Write up to `room` bytes of the text, and return how many it has, as snprintf does, but without a NUL. -EBADMSG for a
 * line break where there can be none. */
ssize_t stream_format_event(const struct berth_stream_event *event, char *bytes, size_t room);
ssize_t stream_format_comment(const char *text, char *bytes, size_t room);

#endif
