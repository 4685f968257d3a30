#include "events/checksum.h"

#include <pthread.h>

/* The polynomial 0x1edc6f41 with its bits in reverse. */
#define POLYNOMIAL 0x82f63b78U

enum { STEP = 8 };

/* tables[n][b]: what becomes of the byte b once n more bytes of zeroes have gone through. */
static uint32_t tables[STEP][256];
static pthread_once_t tables_made = PTHREAD_ONCE_INIT;

static void tables_make(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;

        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
        tables[0][byte] = value;
    }
    for (int n = 1; n < STEP; n++)
        for (int byte = 0; byte < 256; byte++)
            tables[n][byte] = tables[n - 1][byte] >> 8 ^ tables[0][tables[n - 1][byte] & 0xff];
}

uint32_t checksum(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint32_t value = UINT32_MAX;

    pthread_once(&tables_made, tables_make);
    for (; size >= STEP; at += STEP, size -= STEP)
        value = tables[7][at[0] ^ (value & 0xff)] ^ tables[6][at[1] ^ (value >> 8 & 0xff)] ^
                tables[5][at[2] ^ (value >> 16 & 0xff)] ^ tables[4][at[3] ^ value >> 24] ^ tables[3][at[4]] ^
                tables[2][at[5]] ^ tables[1][at[6]] ^ tables[0][at[7]];
    for (; size > 0; at++, size--)
        value = value >> 8 ^ tables[0][*at ^ (value & 0xff)];
    return ~value;
}
