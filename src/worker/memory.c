#include "worker/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static FILE *open_file(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

uint64_t memory_resident(pid_t pid)
{
    FILE *file = open_file(pid, "statm");
    uint64_t pages = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%*s %" SCNu64, &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t memory_proportional(pid_t pid)
{
    FILE *file = open_file(pid, "smaps_rollup");
    uint64_t kilobytes = 0;
    char line[256];

    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "Pss: %" SCNu64, &kilobytes) == 1)
            break;
    fclose(file);
    return kilobytes * 1024;
}
