/*
 * Who calls, as the settings name them: the users and groups of rules and of --trust-proxy. Looked at here before
 * anything is served, so that a name that nobody has is told with its place and not by each worker.
 */
#ifndef BERTH_SUPERVISOR_CALLERS_H
#define BERTH_SUPERVISOR_CALLERS_H

#include "common/settings.h"

/* A settings_judge for "allow", "deny" and "trust-proxy"; 0 for other keys. Asks NSS, which may block. A warning for a
 * rule with words that can match nobody: a listener or a trusted proxy that is not there, the overflow ids. */
int callers_judge(const struct settings *settings, const char *key, const char *text, struct error *error);

/* A settings_rewrite for the same keys: puts numbers in the place of names, for the workers: those that come later
 * start, and mean the same users as the first, whatever became of the names. Fails as above. */
int callers_resolve(const char *key, char **text, struct error *error);

#endif
