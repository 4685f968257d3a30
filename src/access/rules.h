/*
 * The rules of one application: who may ask for what, in the order in which they were written; the first that matches
 * decides. An application with any rule refuses what none of them matches.
 *
 *     allow = METHODS PATH WHO …       allow = GET,POST /notes group:operators user:alice
 *     deny = METHODS PATH WHO …        deny = DELETE * any
 *
 * METHODS  methods with commas between them, in capitals, or * for all. GET stands for HEAD as well, as it does in a
 *          route.
 * PATH     below the application's mount, written as the path of a route is (berth.h): /notes, /notes/{id}, or with a *
 *          as its last segment; it matches what the router finds for a route of that text. Or * alone, for all.
 * WHO      any of these, and one that fits is enough:
 *            any             everybody who can connect, through a proxy as well
 *            self            the server's own user, and root
 *            user:NAME uid:N group:NAME gid:N
 *            listener:NAME   whoever came by that listener: [listen NAME], or an activated one of that name
 *            proxied         whoever came through a trusted proxy (--trust-proxy); proxied:USER: through that user's
 *
 * The credentials are those of whoever connected, as they were then. What came through a trusted proxy is nobody's
 * user, group or self: only any, listener and proxied match it. The overflow ids (65534, user_namespaces(7)) are no
 * user's and no group's.
 */
#ifndef BERTH_ACCESS_RULES_H
#define BERTH_ACCESS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <berth.h>
#include "common/error.h"
#include "common/text_list.h"
#include "http/target.h"

/* Of one application; and of one rule's terms. */
#define RULES_MAX      256
#define RULE_TERMS_MAX 64

struct rules;

/* Checks one rule as it is written, "allow GET /x any", without asking for names. -EINVAL with a message that names the
 * piece that is wrong and what would be right; -ENOMEM. */
int rule_check(const char *text, struct error *error);

/* The rules of the application at a mount ("" or "/x"), from texts that rule_check takes; the names are resolved now,
 * through NSS, which may block. An empty list gives NULL. -EINVAL for a name that nobody has, -E2BIG past RULES_MAX,
 * -ENOMEM, or what the database says when it cannot be asked; the message begins with the rule, "allow = GET /x any: ".
 */
int rules_new(const char *mount, const struct text_list *texts, struct rules **ret_rules, struct error *error);
void rules_free(struct rules *rules); /* NULL is allowed */

enum rule_who {
    RULE_ANY,
    RULE_SELF,
    RULE_USER,
    RULE_UID,
    RULE_GROUP,
    RULE_GID,
    RULE_LISTENER,
    RULE_PROXIED,      /* through any proxy that is trusted */
    RULE_PROXIED_USER, /* through that user's */
};

/* One of WHO. */
struct rule_term {
    enum rule_who who;
    const char *word; /* as it is written: "user:alice" */
    const char *name; /* what is behind its colon; "" for nothing */
    id_t id;          /* the number of that user or group */
};

/* Calls `look` for each of WHO, rule by rule, until it returns something else than 0, which is returned then; 0 at the
 * end. NULL rules have none. */
int rules_each_term(const struct rules *rules, int (*look)(const struct rule_term *term, void *data), void *data);

/* Who asks: for the rules a peer, and the name of the listener by which it came ("": none). */
struct caller {
    const struct berth_peer *peer;
    const char *listener;
    const uid_t *self; /* for who asks on another server's behalf: whom that runs as. NULL: as this process */
};

/* Whether it is what "self" means. */
bool rules_caller_is_self(const struct caller *caller);

/* Whether they allow it. *ret_index, where it is not NULL, is the deciding rule's place in the list, or the list's
 * length where none matched. Allocates nothing and asks nobody. NULL rules allow everything. */
bool rules_allow(const struct rules *rules, const struct caller *caller, const char *method,
                 const struct target *target, size_t *ret_index);

#endif
