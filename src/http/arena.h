/*
 * Memory for one request: handed out piece by piece, freed all at once. The first block is part of the struct, so that
 * an ordinary request costs no malloc.
 */
#ifndef BERTH_HTTP_ARENA_H
#define BERTH_HTTP_ARENA_H

#include <stdalign.h>
#include <stddef.h>

#define ARENA_ALIGNMENT   16
#define ARENA_INLINE_SIZE 1024
#define ARENA_SIZE_MAX    (1024 * 1024) /* all that one request may take, the inline block and padding included */

struct arena_block;

/* Points into itself: it may not be moved or copied between arena_init and arena_reset. */
struct arena {
    char *next;                 /* the first free byte of the newest block, ARENA_ALIGNMENT-aligned */
    size_t left;                /* bytes from there to the block's end */
    size_t total;               /* of all blocks, the inline one included */
    struct arena_block *blocks; /* newest first, without the inline one */
    alignas(ARENA_ALIGNMENT) char first[ARENA_INLINE_SIZE];
};

void arena_init(struct arena *arena);

/* Frees everything but the inline block; what was handed out is gone. The arena can be used again, and need not be
 * reset once more if it is not. */
void arena_reset(struct arena *arena);

/* `size` bytes, not cleared, aligned to ARENA_ALIGNMENT; for 0 a pointer that must not be followed. NULL without
 * memory, or where ARENA_SIZE_MAX would be passed. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of the bytes with a NUL behind them; NULL as above. */
char *arena_text(struct arena *arena, const char *bytes, size_t size);

#endif
