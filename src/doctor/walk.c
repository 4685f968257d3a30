#include "doctor/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is still to go. */
struct rest {
    char text[PATH_MAX];
};

static int push_folder(struct walk *walk, const char *folder)
{
    if (walk->folder_count == WALK_FOLDERS_MAX) {
        walk->error = -ELOOP;
        return 0;
    }
    walk->folders[walk->folder_count] = strdup(folder);
    return walk->folders[walk->folder_count++] ? 0 : -ENOMEM;
}

/* The next part, cut off the rest; "" at its end. */
static void next_part(struct rest *rest, char *ret_part, size_t room)
{
    const char *begin = rest->text + strspn(rest->text, "/");
    size_t length = strcspn(begin, "/");

    snprintf(ret_part, room, "%.*s", (int)length, begin);
    begin += length + strspn(begin + length, "/");
    memmove(rest->text, begin, strlen(begin) + 1);
}

/* A link's text takes the place of its name. `folder` is where it stands, and where a relative one begins. */
static int follow(struct walk *walk, struct rest *rest, char *folder)
{
    char target[PATH_MAX], text[PATH_MAX];
    ssize_t size = readlink(walk->end, target, sizeof(target) - 1);

    if (size < 0 || walk->link_count == WALK_LINKS_MAX) {
        walk->error = size < 0 ? -errno : -ELOOP;
        return 0;
    }
    target[size] = '\0';
    walk->links[walk->link_count].from = strdup(walk->end);
    walk->links[walk->link_count].to = strdup(target);
    walk->link_count++;
    if (!walk->links[walk->link_count - 1].from || !walk->links[walk->link_count - 1].to)
        return -ENOMEM;
    if (snprintf(text, sizeof(text), "%s%s%s", target, rest->text[0] ? "/" : "", rest->text) >= (int)sizeof(text))
        return -ENAMETOOLONG;
    memcpy(rest->text, text, sizeof(text));
    if (target[0] == '/')
        folder[0] = '\0';
    return 0;
}

static void go_up(char *folder)
{
    char *slash = strrchr(folder, '/');

    if (slash)
        *slash = '\0';
}

/* One part of the way. `folder` is where we are, "" for the root. 1 at the end. */
static int step(struct walk *walk, struct rest *rest, char *folder)
{
    char part[NAME_MAX + 2];

    next_part(rest, part, sizeof(part));
    if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0 || part[0] == '\0') {
        if (part[0] == '.' && part[1] == '.')
            go_up(folder);
        if (rest->text[0])
            return 0;
        /* It ends in a folder. */
        snprintf(walk->end, sizeof(walk->end), "%s", folder[0] ? folder : "/");
        walk->arrived = true;
        walk->error = lstat(walk->end, &walk->file) < 0 ? -errno : 0;
        return 1;
    }
    if (snprintf(walk->end, sizeof(walk->end), "%s/%s", folder, part) >= (int)sizeof(walk->end))
        return -ENAMETOOLONG;
    walk->arrived = rest->text[0] == '\0';
    if (lstat(walk->end, &walk->file) < 0) {
        walk->error = -errno;
        return 1;
    }
    if (S_ISLNK(walk->file.st_mode))
        return follow(walk, rest, folder);
    if (walk->arrived)
        return 1;
    if (!S_ISDIR(walk->file.st_mode)) {
        walk->error = -ENOTDIR;
        return 1;
    }
    memcpy(folder, walk->end, strlen(walk->end) + 1);
    return push_folder(walk, folder);
}

int walk_init(struct walk *ret_walk, const char *path)
{
    struct rest rest;
    char folder[PATH_MAX] = "";
    int r;

    *ret_walk = (struct walk){ 0 };
    if (snprintf(rest.text, sizeof(rest.text), "%s", path) >= (int)sizeof(rest.text))
        return -ENAMETOOLONG;
    r = push_folder(ret_walk, "/");
    while (r == 0 && ret_walk->error == 0)
        r = step(ret_walk, &rest, folder);
    if (r < 0)
        walk_done(ret_walk);
    return r < 0 ? r : 0;
}

void walk_done(struct walk *walk)
{
    for (size_t i = 0; i < walk->folder_count; i++)
        free(walk->folders[i]);
    for (size_t i = 0; i < walk->link_count; i++) {
        free(walk->links[i].from);
        free(walk->links[i].to);
    }
    walk->folder_count = 0;
    walk->link_count = 0;
}
