/*
 * A connection to the socket, as the visitor makes it.
 */
#ifndef BERTH_DOCTOR_CONTACT_H
#define BERTH_DOCTOR_CONTACT_H

#include <stdbool.h>
#include <sys/types.h>

#include "doctor/visitor.h"
#include "socket/address.h"

struct contact {
    int fd;         /* the connection, with O_NONBLOCK; -1: none came about */
    bool tried;     /* as the visitor; else as the caller */
    int as_visitor; /* where it was tried: 0, or what connect(2) said */
    int socket;     /* 0, or what the socket itself says: to the caller where it denies the visitor */
    pid_t pid;      /* of who called listen(2); 0: unknown */
    uid_t uid;
};

/* Does not wait. -errno where there cannot even be a socket, or no child. */
int contact_make(const struct address *address, const struct visitor *visitor, struct contact *ret_contact);
void contact_done(struct contact *contact);

#endif
