/*
 * What a file's name says about its content.
 */
#ifndef BERTH_APPS_MEDIA_TYPE_H
#define BERTH_APPS_MEDIA_TYPE_H

/* The Content-Type for a path, by what follows the last dot of its last segment, without case; text says that it is
 * UTF-8. application/octet-stream for what is unknown. Never NULL. */
const char *media_type(const char *path);

#endif
