#include "common/packets.h"

#include <check.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS_MAX = 8 };

void ends_open(int ret_ends[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends), 0);
}

void ends_close(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

void raw_send(int socket, const void *bytes, size_t size, size_t fd_count)
{
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } buffer = { .bytes = { 0 } };
    struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    int fds[FDS_MAX];

    ck_assert_uint_le(fd_count, FDS_MAX);
    for (size_t i = 0; i < fd_count; i++)
        fds[i] = STDERR_FILENO;
    if (fd_count > 0) {
        struct cmsghdr *control;

        header.msg_control = buffer.bytes;
        header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(control), fds, fd_count * sizeof(int));
    }
    ck_assert_int_eq(sendmsg(socket, &header, MSG_NOSIGNAL), (ssize_t)size);
}
