/*
 * The Date of responses that are sent again and again (RFC 9110 section 6.6.1). libmicrohttpd works it out and formats
 * it for each reply that has none; these have ours, which is made once a second.
 */
#ifndef BERTH_HTTP_DATE_H
#define BERTH_HTTP_DATE_H

#include <time.h>

#include <microhttpd.h>

#define DATE_SIZE sizeof("Sun, 06 Nov 1994 08:49:37 GMT")

/* `second` by time(2), of a year of four digits. */
void date_format(time_t second, char ret_text[DATE_SIZE]);

void date_renew(struct MHD_Response *response, time_t second);

/* Before each use of a response that others may be sent as well. `second` is the response's, 0 at first. Those that
 * libmicrohttpd is sending have their heads already. */
static inline void date_refresh(struct MHD_Response *response, time_t *second)
{
    time_t now = time(NULL);

    if (now != *second)
        date_renew(response, *second = now);
}

#endif
