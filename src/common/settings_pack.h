/*
 * Settings as NUL-terminated texts in memory, for what is handed to workers; settings_write and settings_read do the
 * same with a file.
 */
#ifndef BERTH_COMMON_SETTINGS_PACK_H
#define BERTH_COMMON_SETTINGS_PACK_H

#include "common/settings.h"

#define SETTINGS_PACKED_MAX (4 * 1024 * 1024)

/* The next NUL-terminated text of the bytes, which are moved behind it; NULL when there is none. */
const char *packed_take(const char **bytes, size_t *size);

/* What settings_write wrote, from memory. */
int settings_unpack(const char *bytes, size_t size, struct settings *ret_settings, struct error *error);
int settings_pack(const struct settings *settings, FILE *stream); /* buffered; flushing is the caller's */

#endif
