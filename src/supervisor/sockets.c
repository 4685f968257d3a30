#include "supervisor/sockets.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/contract.h"
#include "common/log.h"
#include "common/number.h"

/* LISTEN_FDNAMES' name for datagrams that are events. */
#define EVENTS_NAME "events"

static int add(struct sockets *sockets, const char *name, const char *address, int fd, bool datagram,
               struct listener *listener)
{
    struct server_socket *grown = reallocarray(sockets->items, sockets->count + 1, sizeof(*grown));
    struct server_socket *item;

    if (!grown)
        return -ENOMEM;
    sockets->items = grown;
    item = &grown[sockets->count];
    *item = (struct server_socket){ .fd = fd, .datagram = datagram, .listener = listener };
    item->state = listener ? SOCKET_FRESH : SOCKET_KEPT;
    item->name = strdup(name);
    item->address = strdup(address);
    if (!item->name || !item->address) {
        free(item->name);
        free(item->address);
        return -ENOMEM;
    }
    sockets->count++;
    return 0;
}

static void free_item(struct server_socket *item)
{
    listener_free(item->listener);
    free(item->name);
    free(item->address);
}

/* Frees the items of one state; the others become what stays. */
static void sweep(struct sockets *sockets, enum server_socket_state state)
{
    size_t kept = 0;

    for (size_t i = 0; i < sockets->count; i++) {
        if (sockets->items[i].state == state) {
            free_item(&sockets->items[i]);
            continue;
        }
        sockets->items[kept] = sockets->items[i];
        sockets->items[kept++].state = SOCKET_KEPT;
    }
    sockets->count = kept;
}

/* Credentials come from now on; with PassCredentials= of systemd.socket(5), from the first datagram on. */
static int add_handed_events(struct sockets *sockets, const char *name, const struct handed *handed)
{
    int yes = 1;

    if (setsockopt(handed->fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0)
        return -errno;
    return add(sockets, name, handed->address, handed->fd, true, NULL);
}

static int add_handed(struct sockets *sockets, const struct handed *handed)
{
    char name[32];

    snprintf(name, sizeof(name), "fd %d", handed->fd);
    switch (handed->kind) {
    case HANDED_LISTENER:
        return add(sockets, name, handed->address, handed->fd, false, NULL);
    case HANDED_DATAGRAM:
        if (strcmp(handed->name, EVENTS_NAME) == 0)
            return add_handed_events(sockets, name, handed);
        log_info("%s: a datagram socket, kept for the application named \"%s\"", name, handed->name);
        return 0;
    case HANDED_STORED:
        log_info("%s: stored by the service manager, kept for who stored it as \"%s\"", name, handed->name);
        return 0;
    }
    return 0;
}

int sockets_take_activation(struct sockets *sockets, struct error *error)
{
    int r = activation_take(&sockets->handed, &sockets->handed_count, error);

    for (size_t i = 0; r == 0 && i < sockets->handed_count; i++) {
        r = add_handed(sockets, &sockets->handed[i]);
        if (r < 0)
            error_set(error, r, "fd %d: %s", sockets->handed[i].fd, strerror(-r));
    }
    return r;
}

bool sockets_have_handed_events(const struct sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i].datagram && !sockets->items[i].listener)
            return true;
    return false;
}

int sockets_stored(const struct sockets *sockets, const char *name)
{
    for (size_t i = 0; i < sockets->handed_count; i++)
        if (sockets->handed[i].kind == HANDED_STORED && strcmp(sockets->handed[i].name, name) == 0)
            return sockets->handed[i].fd;
    return -1;
}

/* What else was handed over is none that could be served: examining it says so. */
static bool is_taken(const struct sockets *sockets, int fd)
{
    for (size_t i = 0; i < sockets->handed_count; i++)
        if (sockets->handed[i].fd == fd && sockets->handed[i].kind == HANDED_LISTENER)
            return true;
    for (size_t i = 0; i < sockets->numbered_count; i++)
        if (sockets->numbered[i].fd == fd)
            return true;
    return false;
}

int sockets_take_numbers(struct sockets *sockets, const struct settings *settings, struct error *error)
{
    size_t count = settings->fds.count;
    int r = 0;

    sockets->numbered = calloc(count + 1, sizeof(*sockets->numbered));
    if (!sockets->numbered)
        return error_set(error, -ENOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < count; i++) {
        uint64_t fd;

        r = number_parse(settings->fds.items[i], 0, INT_MAX, &fd, error);
        if (r < 0 || is_taken(sockets, (int)fd))
            continue; /* `--fd 3` beside LISTEN_FDS: the same one, said twice */
        r = activation_examine((int)fd, "", &sockets->numbered[sockets->numbered_count], error);
        if (r == 0)
            r = add_handed(sockets, &sockets->numbered[sockets->numbered_count++]);
        if (r == -ENOMEM)
            error_set(error, r, "out of memory");
    }
    return r;
}

/* Makes the folder of the default path, which other users' proxies must be able to enter. */
static int make_folder(const char *folder, struct error *error)
{
    if (mkdir(folder, 0755) == 0)
        return chmod(folder, 0755) < 0 ? error_set(error, -errno, "%s: %s", folder, strerror(errno)) : 0;
    if (errno != EEXIST)
        return error_set(error, -errno, "cannot make the folder %s for the default socket: %s; give --uds PATH", folder,
                         strerror(errno));
    return 0;
}

