/*
 * For tests of what libmicrohttpd promises: a daemon with nothing of ours between, on a socket in a folder of its own
 * (scratch.h), and a client of it.
 */
#ifndef TESTS_HTTP_BARE_H
#define TESTS_HTTP_BARE_H

#include <microhttpd.h>

extern struct MHD_Daemon *library;
extern int client;
extern unsigned int closed; /* connections */

/* Every request is answered with 200 and what `answer` returns. Options end with MHD_OPTION_END. */
void bare_start(struct MHD_Response *(*answer)(struct MHD_Connection *), const struct MHD_OptionItem *options);
void bare_stop(void);

/* Another client. */
int bare_connect(void);

/* So many runs that libmicrohttpd has to have done what it can. */
void bare_run(void);

#endif
