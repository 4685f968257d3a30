#include "worker/module_file.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NATIVE_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

static bool is_within(uint64_t offset, uint64_t size, uint64_t file_size)
{
    return offset <= file_size && size <= file_size - offset;
}

/* The loader takes no program headers of another size. */
static bool is_whole(int fd, const ElfW(Ehdr) * header, uint64_t size)
{
    if (!is_within(header->e_phoff, (uint64_t)header->e_phnum * sizeof(ElfW(Phdr)), size) ||
        !is_within(header->e_shoff, (uint64_t)header->e_shnum * header->e_shentsize, size))
        return false;
    for (unsigned int i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) part;

        if (pread(fd, &part, sizeof(part), (off_t)(header->e_phoff + i * sizeof(part))) != sizeof(part))
            return false;
        if (part.p_type == PT_LOAD && !is_within(part.p_offset, part.p_filesz, size))
            return false;
    }
    return true;
}

int module_file_check(const char *name, int fd, struct error *error)
{
    ElfW(Ehdr) header;
    struct stat status;
    ssize_t n = pread(fd, &header, sizeof(header), 0);

    if (n < 0 || fstat(fd, &status) < 0)
        return error_set(error, -ENOEXEC, "%s cannot be read: %s", name, strerror(errno));
    if (n < SELFMAG || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return error_set(error, -ENOEXEC, "%s is no shared object; expected what \"cc -shared -fPIC\" makes", name);
    if (n > EI_CLASS && header.e_ident[EI_CLASS] != NATIVE_CLASS)
        return 0;
    if (n < (ssize_t)sizeof(header) || !is_whole(fd, &header, (uint64_t)status.st_size))
        return error_set(error, -ENOEXEC, "%s is cut short, after %lld bytes: copy or compile it again", name,
                         (long long)status.st_size);
    return 0;
}
