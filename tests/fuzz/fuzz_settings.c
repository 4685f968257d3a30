/* The configuration file: what is accepted is handed to a worker unchanged; what is not is told in one line with the
 * file's name. */
#include <sys/mman.h>
#include <unistd.h>

#include "common/settings.h"

#include "property.h"

static int memory_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    PROPERTY(fd >= 0);
    PROPERTY(write(fd, data, size) == (ssize_t)size);
    PROPERTY(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

/* Read back, they must be written as the same bytes. */
static void check_round_trip(const struct settings *settings)
{
    int first = memory_file(NULL, 0), second = memory_file(NULL, 0);
    struct settings again;
    struct error error;
    char *bytes[2];
    off_t size;

    PROPERTY(settings_write(settings, first) == 0);
    PROPERTY(lseek(first, 0, SEEK_SET) == 0);
    PROPERTY(settings_read(&again, first, &error) == 0);
    PROPERTY(settings_write(&again, second) == 0);
    size = lseek(first, 0, SEEK_END);
    PROPERTY(size > 0 && size == lseek(second, 0, SEEK_END));
    for (int i = 0; i < 2; i++) {
        bytes[i] = malloc((size_t)size);
        PROPERTY(bytes[i] && pread(i == 0 ? first : second, bytes[i], (size_t)size, 0) == size);
    }
    PROPERTY(memcmp(bytes[0], bytes[1], (size_t)size) == 0);
    PROPERTY(again.app_count == settings->app_count && again.uds.count == settings->uds.count);
    free(bytes[0]);
    free(bytes[1]);
    settings_done(&again);
    close(first);
    close(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memory_file(data, size);
    char option[] = "--config", path[64], *argv[] = { option, path };
    struct settings settings;
    struct error error = { "" };

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (settings_load(&settings, 2, argv, &error) < 0) {
        PROPERTY(strncmp(error.text, path, strlen(path)) == 0 || strncmp(error.text, "--", 2) == 0);
    } else {
        check_round_trip(&settings);
        settings_done(&settings);
    }
    close(fd);
    return 0;
}
