/* Who is behind the socket, and whether the visitor gets to it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "doctor/parts.h"

/* ---- who listens ---- */

struct wanted {
    const struct examination *examination;
    struct inspected *found;
};

static int take_wanted(const struct inspected *socket, void *data)
{
    const struct wanted *wanted = data;
    const struct examination *examination = wanted->examination;

    if (socket->connected && socket->type != SOCK_DGRAM)
        return 0;
    if (examination->abstract ? strcmp(socket->name, examination->path) != 0
                              : !inspected_is_file(socket, &examination->walk.file))
        return 0;
    *wanted->found = *socket;
    return 1;
}

/* "; queue 3, limit 128", as ss(8) shows them: it is full when there are more than the limit. */
static void text_queue(const struct examination *examination, char *ret_text)
{
    const struct inspected *socket = &examination->socket;

    if (examination->bound && socket->has_queue)
        snprintf(ret_text, TEXT_MAX, "; queue %u, limit %u", socket->queued, socket->limit);
    else
        ret_text[0] = '\0';
}

static int nobody_listens(const struct examination *examination)
{
    FILE *stream = examination->stream;

    if (examination->bound) {
        report_wrong(stream, "server", "a process has bound this socket, but does not listen on it");
        return report_remedy(stream, "wait until the server is ready, or look into its log");
    }
    if (examination->abstract) {
        report_wrong(stream, "server", "nobody listens at this abstract name in our network namespace");
        return report_remedy(stream,
                             "start the server, in the proxy's network namespace (PrivateNetwork=, containers)");
    }
    report_wrong(stream, "server", "nobody listens: the file is what a server left that was killed");
    return report_remedy(stream, "start the server again: berth serve --uds %s replaces such a file",
                         examination->path);
}

static int wrong_type(const struct examination *examination)
{
    FILE *stream = examination->stream;
    int type = examination->bound ? examination->socket.type : 0;

    if (type == SOCK_DGRAM)
        report_wrong(stream, "server", "a datagram socket: it takes single messages, such as events, and no HTTP");
    else
        report_wrong(stream, "server", "a %s socket, and HTTP needs a stream socket",
                     type == SOCK_SEQPACKET ? "seqpacket" : "datagram or seqpacket");
    return report_remedy(stream, "give the proxy the socket of --uds%s",
                         type == SOCK_DGRAM ? ", not that of --datagram" : "");
}

static int queue_full(const struct examination *examination)
{
    char queue[TEXT_MAX];

    text_queue(examination, queue);
    report_wrong(examination->stream, "server", "the queue of connections is full%s", queue);
    return report_remedy(examination->stream,
                         "the server does not accept: see whether it hangs or is stopped (its log, ps); if it is only "
                         "too slow, --workers makes it faster, and --backlog its queue longer");
}

static void somebody_listens(const struct examination *examination)
{
    const struct contact *contact = &examination->contact;
    char process[TEXT_MAX] = "a process that we do not see", user[TEXT_MAX] = "", queue[TEXT_MAX];

    if (contact->pid) {
        text_process(contact->pid, process);
        text_user(contact->uid, user);
    }
    text_queue(examination, queue);
    report_ok(examination->stream, "server", "%s%s%s listens%s", process, user[0] ? " of " : "", user, queue);
}

int check_server(struct examination *examination)
{
    struct wanted wanted = { .examination = examination, .found = &examination->socket };
    int r;

    /* Before we stand in the queue ourselves. A kernel that does not tell is not what makes a proxy fail. */
    examination->bound = inspect_each(take_wanted, &wanted) == 1;
    r = contact_make(&examination->address, examination->question->visitor, &examination->contact);
    if (r < 0)
        return r;
    switch (-examination->contact.socket) {
    case 0:
        somebody_listens(examination);
        return 0;
    case EACCES:
        return 0; /* that is for check_connect to tell */
    case ECONNREFUSED:
        return nobody_listens(examination);
    case EPROTOTYPE:
        return wrong_type(examination);
    case EAGAIN:
        return queue_full(examination);
    default:
        report_wrong(examination->stream, "server", "cannot connect: %s", strerror(-examination->contact.socket));
        return report_remedy(examination->stream, "try again, and look into the server's log");
    }
}

/* ---- may the visitor connect ---- */

/* The flags of `berth serve` that let the visitor in, and give nobody else more than they must. */
static void text_flags(const struct visitor *visitor, const struct stat *file, char *ret_text)
{
    char group[TEXT_MAX];
    bool writable = file->st_mode & S_IWGRP;

    text_group(visitor->gid, group);
    if (visitor_class(visitor, file) != VISITOR_OTHERS)
        snprintf(ret_text, TEXT_MAX, "--socket-mode 0660");
    else if (visitor->nobody)
        snprintf(ret_text, TEXT_MAX, "--socket-user %s", visitor->name);
    else
        snprintf(ret_text, TEXT_MAX, "--socket-group %.48s%s", group, writable ? "" : " --socket-mode 0660");
}

static int denied(const struct examination *examination)
{
    static const char *const classes[] = {
        [VISITOR_OWNER] = "its owner", [VISITOR_GROUP] = "its group", [VISITOR_OTHERS] = "others"
    };
    const struct visitor *visitor = examination->question->visitor;
    const struct stat *file = &examination->walk.file;
    FILE *stream = examination->stream;
    char owner[TEXT_MAX], flags[TEXT_MAX];

    text_owner(file, owner);
    if (visitor_may(visitor, file, W_OK)) {
        report_wrong(stream, "connect", "%s may not connect, though the socket's mode lets it", visitor->name);
        return report_remedy(stream,
                             "look for an ACL (getfacl %s), a symbolic link in a folder such as /tmp "
                             "(fs.protected_symlinks), or AppArmor or SELinux (dmesg)",
                             examination->path);
    }
    report_wrong(stream, "connect", "%s may not connect: the socket is of %s, and does not let %s write%s",
                 visitor->name, owner, classes[visitor_class(visitor, file)],
                 examination->contact.tried ? "" : " (computed)");
    text_flags(visitor, file, flags);
    return report_remedy(stream, "berth serve %s (of a systemd socket unit: SocketUser=, SocketGroup=, SocketMode=)",
                         flags);
}

int check_connect(struct examination *examination)
{
    const struct contact *contact = &examination->contact;
    const struct visitor *visitor = examination->question->visitor;

    if (contact->tried ? contact->as_visitor < 0
                       : !examination->abstract && !visitor_may(visitor, &examination->walk.file, W_OK))
        return denied(examination);
    report_ok(examination->stream, "connect", "%s may connect%s", visitor->name,
              contact->tried ? "" : ", by the socket's mode (computed)");
    if (contact->fd < 0) {
        report_wrong(examination->stream, "http", "we may not connect ourselves, so nobody has asked the server");
        return remedy_root(examination);
    }
    return 0;
}
