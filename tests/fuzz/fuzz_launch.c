/* The launch file: what is accepted can be written again and is then accepted again, with as many listeners. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/contract.h"

#include "property.h"

static int memory_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    PROPERTY(fd >= 0);
    PROPERTY(write(fd, data, size) == (ssize_t)size);
    PROPERTY(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void check_round_trip(const struct launch *launch)
{
    int fd = memory_file(NULL, 0);
    struct launch again;
    struct error error;

    PROPERTY(launch_write(fd, (const char *const *)launch->listeners, (const char *const *)launch->names,
                          launch->listener_count, &launch->settings) == 0);
    PROPERTY(lseek(fd, 0, SEEK_SET) == 0);
    PROPERTY(launch_read(fd, &again, &error) == 0);
    PROPERTY(again.listener_count == launch->listener_count);
    for (size_t i = 0; i < again.listener_count; i++)
        PROPERTY(strcmp(again.listeners[i], launch->listeners[i]) == 0 &&
                 strcmp(again.names[i], launch->names[i]) == 0);
    PROPERTY(again.settings.app_count == launch->settings.app_count);
    launch_done(&again);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int r, fd = memory_file(data, size);
    struct error error = { "" };
    struct launch launch;

    r = launch_read(fd, &launch, &error);
    PROPERTY(r == 0 || r == -EINVAL || r == -EFBIG);
    if (r < 0) {
        PROPERTY(error.text[0] != '\0');
    } else {
        check_round_trip(&launch);
        launch_done(&launch);
    }
    close(fd);
    return 0;
}
