#include "doctor/contact.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct call {
    int fd;
    const struct address *address;
};

/* In a child of the visitor's, it connects the parent's socket too: the kernel takes the credentials of who calls. */
static int call_make(void *data)
{
    const struct call *call = data;

    return connect(call->fd, (const struct sockaddr *)&call->address->un, call->address->size) < 0 ? -errno : 0;
}

/* Makes a connection: 0, or what connect(2) says. -EBADF where there is no socket to do it with. */
static int call_as(const struct visitor *visitor, const struct address *address, int *ret_fd)
{
    struct call call = { .fd = address_socket(SOCK_STREAM), .address = address };
    int r;

    if (call.fd < 0)
        return -EBADF;
    r = visitor ? visitor_try(visitor, call_make, &call) : call_make(&call);
    if (r == 0)
        *ret_fd = call.fd;
    else
        close(call.fd);
    return r;
}

static void server_read(struct contact *contact, int fd)
{
    struct ucred credentials = { 0 };
    socklen_t size = sizeof(credentials);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return;
    contact->pid = credentials.pid;
    contact->uid = credentials.uid;
}

int contact_make(const struct address *address, const struct visitor *visitor, struct contact *ret_contact)
{
    struct contact contact = { .fd = -1, .tried = visitor->kind != VISITOR_COMPUTED, .socket = -EACCES };

    if (contact.tried) {
        contact.as_visitor = call_as(visitor, address, &contact.fd);
        contact.socket = contact.as_visitor;
    }
    if (contact.socket == -EACCES && visitor->kind != VISITOR_SELF)
        contact.socket = call_as(NULL, address, &contact.fd);
    if (contact.socket == -EBADF)
        return -EBADF;
    if (contact.fd >= 0)
        server_read(&contact, contact.fd);
    *ret_contact = contact;
    return 0;
}

void contact_done(struct contact *contact)
{
    if (contact->fd >= 0)
        close(contact->fd);
    contact->fd = -1;
}
