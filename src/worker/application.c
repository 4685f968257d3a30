#include "worker/application.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/server.h"

struct application {
    struct http_application http; /* what the router's routes point to */
    char *root;
    const struct berth_app *app;
    bool started;
};

struct applications {
    size_t count;
    struct application items[];
};

/* dlerror() begins with the path that was opened, which says nothing to a person. */
static const char *load_error(const char *path)
{
    const char *text = dlerror();
    size_t size = strlen(path);

    if (text && strncmp(text, path, size) == 0 && text[size] == ':')
        text += size + 1 + (text[size + 1] == ' ');
    return text ? text : "unknown reason";
}

static bool name_valid(const char *name)
{
    return name[0] != '\0' &&
           name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

/* The module is the descriptor, not a path: so a replacement loads what its siblings run, whatever lies at the path
 * now. */
static int load_module(const char *name, int fd, const struct berth_app **ret_app, struct error *error)
{
    const struct berth_app *app;
    char path[64];
    void *module;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    close(fd);
    if (!module)
        return error_set(error, -EINVAL, "%s cannot be loaded: %s", name, load_error(path));
    app = dlsym(module, "berth_app");
    if (!app)
        return error_set(error, -EINVAL, "%s is no application: it has no symbol berth_app, which BERTH_APP(…) makes",
                         name);
    if (app->abi != BERTH_ABI)
        return error_set(error, -EINVAL, "%s was compiled for ABI %u of berth.h, this is ABI %u: compile it again",
                         name, app->abi, BERTH_ABI);
    if (!app->name || !app->routes)
        return error_set(error, -EINVAL, "%s: BERTH_APP(…) needs a name and .routes", name);
    if (!name_valid(app->name))
        return error_set(error, -EINVAL, "%s: BERTH_APP(\"%s\", …): a name is made of letters, digits, '-' and '_'",
                         name, app->name);
    *ret_app = app;
    return 0;
}

static int add_routes(struct application *application, const char *mount, struct router *router, struct error *error)
{
    for (const struct berth_route *route = application->app->routes; route->method; route++) {
        int r = router_add(router, mount, route, &application->http, error);

        if (r < 0)
            return r;
    }
    return 0;
}

static int start_application(struct application *application, const struct settings *settings, size_t index,
                             int module_fd, struct router *router, struct error *error)
{
    const struct berth_settings *own = &settings->apps[index];
    int r = load_module(own->app, module_fd, &application->app, error);

    if (r < 0)
        return r;
    if (asprintf(&application->root, "%s%s", settings->root_path ? settings->root_path : "", own->mount) < 0) {
        application->root = NULL;
        return -ENOMEM;
    }
    application->http.root = application->root;
    r = add_routes(application, own->mount, router, error);
    if (r < 0)
        return r;
    if (application->app->start)
        r = application->app->start(own, &application->http.state);
    if (r != 0)
        return error_set(error, r < 0 ? r : -EINVAL, "the start hook of %s (%s) refused: %s", application->app->name,
                         own->app, r < 0 ? strerror(-r) : "it returned neither 0 nor a negative errno");
    application->started = true;
    return 0;
}

int applications_start(const struct settings *settings, int module_fd, struct router *router,
                       struct applications **ret_applications, struct error *error)
{
    struct applications *applications =
        calloc(1, sizeof(*applications) + settings->app_count * sizeof(applications->items[0]));
    int r = 0;

    if (!applications)
        return error_set(error, -ENOMEM, "no memory for the applications");
    applications->count = settings->app_count;
    for (size_t i = 0; r == 0 && i < settings->app_count; i++)
        r = start_application(&applications->items[i], settings, i, module_fd + (int)i, router, error);
    if (r < 0) {
        applications_stop(applications);
        return r;
    }
    *ret_applications = applications;
    return 0;
}

void applications_stop(struct applications *applications)
{
    if (!applications)
        return;
    for (size_t i = applications->count; i-- > 0;) {
        struct application *application = &applications->items[i];

        if (application->started && application->app->stop)
            application->app->stop(application->http.state);
        free(application->root);
    }
    free(applications);
}
