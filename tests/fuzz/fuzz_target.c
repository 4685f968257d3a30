/* Targets: what is accepted is decoded once, has no NUL, no dot segment, and never gets longer. */
#include "http/target.h"

#include <errno.h>

#include "property.h"

static void check_segments(const struct target *target)
{
    const char *at = target->path;
    size_t count = 0;

    PROPERTY(target->segment_count > 0 && target->segment_count <= TARGET_SEGMENTS_MAX);
    for (size_t i = 0; i < target->segment_count; i++) {
        const char *segment = target->segments[i];

        PROPERTY(strlen(segment) == target->segment_sizes[i]);
        PROPERTY(strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0);
        PROPERTY(!strchr(segment, '/'));
        PROPERTY(*at == '/' && strncmp(at + 1, segment, target->segment_sizes[i]) == 0);
        PROPERTY(segment - target->segments[0] == at - target->path);
        at += 1 + target->segment_sizes[i];
        count += 1 + target->segment_sizes[i];
    }
    PROPERTY(*at == '\0' && strlen(target->path) == count);
}

static void check_target(const struct target *target, size_t size)
{
    size_t path_size = strcspn(target->raw, "?");

    PROPERTY(target->raw[0] == '/');
    PROPERTY(strlen(target->raw) <= size + 1);
    PROPERTY(strlen(target->path) <= path_size);
    PROPERTY(!target->authority || target->authority[0] != '\0');
    if (target->query)
        PROPERTY(target->query == target->raw + path_size + 1);
    else
        PROPERTY(target->raw[path_size] == '\0');
    check_segments(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target target, again;
    struct arena arena;
    const char *reason = NULL;
    int r;

    arena_init(&arena);
    r = target_parse((const char *)data, size, &arena, &target, &reason);
    if (r == -EINVAL) {
        PROPERTY(reason && reason[0] != '\0');
    } else if (r == 0 && target.asterisk) {
        PROPERTY(size == 1 && data[0] == '*' && target.segment_count == 0);
    } else if (r == 0) {
        check_target(&target, size);
        /* Reduced once, it stays the same. */
        r = target_parse(target.raw, strlen(target.raw), &arena, &again, &reason);
        PROPERTY(r == -ENOMEM || (r == 0 && strcmp(again.path, target.path) == 0 && !again.authority));
    } else {
        PROPERTY(r == -ENOMEM && size > ARENA_SIZE_MAX / 8);
    }
    arena_reset(&arena);
    return 0;
}
