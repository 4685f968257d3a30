#include "doctor/examination.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "doctor/parts.h"

static int absolute(const char *path, char *ret_path)
{
    char folder[PATH_MAX];

    if (path[0] == '/' || address_is_abstract(path))
        return snprintf(ret_path, PATH_MAX, "%s", path) < PATH_MAX ? 0 : -ENAMETOOLONG;
    if (!getcwd(folder, sizeof(folder)))
        return -errno;
    return snprintf(ret_path, PATH_MAX, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path) < PATH_MAX
               ? 0
               : -ENAMETOOLONG;
}

static int check_user(struct examination *examination)
{
    const struct visitor *visitor = examination->question->visitor;
    FILE *stream = examination->stream;

    if (visitor->kind == VISITOR_COMPUTED)
        report_hint(stream, "user",
                    "only root can become %s: what it may do is computed from owners and modes, not tried",
                    visitor->name);
    else if (visitor->nobody)
        report_hint(stream, "user", "%s has no entry in the user database: taken to be in no group", visitor->name);
    else if (visitor->uid == 0)
        report_hint(stream, "user", "root may do everything, a proxy's user may not: name it, such as --as www-data");
    else
        report_ok(stream, "user", "%s, uid %u", visitor->name, visitor->uid);
    return 0;
}

static int check_path(struct examination *examination)
{
    const char *path = examination->path, *given = examination->question->path;
    size_t length = strlen(path) - examination->abstract;
    FILE *stream = examination->stream;
    struct error error;

    if (length > ADDRESS_NAME_MAX) {
        report_wrong(stream, "path", "%s: %zu bytes, and the name of a socket has at most %d", path, length,
                     ADDRESS_NAME_MAX);
        return report_remedy(stream, "choose a shorter path, for the server (--uds) and for the proxy");
    }
    if (address_make(path, &examination->address, &error) < 0) {
        report_wrong(stream, "path", "%s", error.text);
        return report_remedy(stream, "give the proxy the path of the socket itself");
    }
    if (strcmp(path, given) != 0)
        report_hint(stream, "path", "%s is %s here: a proxy runs elsewhere, give it the whole path", given, path);
    report_ok(stream, "path", "%s: %zu bytes of at most %d", path, length, ADDRESS_NAME_MAX);
    return 0;
}

/* In the order of causes: each finds its own only where those before it found nothing. */
static int (*const checks[])(struct examination *examination) = { check_user,    check_path, check_tmp,
                                                                  check_folders, check_file, check_server,
                                                                  check_connect, check_http };

int examination_run(const struct question *question, FILE *stream)
{
    struct examination examination = { .question = question, .stream = stream, .contact = { .fd = -1 } };
    int r;

    examination.abstract = address_is_abstract(question->path);
    r = absolute(question->path, examination.path);
    for (size_t i = 0; r == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
        r = checks[i](&examination);
    if (r == 0)
        fprintf(stream, "\nAll is well: %s gets an answer at this socket.\n", question->visitor->name);
    contact_done(&examination.contact);
    walk_done(&examination.walk);
    return r;
}
