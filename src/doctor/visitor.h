/*
 * The user in whose place we look: a proxy's, say. As root we become that user in a child and really try; who is not
 * root can only be itself, and computes from owners and modes what another might do.
 */
#ifndef BERTH_DOCTOR_VISITOR_H
#define BERTH_DOCTOR_VISITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/error.h"

enum visitor_kind {
    VISITOR_SELF,     /* the caller */
    VISITOR_BECOME,   /* another, whom the caller may become */
    VISITOR_COMPUTED, /* another, whom it may not become */
};

struct visitor {
    enum visitor_kind kind;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* as the databases say; the caller's own as they are */
    size_t group_count;
    char *name;  /* the number for one without a name */
    bool nobody; /* in no database: without groups */
};

/* `text` is a name or a number, or NULL for the caller. Messages begin with "--as: ". -EINVAL, -ENOMEM, or what the
 * databases say. */
int visitor_init(struct visitor *ret_visitor, const char *text, struct error *error);
void visitor_done(struct visitor *visitor);

/* Which of a file's permissions are the visitor's, and whether they have all of `wanted`, bits as of access(2). root
 * has every one that anybody has. Lists beyond the mode (acl(5)) are not looked at. */
enum visitor_class { VISITOR_OWNER, VISITOR_GROUP, VISITOR_OTHERS };
enum visitor_class visitor_class(const struct visitor *visitor, const struct stat *file);
bool visitor_may(const struct visitor *visitor, const struct stat *file, unsigned int wanted);

/*
 * Runs attempt(data) as the visitor, who is not VISITOR_COMPUTED: what it returns, from -4095 up. Another one is a
 * child, so only what is shared by fork(2) has changed afterwards. -ETIME when it takes longer than
 * VISITOR_PATIENCE_MS, -EPROTO when the child ends without a word; what fork(2) and setresuid(2) say.
 */
enum { VISITOR_PATIENCE_MS = 1000 };
int visitor_try(const struct visitor *visitor, int (*attempt)(void *data), void *data);

#endif
