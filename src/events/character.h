/*
 * How characters stand in a text of JSON (RFC 8259).
 */
#ifndef BERTH_EVENTS_CHARACTER_H
#define BERTH_EVENTS_CHARACTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No character takes more bytes, escaped or not. */
#define CHARACTER_ENCODED_MAX 6

/* A byte of ASCII that may not stand in a text as it is, escaped. Returns the size. */
size_t character_escape(unsigned char byte, char escaped[CHARACTER_ENCODED_MAX]);

/* Any character as it stands in a text, in the one form that we write. Returns the size. */
size_t character_encode(uint32_t character, char encoded[CHARACTER_ENCODED_MAX]);

/* Whether a byte is a character by itself and may stand in a text as it is: most are and do. */
static inline bool character_is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && (unsigned char)byte < 0x80 && byte != '"' && byte != '\\';
}

/* How many of those there are from here on. */
static inline size_t characters_plain(const char *text, const char *end)
{
    const char *at = text;

    while (at < end && character_is_plain(*at))
        at++;
    return (size_t)(at - text);
}

#endif
