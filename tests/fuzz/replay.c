/*
 * Runs a fuzz target over its corpus, in every `make check` and without libFuzzer: the program fuzz_NAME takes the
 * files of $srcdir/tests/fuzz/corpus/NAME, or the files and folders that it is given.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static unsigned int replayed;

/* All of a file, in memory of exactly its size, so that a sanitizer sees the first byte too many. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *bytes = NULL;
    long size = -1;

    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size >= 0)
        bytes = malloc(size > 0 ? (size_t)size : 1);
    if (bytes) {
        rewind(file);
        if (fread(bytes, 1, (size_t)size, file) == (size_t)size) {
            fclose(file);
            *ret_size = (size_t)size;
            return bytes;
        }
    }
    perror(path);
    exit(EXIT_FAILURE);
}

static void replay_file(const char *path)
{
    size_t size;
    uint8_t *bytes = read_file(path, &size);

    printf("%s\n", path);
    fflush(stdout); /* before it may crash */
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    replayed++;
}

static void replay(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char *inside;

    if (!folder && errno == ENOTDIR) {
        replay_file(path);
        return;
    }
    if (!folder) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&inside, "%s/%s", path, entry->d_name) < 0)
            abort();
        replay(inside);
        free(inside);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    const char *srcdir = getenv("srcdir"), *name = strstr(argv[0], "fuzz_");
    char *corpus;

    for (const char *next = name; next && (next = strstr(next + 1, "fuzz_"));)
        name = next;
    if (argc < 2 && name) {
        if (asprintf(&corpus, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name + strlen("fuzz_")) < 0)
            abort();
        replay(corpus);
        free(corpus);
    }
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%u passed, 0 failed\n", replayed);
    return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
