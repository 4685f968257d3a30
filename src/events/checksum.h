/*
 * CRC-32C (RFC 3720, appendix B.4), which finds every error of up to 32 bits in a row. Of our own, because zlib would
 * be one more library for this alone; eight bytes at a step, because every event goes through it.
 */
#ifndef BERTH_EVENTS_CHECKSUM_H
#define BERTH_EVENTS_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t checksum(const void *bytes, size_t size);

#endif
