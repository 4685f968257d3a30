#include "http/memory.h"

struct arena memory;

void memory_setup(void)
{
    arena_init(&memory);
}

void memory_teardown(void)
{
    arena_reset(&memory);
}
