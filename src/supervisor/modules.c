#include "supervisor/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/apps.h"
#include "common/bytes.h"
#include "common/contract.h"
#include "common/log.h"
#include "common/suggestion.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* The built-in one that was perhaps meant, which may be the right one with too little or too much behind it. */
static const struct builtin *builtin_near(const char *app)
{
    char word[64];
    struct suggestion suggestion = SUGGESTION(word);
    const struct builtin *builtin, *best = NULL;

    snprintf(word, sizeof(word), "%.*s", (int)strcspn(app, ":"), app);
    for (size_t i = 0; (builtin = builtin_at(i)); i++) {
        const char *before = suggestion.best;

        suggestion_consider(&suggestion, builtin->name);
        if (suggestion.best != before)
            best = builtin;
    }
    return best;
}

static int check_kind(const char *app, struct error *error)
{
    struct error hint = { "" };
    const struct builtin *near;
    const char *argument;

    if (ends_in(app, ".so") || ends_in(app, ".c") || builtin_find(app, &argument))
        return 0;
    near = builtin_near(app);
    if (near)
        error_set(&hint, 0, "; did you mean %s%s%s?", near->name, near->argument ? ":" : "",
                  near->argument ? near->argument : "");
    return error_set(error, -EINVAL,
                     "\"%s\" is no application: expected a module (./module.so), a C source (source.c), or "
                     "a built-in one (%s)%s",
                     app, builtin_names(), hint.text);
}

int modules_check(const struct settings *settings, struct error *error)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < settings->app_count; i++)
        r = check_kind(settings->apps[i].app, error);
    return r;
}

static int open_file(const char *path, int *ret_fd, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;

    if (fd < 0)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return error_set(error, -ENOEXEC, "%s: not a regular file", path);
    }
    *ret_fd = fd;
    return 0;
}

int modules_examine(const char *app, struct error *error)
{
    const char *argument = NULL;
    unsigned char magic[4] = { 0 };
    int fd, r = check_kind(app, error);

    if (r < 0 || builtin_find(app, &argument))
        return r;
    r = open_file(app, &fd, error);
    if (r < 0)
        return r;
    if (ends_in(app, ".so") && (read(fd, magic, sizeof(magic)) != sizeof(magic) || memcmp(magic, "\177ELF", 4) != 0))
        r = error_set(error, -ENOEXEC, "%s: not a shared object; expected what \"cc -shared -fPIC\" makes", app);
    close(fd);
    return r;
}

/* Where the object goes. Kernels before 6.3 do not know the flag that says that it is to be executed. */
static int make_memfd(const char *path)
{
    const char *slash = strrchr(path, '/');
    char name[128];
    int fd;

    strncpy(name, slash ? slash + 1 : path, sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? -errno : fd;
}

/* What comes after must not change it: it is what every worker of the generation runs. */
static int seal(const struct module *module, struct error *error)
{
    int r = fcntl(module->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);

    return r < 0 ? error_set(error, -errno, "%s: cannot seal: %s", module->path, strerror(errno)) : 0;
}

static int copy(int from, int to)
{
    char buffer[65536];
    ssize_t size = 1;
    int r = 0;

    while (r == 0 && size > 0) {
        size = read(from, buffer, sizeof(buffer));
        r = size < 0 ? -errno : output_write(to, buffer, (size_t)size);
    }
    return r;
}

/* A copy: what is written into the file later would change under the workers that have it mapped. */
static int take_file(struct module *module, struct error *error)
{
    int file, r = open_file(module->path, &file, error);

    if (r < 0)
        return r;
    module->fd = make_memfd(module->path);
    r = module->fd < 0 ? module->fd : copy(file, module->fd);
    close(file);
    if (r < 0)
        return error_set(error, r, "%s: cannot be copied into memory: %s", module->path, strerror(-r));
    return seal(module, error);
}

static int start_compiler(struct module *module, const struct program *program, const struct identity *identity,
                          struct error *error)
{
    char name[] = "berth", subcommand[] = "compile";
    char *argv[] = { name, subcommand, module->path, NULL };
    struct child_spec spec = {
        .program = program, .argv = argv, .fd_count = 1, .identity = identity, .death_signal = SIGTERM
    };
    int fd, r;

    r = open_file(module->path, &fd, error); /* a missing source deserves a better line than the compiler's */
    if (r < 0)
        return r;
    close(fd);
    fd = make_memfd(module->path);
    if (fd < 0)
        return error_set(error, fd, "%s: no memory file to compile into: %s", module->path, strerror(-fd));
    module->fd = fd;
    spec.fds = &module->fd;
    r = child_spawn(&spec, &module->compiler);
    if (r < 0)
        return error_set(error, r, "%s: cannot start the compiler: %s", module->path, strerror(-r));
    log_debug("%s: compiling (pid %d)", module->path, (int)module->compiler);
    return 0;
}

int modules_open(struct modules *ret_modules, const struct settings *settings, const struct program *program,
                 const struct identity *identity, struct error *error)
{
    struct modules modules = { .items = calloc(settings->app_count + 1, sizeof(*modules.items)) };
    int r = modules.items ? 0 : error_set(error, -ENOMEM, "out of memory");

    for (size_t i = 0; r == 0 && i < settings->app_count; i++) {
        struct module *module = &modules.items[modules.count];
        const char *app = settings->apps[i].app, *argument;

        if (builtin_find(app, &argument))
            continue;
        modules.count++;
        module->fd = -1;
        module->path = strdup(app);
        if (!module->path)
            r = error_set(error, -ENOMEM, "out of memory");
        else if (ends_in(module->path, ".so"))
            r = take_file(module, error);
        else
            r = start_compiler(module, program, identity, error);
    }
    if (r == 0) {
        *ret_modules = modules;
        return 0;
    }
    /* Reaped as strangers. */
    modules_kill(&modules, SIGTERM);
    modules_done(&modules);
    return r;
}

int modules_reaped(struct modules *modules, pid_t pid, int status, struct error *error)
{
    for (size_t i = 0; i < modules->count; i++) {
        struct module *module = &modules->items[i];

        if (module->compiler != pid)
            continue;
        module->compiler = 0;
        if (status == 0)
            return seal(module, error) < 0 ? -ENOEXEC : 1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_APPLICATION) /* it has told */
            return error_set(error, -ENOEXEC, "%s was not compiled: see above", module->path);
        return error_set(error, -ENOEXEC, "%s was not compiled: what was to compile it %s", module->path,
                         child_fate(status));
    }
    return 0;
}

bool modules_compiling(const struct modules *modules)
{
    for (size_t i = 0; i < modules->count; i++)
        if (modules->items[i].compiler != 0)
            return true;
    return false;
}

void modules_kill(struct modules *modules, int signal_number)
{
    for (size_t i = 0; i < modules->count; i++)
        if (modules->items[i].compiler != 0)
            kill(modules->items[i].compiler, signal_number);
}

void modules_done(struct modules *modules)
{
    for (size_t i = 0; i < modules->count; i++) {
        if (modules->items[i].fd >= 0)
            close(modules->items[i].fd);
        free(modules->items[i].path);
    }
    free(modules->items);
    memset(modules, 0, sizeof(*modules));
}
