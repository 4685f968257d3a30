/* The launch file (contract.h): what one generation of workers is started with. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/contract.h"
#include "common/number.h"
#include "common/settings_pack.h"
#include "common/text_list.h"

#define LAUNCH_MAX (SETTINGS_PACKED_MAX + 1024 * 1024)

static const char launch_magic[] = "berth launch";

int launch_write(int fd, const char *const *listeners, const char *const *names, size_t listener_count,
                 const struct settings *settings)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream;
    int r;

    if (listener_count > CONTRACT_LISTENERS_MAX)
        return -E2BIG;
    stream = open_memstream(&bytes, &size);
    if (!stream)
        return -ENOMEM;
    fprintf(stream, "%s%c%d%c%zu%c", launch_magic, 0, CONTRACT_VERSION, 0, listener_count, 0);
    for (size_t i = 0; i < listener_count; i++)
        fprintf(stream, "%s%c%s%c", listeners[i], 0, names ? names[i] : "", 0);
    r = settings_pack(settings, stream);
    if (fclose(stream) != 0)
        r = -ENOMEM;
    if (r == 0 && size > LAUNCH_MAX)
        r = -E2BIG;
    if (r == 0)
        r = output_write(fd, bytes, size);
    free(bytes);
    return r;
}

int launch_make(const char *const *listeners, const char *const *names, size_t listener_count,
                const struct settings *settings, int *ret_fd)
{
    int fd = memfd_create("berth-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int r;

    if (fd < 0)
        return -errno;
    r = launch_write(fd, listeners, names, listener_count, settings);
    if (r == 0 && (lseek(fd, 0, SEEK_SET) < 0 ||
                   fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0))
        r = -errno;
    if (r < 0)
        close(fd);
    else
        *ret_fd = fd;
    return r;
}

/* The next text as a number. A worker that is run by hand, or after an upgrade on disk, comes to here with something
 * else. */
static int count_take(const char **bytes, size_t *size, const char *what, uint64_t min, uint64_t max,
                      uint64_t *ret_count, struct error *error)
{
    const char *text = packed_take(bytes, size);
    struct error reason;

    if (!text)
        return error_set(error, -EINVAL, "launch file: it ends before its %s", what);
    if (number_parse(text, min, max, ret_count, &reason) < 0)
        return error_set(error, -EINVAL, "launch file: %s: %s", what, reason.text);
    return 0;
}

static int header_take(const char **bytes, size_t *size, uint64_t *ret_count, struct error *error)
{
    const char *magic = packed_take(bytes, size);
    uint64_t version;
    int r;

    if (!magic || strcmp(magic, launch_magic) != 0)
        return error_set(error, -EINVAL,
                         "launch file: this is none; \"berth worker\" is started by \"berth serve\" only");
    r = count_take(bytes, size, "version", 0, UINT32_MAX, &version, error);
    if (r < 0)
        return r;
    if (version != CONTRACT_VERSION)
        return error_set(error, -EINVAL,
                         "launch file: the supervisor speaks version %u of the contract, this worker %d: "
                         "restart berth after an upgrade",
                         (unsigned int)version, CONTRACT_VERSION);
    return count_take(bytes, size, "number of listeners", 0, CONTRACT_LISTENERS_MAX, ret_count, error);
}

static int text_take(const char **bytes, size_t *size, struct text_list *list, struct error *error)
{
    const char *text = packed_take(bytes, size);

    if (!text)
        return error_set(error, -EINVAL, "launch file: it ends among the listeners");
    if (text_list_add(list, text) < 0)
        return error_set(error, -ENOMEM, "launch file: %s", strerror(ENOMEM));
    return 0;
}

static int launch_take(const char *bytes, size_t size, struct launch *launch, struct error *error)
{
    struct text_list places = { 0 }, names = { 0 };
    uint64_t count;
    int r = header_take(&bytes, &size, &count, error);

    for (uint64_t i = 0; r == 0 && i < count; i++) {
        r = text_take(&bytes, &size, &places, error);
        if (r == 0)
            r = text_take(&bytes, &size, &names, error);
    }
    if (r == 0)
        r = settings_unpack(bytes, size, &launch->settings, error);
    if (r < 0) {
        text_list_done(&places);
        text_list_done(&names);
        return r;
    }
    launch->listeners = places.items;
    launch->names = names.items;
    launch->listener_count = places.count;
    return 0;
}

int launch_read(int fd, struct launch *ret_launch, struct error *error)
{
    struct launch launch = { 0 };
    size_t size;
    char *bytes;
    int r;

    r = input_read(fd, LAUNCH_MAX, &bytes, &size);
    if (r < 0)
        return error_set(error, r, "launch file: %s", strerror(-r));
    r = launch_take(bytes, size, &launch, error);
    free(bytes);
    if (r == 0)
        *ret_launch = launch;
    return r;
}

void launch_done(struct launch *launch)
{
    struct text_list places = { launch->listeners, launch->listener_count };
    struct text_list names = { launch->names, launch->listener_count };

    text_list_done(&places);
    text_list_done(&names);
    settings_done(&launch->settings);
    *launch = (struct launch){ 0 };
}
