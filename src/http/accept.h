/*
 * Whether an error is shown as a page or as problem+json: what the Accept field says (RFC 9110 section 12.5.1).
 */
#ifndef BERTH_HTTP_ACCEPT_H
#define BERTH_HTTP_ACCEPT_H

#include <stdbool.h>

/* True if text/html is listed by name with a weight above that of every entry that would take JSON:
 * application/problem+json, application/json, and the ranges application/<any> and <any>/<any>. Browsers do that; curl
 * and HTTP libraries do not. NULL is false. */
bool accept_prefers_html(const char *accept);

#endif
