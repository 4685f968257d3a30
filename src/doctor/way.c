/* The folders on the way to the socket, and whether everybody means the same by their names. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "doctor/parts.h"
#include "doctor/private_tmp.h"

/* ---- another /tmp ---- */

static int tmp_missing(const struct examination *examination, const char *folder, const struct private_tmp *found)
{
    char process[TEXT_MAX];

    text_process(found->pid, process);
    report_wrong(examination->stream, "tmp", "%s of %s sees another %s, where this path is no socket (PrivateTmp=yes)",
                 process, examination->question->visitor->name, folder);
    return report_remedy(examination->stream,
                         "let the server make its socket below /run, which all services see alike, or say "
                         "PrivateTmp=no in the unit of %s (systemctl edit), and restart it",
                         process);
}

int check_tmp(struct examination *examination)
{
    const char *folder = private_tmp_folder(examination->path);
    const struct visitor *visitor = examination->question->visitor;
    struct private_tmp found = { 0 };
    char process[TEXT_MAX];

    if (!folder)
        return 0;
    if (visitor->kind != VISITOR_SELF)
        private_tmp_look(visitor->uid, folder, examination->path, &found);
    /* Where some see ours, one of them may be the proxy. */
    if (found.pid && found.same == 0)
        return tmp_missing(examination, folder, &found);
    if (found.other > 0) {
        text_process(found.pid ? found.pid : found.pid_with, process);
        report_hint(examination->stream, "tmp", "%s of %s sees another %s: what follows is true of ours", process,
                    visitor->name, folder);
    } else {
        report_hint(examination->stream, "tmp",
                    "a service with PrivateTmp=yes sees another %s than we do; /run is the same for all", folder);
    }
    return 0;
}

/* ---- folders ---- */

/* The number of the first folder that may not be passed; their number where all may. */
static int first_closed(void *data)
{
    const struct walk *walk = data;
    size_t i;

    for (i = 0; i < walk->folder_count; i++)
        if (access(walk->folders[i], X_OK) < 0)
            break;
    return (int)i;
}

static int first_closed_by_mode(const struct visitor *visitor, const struct walk *walk)
{
    struct stat folder;
    size_t i;

    for (i = 0; i < walk->folder_count; i++)
        if (stat(walk->folders[i], &folder) < 0 || !visitor_may(visitor, &folder, X_OK))
            break;
    return (int)i;
}

static int folder_closed(const struct examination *examination, const char *folder)
{
    static const char who[] = { [VISITOR_OWNER] = 'u', [VISITOR_GROUP] = 'g', [VISITOR_OTHERS] = 'o' };
    const struct visitor *visitor = examination->question->visitor;
    char owner[TEXT_MAX];
    struct stat file;

    if (stat(folder, &file) < 0)
        return -errno;
    text_owner(&file, owner);
    report_wrong(examination->stream, "folders", "%s may not pass %s, a folder of %s", visitor->name, folder, owner);
    if (visitor_may(visitor, &file, X_OK))
        return report_remedy(examination->stream,
                             "the mode would let it pass: an ACL (getfacl %s) or AppArmor or SELinux does not", folder);
    return report_remedy(examination->stream,
                         "chmod %c+x %s, or for %s alone: setfacl -m u:%s:x %s; or let the server make its socket "
                         "below /run",
                         who[visitor_class(visitor, &file)], folder, visitor->name, visitor->name, folder);
}

int remedy_root(const struct examination *examination)
{
    return report_remedy(examination->stream, "ask again as root: sudo berth doctor --as %s %s",
                         examination->question->visitor->name, examination->path);
}

/* The way ended before its last part. */
static int way_ended(const struct examination *examination)
{
    const struct walk *walk = &examination->walk;
    FILE *stream = examination->stream;

    if (walk->error == -ENOENT) {
        report_wrong(stream, "folders", "there is no folder %s", walk->end);
        return report_remedy(stream,
                             "give the proxy the path that the server was given (--uds); if it is this one: "
                             "mkdir -p %s, or RuntimeDirectory= in the server's unit",
                             walk->end);
    }
    if (walk->error == -ENOTDIR) {
        report_wrong(stream, "folders", "%s is not a folder", walk->end);
        return report_remedy(stream, "give the proxy the path that the server was given (--uds)");
    }
    if (walk->error == -ELOOP) {
        report_wrong(stream, "folders", "%s: too many symbolic links", walk->end);
        return report_remedy(stream, "give the proxy a path without links that lead to each other");
    }
    report_wrong(stream, "folders", "%s: cannot look at it: %s", walk->end, strerror(-walk->error));
    return remedy_root(examination);
}

int check_folders(struct examination *examination)
{
    const struct visitor *visitor = examination->question->visitor;
    struct walk *walk = &examination->walk;
    int r;

    if (examination->abstract)
        return 0;
    r = walk_init(walk, examination->path);
    if (r < 0)
        return r;
    for (size_t i = 0; i < walk->link_count; i++)
        report_hint(examination->stream, "link", "%s is a symbolic link to %s", walk->links[i].from, walk->links[i].to);
    r = visitor->kind == VISITOR_COMPUTED ? first_closed_by_mode(visitor, walk)
                                          : visitor_try(visitor, first_closed, walk);
    if (r < 0)
        return r;
    if ((size_t)r < walk->folder_count)
        return folder_closed(examination, walk->folders[r]);
    if (walk->error < 0 && !walk->arrived)
        return way_ended(examination);
    report_ok(examination->stream, "folders", "%s may pass each up to %s", visitor->name,
              walk->folders[walk->folder_count - 1]);
    return 0;
}