static int default_path(char *path, size_t size, struct error *error)
{
    const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
    char folder[PATH_MAX];

    if (!base || *base != '/')
        return error_set(error, -EINVAL,
                         "no --uds PATH, no socket handed over, and XDG_RUNTIME_DIR is not set: give --uds PATH");
    if ((size_t)snprintf(folder, sizeof(folder), "%s/berth", base) >= sizeof(folder) ||
        (size_t)snprintf(path, size, "%s/http.sock", folder) >= size)
        return error_set(error, -EINVAL, "XDG_RUNTIME_DIR is too long: give --uds PATH");
    return make_folder(folder, error);
}

static struct server_socket *find_published(const struct sockets *sockets, const char *path, bool datagram)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i].listener && sockets->items[i].datagram == datagram &&
            strcmp(sockets->items[i].name, path) == 0)
            return &sockets->items[i];
    return NULL;
}

static int want(struct sockets *sockets, const char *path, const struct listener_options *options, struct error *error)
{
    struct server_socket *there = find_published(sockets, path, options->datagram);
    struct listener *listener;
    int r;

    if (there) {
        if (there->state == SOCKET_VANISHING)
            there->state = SOCKET_KEPT;
        return 0;
    }
    r = listener_publish(path, options, &listener, error);
    if (r < 0)
        return r;
    r = add(sockets, path, path, listener_fd(listener), options->datagram, listener);
    if (r < 0) {
        listener_free(listener);
        error_set(error, r, "out of memory");
    }
    return r;
}

static bool asks_for_paths(const struct settings *settings)
{
    return settings->uds.count > 0 || settings->listener_count > 0;
}

/* The listeners among them. */
static size_t count_handed(const struct sockets *sockets)
{
    size_t count = 0;

    for (size_t i = 0; i < sockets->count; i++)
        count += !sockets->items[i].listener && !sockets->items[i].datagram;
    return count;
}

/* Before any of them is made: each costs descriptors, here and in every worker. */
static int check_count(const struct sockets *sockets, const struct settings *settings, struct error *error)
{
    size_t handed = count_handed(sockets), published = settings->uds.count + settings->listener_count;
    size_t count = handed + published, datagrams = settings->datagrams.count;

    for (size_t i = 0; i < sockets->count; i++)
        datagrams += sockets->items[i].datagram && !sockets->items[i].listener;
    if (datagrams > CONTRACT_LISTENERS_MAX)
        return error_set(error, -EINVAL, "%zu sockets for datagrams: there may be at most %d", datagrams,
                         CONTRACT_LISTENERS_MAX);
    if (count <= CONTRACT_LISTENERS_MAX)
        return 0;
    return error_set(error, -EINVAL,
                     "%zu sockets to listen on (%zu handed over, %zu by --uds): there may be at most %d", count, handed,
                     published, CONTRACT_LISTENERS_MAX);
}

static int want_named(struct sockets *sockets, const struct settings_listener *named, const struct settings *settings,
                      struct error *error)
{
    struct listener_options options = { .mode = named->mode,
                                        .user = named->user,
                                        .group = named->group,
                                        .backlog = (int)named->backlog,
                                        .abstract_allowed = settings->abstract_sockets };

    return want(sockets, named->path, &options, error);
}

int sockets_prepare(struct sockets *sockets, const struct settings *settings, struct error *error)
{
    struct listener_options options = { .mode = settings->socket_mode,
                                        .user = settings->socket_user,
                                        .group = settings->socket_group,
                                        .backlog = (int)settings->backlog,
                                        .abstract_allowed = settings->abstract_sockets };
    struct listener_options datagram_options = options;
    char path[PATH_MAX];
    int r = check_count(sockets, settings, error);

    if (r < 0)
        return r;
    datagram_options.datagram = true;
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i].listener)
            sockets->items[i].state = SOCKET_VANISHING;
    for (size_t i = 0; r == 0 && i < settings->uds.count; i++)
        r = want(sockets, settings->uds.items[i], &options, error);
    for (size_t i = 0; r == 0 && i < settings->listener_count; i++)
        r = want_named(sockets, &settings->listeners[i], settings, error);
    for (size_t i = 0; r == 0 && i < settings->datagrams.count; i++)
        r = want(sockets, settings_datagram_path(settings->datagrams.items[i]), &datagram_options, error);
    if (r == 0 && !asks_for_paths(settings) && count_handed(sockets) == 0) {
        r = default_path(path, sizeof(path), error);
        if (r == 0)
            r = want(sockets, path, &options, error);
    }
    if (r < 0)
        sockets_revert(sockets);
    return r;
}

void sockets_commit(struct sockets *sockets)
{
    sweep(sockets, SOCKET_VANISHING);
}

void sockets_revert(struct sockets *sockets)
{
    sweep(sockets, SOCKET_FRESH);
}

const char *sockets_listener_name(const struct sockets *sockets, const struct server_socket *item,
                                  const struct settings *settings)
{
    for (size_t i = 0; item->listener && i < settings->listener_count; i++)
        if (strcmp(settings->listeners[i].path, item->name) == 0)
            return settings->listeners[i].name;
    for (size_t i = 0; !item->listener && i < sockets->handed_count; i++)
        if (sockets->handed[i].fd == item->fd)
            return sockets->handed[i].name;
    return "";
}

bool sockets_only_handed(const struct sockets *sockets, const struct settings *settings)
{
    return count_handed(sockets) > 0 && !asks_for_paths(settings) && settings->datagrams.count == 0;
}

void sockets_withdraw(struct sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i].listener)
            listener_withdraw(sockets->items[i].listener);
}

void sockets_done(struct sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        free_item(&sockets->items[i]);
    free(sockets->items);
    activation_free(sockets->handed, sockets->handed_count);
    activation_free(sockets->numbered, sockets->numbered_count);
    memset(sockets, 0, sizeof(*sockets));
}
