/*
 * One exchange, as libmicrohttpd drives it: its callbacks, and the order of things between a request line and a
 * completed reply.
 */
#ifndef BERTH_HTTP_EXCHANGE_H
#define BERTH_HTTP_EXCHANGE_H

#include <microhttpd.h>

/* MHD_OPTION_URI_LOG_CALLBACK: the request line is here. What it returns becomes *request of the others. */
void *exchange_begin(void *daemon, const char *target, struct MHD_Connection *mhd);

/* The handler: called with the head, with each piece of the body, when the request is complete, and after each resume.
 */
enum MHD_Result exchange_continue(void *daemon, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **request);

struct http_application;
struct http_record;
struct http_server;

/* A request of this application's (NULL: of none) is over: counts it and tells of it. */
void exchange_record(struct http_server *server, const struct http_record *record,
                     const struct http_application *application);

/* MHD_OPTION_NOTIFY_COMPLETED. */
void exchange_completed(void *daemon, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode how);

#endif
