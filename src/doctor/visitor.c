#include "doctor/visitor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/account.h"

/* Whoever is in no group is in this one; nothing should belong to it. */
#define GID_OF_NOBODY ((gid_t)65534)

/* ---- who it is ---- */

static int own_groups(struct visitor *visitor)
{
    int count = getgroups(0, NULL);

    if (count < 0)
        return -errno;
    visitor->groups = calloc((size_t)count + 1, sizeof(*visitor->groups));
    if (!visitor->groups)
        return -ENOMEM;
    count = getgroups(count, visitor->groups);
    visitor->group_count = count < 0 ? 0 : (size_t)count;
    return 0;
}

static int name_number(struct visitor *visitor)
{
    return asprintf(&visitor->name, "%u", visitor->uid) < 0 ? -ENOMEM : 0;
}

static int caller_init(struct visitor *visitor)
{
    struct account account;
    char number[16];

    snprintf(number, sizeof(number), "%u", geteuid());
    visitor->kind = VISITOR_SELF;
    visitor->uid = geteuid();
    visitor->gid = getegid();
    if (account_user("", number, &account, NULL) == 0 && account.name)
        visitor->name = account.name;
    else if (name_number(visitor) < 0)
        return -ENOMEM;
    return own_groups(visitor);
}

static int other_init(struct visitor *visitor, const struct account *account)
{
    visitor->kind = VISITOR_BECOME;
    visitor->uid = account->uid;
    visitor->gid = account->gid;
    visitor->name = account->name;
    if (visitor->name)
        return account_groups(visitor->name, visitor->gid, &visitor->groups, &visitor->group_count);
    visitor->nobody = true;
    visitor->gid = GID_OF_NOBODY;
    return name_number(visitor);
}

static int do_nothing(void *data)
{
    return 0;
}

int visitor_init(struct visitor *ret_visitor, const char *text, struct error *error)
{
    struct visitor visitor = { .uid = geteuid() };
    struct account account = { 0 };
    int r = text ? account_user("--as", text, &account, error) : 0;

    if (r < 0)
        return r;
    if (!text || account.uid == geteuid()) {
        free(account.name);
        r = caller_init(&visitor);
    } else {
        r = other_init(&visitor, &account);
        if (r == 0 && visitor_try(&visitor, do_nothing, NULL) < 0)
            visitor.kind = VISITOR_COMPUTED;
    }
    if (r < 0) {
        visitor_done(&visitor);
        return error_set(error, r, "--as: cannot find the groups of %s: %s", text ? text : "the caller", strerror(-r));
    }
    *ret_visitor = visitor;
    return 0;
}

void visitor_done(struct visitor *visitor)
{
    free(visitor->name);
    free(visitor->groups);
    visitor->name = NULL;
    visitor->groups = NULL;
}

/* ---- what it may do ---- */

static bool in_group(const struct visitor *visitor, gid_t gid)
{
    for (size_t i = 0; i < visitor->group_count; i++)
        if (visitor->groups[i] == gid)
            return true;
    return visitor->gid == gid;
}

enum visitor_class visitor_class(const struct visitor *visitor, const struct stat *file)
{
    if (visitor->uid == file->st_uid)
        return VISITOR_OWNER;
    return in_group(visitor, file->st_gid) ? VISITOR_GROUP : VISITOR_OTHERS;
}

bool visitor_may(const struct visitor *visitor, const struct stat *file, unsigned int wanted)
{
    static const unsigned int shift[] = { [VISITOR_OWNER] = 6, [VISITOR_GROUP] = 3, [VISITOR_OTHERS] = 0 };

    if (visitor->uid == 0)
        return true;
    return (file->st_mode >> shift[visitor_class(visitor, file)] & wanted) == wanted;
}

/* ---- trying ---- */

static int become(const struct visitor *visitor)
{
    if (setgroups(visitor->group_count, visitor->groups) < 0 ||
        setresgid(visitor->gid, visitor->gid, visitor->gid) < 0 ||
        setresuid(visitor->uid, visitor->uid, visitor->uid) < 0)
        return -errno;
    return 0;
}

static void attempt_in_child(const struct visitor *visitor, int (*attempt)(void *data), void *data, int channel)
{
    int r = become(visitor);

    if (r == 0)
        r = attempt(data);
    _exit(write(channel, &r, sizeof(r)) == sizeof(r) ? 0 : 1);
}

static int result_read(int channel)
{
    struct pollfd ready = { .fd = channel, .events = POLLIN };
    int result, r;

    do
        r = poll(&ready, 1, VISITOR_PATIENCE_MS);
    while (r < 0 && errno == EINTR);
    if (r <= 0)
        return r < 0 ? -errno : -ETIME;
    return read(channel, &result, sizeof(result)) == sizeof(result) ? result : -EPROTO;
}

int visitor_try(const struct visitor *visitor, int (*attempt)(void *data), void *data)
{
    int channel[2], r;
    pid_t pid;

    if (visitor->kind == VISITOR_SELF)
        return attempt(data);
    if (pipe2(channel, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        attempt_in_child(visitor, attempt, data, channel[1]);
    r = pid < 0 ? -errno : 0;
    close(channel[1]);
    if (pid > 0) {
        r = result_read(channel[0]);
        kill(pid, SIGKILL); /* it has ended, or is to */
        waitpid(pid, NULL, 0);
    }
    close(channel[0]);
    return r;
}
