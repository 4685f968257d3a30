#include "http/arena.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 4096 /* payload of an ordinary block */

struct arena_block {
    struct arena_block *older;
    alignas(ARENA_ALIGNMENT) char bytes[];
};

/* Under AddressSanitizer, what was not handed out may not be touched: so it sees an overrun inside a block too. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define poison(bytes, size)   ASAN_POISON_MEMORY_REGION(bytes, size)
#define unpoison(bytes, size) ASAN_UNPOISON_MEMORY_REGION(bytes, size)
#else
#define poison(bytes, size)   ((void)(bytes), (void)(size))
#define unpoison(bytes, size) ((void)(bytes), (void)(size))
#endif

void arena_init(struct arena *arena)
{
    arena->next = arena->first;
    arena->left = sizeof(arena->first);
    arena->total = sizeof(arena->first);
    arena->blocks = NULL;
}

void arena_reset(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;

        arena->blocks = block->older;
        free(block);
    }
    unpoison(arena->first, sizeof(arena->first));
    arena_init(arena);
}

/* A new block of `size` bytes; the caller decides whether the arena goes on with it. */
static struct arena_block *block_add(struct arena *arena, size_t size)
{
    struct arena_block *block;

    if (size > ARENA_SIZE_MAX - arena->total)
        return NULL;
    block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    block->older = arena->blocks;
    arena->blocks = block;
    arena->total += size;
    return block;
}

static char *arena_take(struct arena *arena, size_t size, size_t padded)
{
    char *bytes = arena->next;

    poison(arena->next, arena->left);
    unpoison(bytes, size);
    arena->next += padded;
    arena->left -= padded;
    return bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_block *block;
    size_t padded;

    if (size > ARENA_SIZE_MAX)
        return NULL;
    padded = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    if (padded <= arena->left)
        return arena_take(arena, size, padded);
    if (padded < BLOCK_SIZE) {
        block = block_add(arena, BLOCK_SIZE);
        if (block) {
            arena->next = block->bytes;
            arena->left = BLOCK_SIZE;
            return arena_take(arena, size, padded);
        }
    }
    /* A block of its own for what is large, or what only just fits below the maximum; the rest of the present one stays
     * in use. Padding of its own end is not needed, but counts. */
    block = block_add(arena, padded);
    return block ? block->bytes : NULL;
}

char *arena_text(struct arena *arena, const char *bytes, size_t size)
{
    char *text;

    if (size >= ARENA_SIZE_MAX)
        return NULL;
    text = arena_alloc(arena, size + 1);
    if (!text)
        return NULL;
    memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}
