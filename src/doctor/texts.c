#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "doctor/parts.h"

void text_user(uid_t uid, char *ret_text)
{
    const struct passwd *user = getpwuid(uid);

    if (user)
        snprintf(ret_text, TEXT_MAX, "%s", user->pw_name);
    else
        snprintf(ret_text, TEXT_MAX, "%u", uid);
}

void text_group(gid_t gid, char *ret_text)
{
    const struct group *group = getgrgid(gid);

    if (group)
        snprintf(ret_text, TEXT_MAX, "%s", group->gr_name);
    else
        snprintf(ret_text, TEXT_MAX, "%u", gid);
}

void text_owner(const struct stat *file, char *ret_text)
{
    char user[TEXT_MAX], group[TEXT_MAX];

    text_user(file->st_uid, user);
    text_group(file->st_gid, group);
    snprintf(ret_text, TEXT_MAX, "%.32s:%.32s, mode %04o", user, group, (unsigned int)(file->st_mode & 07777));
}

void text_process(pid_t pid, char *ret_text)
{
    char path[32], name[32] = "";
    ssize_t size = -1;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        size = read(fd, name, sizeof(name) - 1);
        close(fd);
    }
    if (size > 0) {
        name[size] = '\0';
        name[strcspn(name, "\n")] = '\0';
        snprintf(ret_text, TEXT_MAX, "%s (pid %d)", name, (int)pid);
    } else {
        snprintf(ret_text, TEXT_MAX, "pid %d", (int)pid);
    }
}
