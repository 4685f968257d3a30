/* The configuration file: what is accepted is handed to a worker unchanged; what is not is told in a line for each
 * mistake, with the file's name and its line. */
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
    PROPERTY(again.app_count == settings->app_count && again.uds.count == settings->uds.count &&
             again.listener_count == settings->listener_count);
    free(bytes[0]);
    free(bytes[1]);
    settings_done(&again);
    close(first);
    close(second);
}

/* Each is one line that says where it is; they are in the order of the lines, and no more than so many. */
static void check_mistakes(const struct mistakes *mistakes, const char *path)
{
    unsigned int line = 0;

    PROPERTY(mistakes->count <= MISTAKES_MAX);
    PROPERTY(mistakes->left_out == 0 || mistakes->count == MISTAKES_MAX);
    PROPERTY(mistakes->count > 0);
    for (size_t i = 0; i < mistakes->count; i++) {
        const struct mistake *mistake = &mistakes->items[i];
        char place[96];

        snprintf(place, sizeof(place), "%s:%u: ", path, mistake->line);
        PROPERTY(mistake->line > 0 && strncmp(mistake->text, place, strlen(place)) == 0);
        PROPERTY(!strpbrk(mistake->text, "\n\r\x1b"));
        PROPERTY(mistake->line >= line && !mistake->warning);
        line = mistake->line;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memory_file(data, size);
    char option[] = "--config", path[64], *argv[] = { option, path };
    struct mistakes mistakes = { 0 };
    struct settings settings;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    settings_salvage(&settings, 2, argv, &mistakes);
    if (mistakes.r < 0)
        check_mistakes(&mistakes, path);
    else
        check_round_trip(&settings);
    settings_done(&settings);
    mistakes_done(&mistakes);
    close(fd);
    return 0;
}
