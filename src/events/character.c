#include "events/character.h"

#include <string.h>

size_t character_escape(unsigned char byte, char escaped[CHARACTER_ENCODED_MAX])
{
    static const char letters[0x20] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
    static const char digits[] = "0123456789abcdef";
    char letter = byte < 0x20 ? letters[byte] : (char)byte;

    if (letter) {
        escaped[0] = '\\';
        escaped[1] = letter;
        return 2;
    }
    memcpy(escaped, "\\u00", 4);
    escaped[4] = digits[byte >> 4];
    escaped[5] = digits[byte & 15];
    return 6;
}

size_t character_encode(uint32_t character, char encoded[CHARACTER_ENCODED_MAX])
{
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

    if (character < 0x80 && !character_is_plain((char)character))
        return character_escape((unsigned char)character, encoded);
    if (character < 0x80) {
        encoded[0] = (char)character;
        return 1;
    }
    for (size_t i = size - 1; i > 0; i--, character >>= 6)
        encoded[i] = (char)(0x80 | (character & 0x3f));
    encoded[0] = (char)((0xf00 >> size & 0xff) | character);
    return size;
}
