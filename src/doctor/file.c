/* What is at the path. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/suggestion.h"
#include "doctor/parts.h"

/* A folder with more is not searched to its end. */
enum { ENTRIES_MAX = 10000 };

/* ---- nothing ---- */

struct neighbour {
    char similar[NAME_MAX + 1]; /* the socket whose name is nearest; "" for none */
    char any[NAME_MAX + 1];     /* one of the sockets */
    size_t sockets;
};

static bool is_socket(int folder, const struct dirent *entry)
{
    struct stat file;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_SOCK;
    return fstatat(folder, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(file.st_mode);
}

/* What else is in the folder of `path`. */
static void neighbour_find(const char *folder, const char *name, struct neighbour *ret_neighbour)
{
    struct suggestion suggestion = SUGGESTION(name);
    struct dirent *entry;
    DIR *entries = opendir(folder);

    *ret_neighbour = (struct neighbour){ 0 };
    for (size_t i = 0; entries && i < ENTRIES_MAX && (entry = readdir(entries)); i++) {
        if (!is_socket(dirfd(entries), entry))
            continue;
        ret_neighbour->sockets++;
        snprintf(ret_neighbour->any, sizeof(ret_neighbour->any), "%s", entry->d_name);
        suggestion_consider(&suggestion, entry->d_name);
        if (suggestion.best == entry->d_name) {
            snprintf(ret_neighbour->similar, sizeof(ret_neighbour->similar), "%s", entry->d_name);
            suggestion.best = ret_neighbour->similar; /* the entry does not stay */
        }
    }
    if (entries)
        closedir(entries);
}

static int take_name(const struct inspected *socket, void *data)
{
    return socket->listening && strcmp(socket->name, data) == 0;
}

static int nothing_there(struct examination *examination)
{
    const struct walk *walk = &examination->walk;
    const char *folder = walk->folders[walk->folder_count - 1], *slash = folder[1] ? "/" : "";
    FILE *stream = examination->stream;
    struct neighbour neighbour;
    struct stat link;

    if (inspect_each(take_name, examination->path) == 1) {
        report_wrong(stream, "file", "there is no %s, but somebody listens on a socket that was made under this name",
                     walk->end);
        return report_remedy(stream, "restart that server: somebody removed its socket, or it sees another folder "
                                     "than we do (PrivateTmp=yes, a container); ss -xlp shows which it is");
    }
    neighbour_find(folder, strrchr(walk->end, '/') + 1, &neighbour);
    report_wrong(stream, "file", "there is no %s", walk->end);
    if (lstat(examination->path, &link) == 0 && S_ISLNK(link.st_mode))
        return report_remedy(
            stream, "start the server: berth serve --uds %s; it does not follow the link and would not take %s",
            walk->end, examination->path);
    if (neighbour.similar[0])
        return report_remedy(stream,
                             "there is a socket %s%s%s: give the proxy that one if it is meant, else start the server: "
                             "berth serve --uds %s",
                             folder, slash, neighbour.similar, examination->path);
    if (neighbour.sockets == 1)
        return report_remedy(stream,
                             "the only socket in that folder is %s%s%s: give the proxy that one if it is meant, else "
                             "start the server: berth serve --uds %s",
                             folder, slash, neighbour.any, examination->path);
    return report_remedy(stream, "start the server: berth serve --uds %s", examination->path);
}

/* ---- something ---- */

static const char *kind(mode_t mode)
{
    if (S_ISREG(mode))
        return "a plain file";
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a FIFO";
    return "a device";
}

int check_file(struct examination *examination)
{
    const struct walk *walk = &examination->walk;
    FILE *stream = examination->stream;
    char owner[TEXT_MAX];

    if (examination->abstract)
        return 0;
    if (walk->error == -ENOENT)
        return nothing_there(examination);
    if (walk->error < 0) {
        report_wrong(stream, "file", "%s: cannot look at it: %s", walk->end, strerror(-walk->error));
        return remedy_root(examination);
    }
    text_owner(&walk->file, owner);
    if (!S_ISSOCK(walk->file.st_mode)) {
        report_wrong(stream, "file", "%s is %s of %s, not a socket", walk->end, kind(walk->file.st_mode), owner);
        return report_remedy(stream, "give the proxy the path that the server was given (--uds); if it is this one, "
                                     "move away what is there and start the server: berth leaves it alone");
    }
    report_ok(stream, "file", "a socket of %s", owner);
    return 0;
}
