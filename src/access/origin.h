/*
 * Whether a web page of another site asks: a browser says in Sec-Fetch-Site (Fetch Metadata Request Headers, W3C) and
 * Origin (RFC 6454) where a request comes from, and no page can make it lie. Programs that are no browsers send
 * neither, and are not meant. Pure.
 */
#ifndef BERTH_ACCESS_ORIGIN_H
#define BERTH_ACCESS_ORIGIN_H

#include <stdbool.h>

#include "common/error.h"
#include "common/text_list.h"

/* An entry of --allow-origin: "https://app.example.org", with its port where it is not the scheme's; or "*", any. The
 * message begins with the text in quotes. */
int origin_entry_check(const char *text, struct error *error);

struct origin_question {
    const char *method;
    const char *sec_fetch_site, *origin; /* NULL: not sent */
    const char *scheme;                  /* as the client's, or "" where it is not known: then it is not compared */
    const char *host;                    /* as the client asked for it; may be NULL or "" */
};

/* Whether the request is to be refused: it may change something (its method is not GET, HEAD, OPTIONS or TRACE), and
 * comes from another site than this one that is not among `allowed`. */
bool origin_is_foreign(const struct origin_question *question, const struct text_list *allowed);

#endif
