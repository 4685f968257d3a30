/*
 * Whether a web page of another site asks: a browser says in Sec-Fetch-Site (Fetch Metadata Request Headers, W3C) and
 * Origin (RFC 6454) where a request comes from, and no page can make it lie. Programs that are no browsers send
 * neither, and are not meant. Pure.
 */
#ifndef BERTH_ACCESS_ORIGIN_H
#define BERTH_ACCESS_ORIGIN_H

#include <stdbool.h>

#include "common/text_list.h"

struct origin_question {
    const char *method;
    const char *sec_fetch_site, *origin; /* NULL: not sent; "", which is neither, for what was sent twice */
    const char *scheme;                  /* as the client's; NULL or "": not known, and not compared */
    const char *host;                    /* as the client asked for it; may be NULL or "" */
};

/*
 * Whether the request is to be refused: it may change something (its method is not GET, HEAD, OPTIONS or TRACE), and
 * comes from another site than this one that is not among `allowed`. Those are entries as settings_host.c has checked
 * them: "https://app.example.org", with its port where it is not the scheme's; or "*", any.
 *
 * Sec-Fetch-Site decides, where it is there: only "same-origin" and "none" (typed in by its user) are this site. Where
 * it is not, for older browsers and plain HTTP, Origin does: it has to be the host that is asked.
 */
bool origin_is_foreign(const struct origin_question *question, const struct text_list *allowed);

#endif
