/*
 * What libmicrohttpd refuses by itself: no handler of ours runs then, so it is noticed here, counted, and told to
 * http_server.on_library_error.
 */
#ifndef BERTH_HTTP_LIBRARY_H
#define BERTH_HTTP_LIBRARY_H

#include <stdarg.h>

struct connection;
struct daemon;

/* MHD_OPTION_EXTERNAL_LOGGER. */
void library_says(void *daemon, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* A request ends to which nobody of us has replied: the status that libmicrohttpd has answered it with; 0: none. */
unsigned int library_take_status(struct daemon *daemon);

/* Its connection closes, and is still open. */
void library_closes(const struct connection *connection);

#endif
