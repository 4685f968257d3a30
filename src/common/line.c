#include "common/line.h"

#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"

static const char cut_mark[] = "…";
_Static_assert(sizeof(cut_mark) - 1 == LINE_CUT_SIZE, "the mark's size");

void line_add(struct line *line, const char *bytes, size_t size)
{
    if (size > line->limit - line->size)
        size = line->limit - line->size;
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
}

void line_add_text(struct line *line, const char *text)
{
    line_add(line, text, strlen(text));
}

void line_add_padded(struct line *line, uint64_t number, unsigned int digits)
{
    char text[20]; /* of the largest number */
    size_t at = sizeof(text);

    while ((number > 0 || digits > 0) && at > 0) {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
        digits -= digits > 0;
    }
    line_add(line, text + at, sizeof(text) - at);
}

void line_add_number(struct line *line, uint64_t number)
{
    line_add_padded(line, number, 1);
}

/* ---- text from elsewhere ---- */

/* Characters that are shown by what they do to others: ends of lines and paragraphs, where some readers begin a new
 * line, and those that turn the direction of all that follows (U+2028 to U+202E, U+2066 to U+2069). */
static bool is_format(const unsigned char *text)
{
    return text[0] == 0xe2 && ((text[1] == 0x80 && text[2] >= 0xa8 && text[2] <= 0xae) ||
                               (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
}

/* The bytes of the character at `text`, which ends with a NUL, if it is one that a terminal shows and does not obey; 0
 * otherwise. C1 controls (U+0080 to U+009F) are two bytes of valid UTF-8, and a terminal may take them for escape
 * sequences. */
static size_t printable_length(const unsigned char *text)
{
    bool control = text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);

    return control || is_format(text) ? 0 : utf8_size((const char *)text, UTF8_SIZE_MAX);
}

/* Whether a character of one byte has to be escaped for the style's sake. */
static bool is_special(unsigned char c, enum line_style style)
{
    return style != LINE_PLAIN && (c == '"' || c == '\\' || (c == ' ' && style == LINE_WORD));
}

/* What stands for a byte that must not be shown. */
static size_t escape_byte(unsigned char byte, enum line_style style, char escaped[8])
{
    static const char letters[] = "abtnvfr", digits[] = "0123456789abcdef";
    bool letter = byte >= '\a' && byte <= '\r';
    size_t size = 0;

    escaped[size++] = '\\';
    if (style != LINE_WORD && is_special(byte, style)) {
        escaped[size++] = (char)byte;
    } else if (style == LINE_JSON && byte < 0x80 && (!letter || byte == '\a' || byte == '\v')) {
        memcpy(escaped + size, "u00", 3); /* RFC 8259 knows fewer letters than C does */
        size += 3;
        escaped[size++] = digits[byte >> 4];
        escaped[size++] = digits[byte & 15];
    } else if (letter) {
        escaped[size++] = letters[byte - '\a'];
    } else {
        if (style == LINE_JSON)
            escaped[size++] = '\\';
        escaped[size++] = 'x';
        escaped[size++] = digits[byte >> 4];
        escaped[size++] = digits[byte & 15];
    }
    return size;
}

/* The bytes from here on that are most of every text, and are copied as they are. */
static size_t common_length(const unsigned char *text, enum line_style style)
{
    size_t length = 0;

    while (text[length] >= 0x20 && text[length] < 0x7f && !is_special(text[length], style))
        length++;
    return length;
}

/* One character, or one byte that must not be shown, as it goes into the line. */
static size_t escape_one(const unsigned char *text, enum line_style style, char escaped[8], size_t *ret_size)
{
    size_t length = is_special(text[0], style) ? 0 : printable_length(text);

    if (length > 0) {
        memcpy(escaped, text, length);
        *ret_size = length;
        return length;
    }
    *ret_size = escape_byte(text[0], style, escaped);
    return 1;
}

/* Adds what fits into `room`, and if that is not all, the mark, for which there is room beyond. */
static void add_characters(struct line *line, const unsigned char *text, enum line_style style, size_t room)
{
    while (*text) {
        size_t common = common_length(text, style), size, consumed;
        char escaped[8];

        if (common > room) {
            line_add(line, (const char *)text, room);
            break;
        }
        line_add(line, (const char *)text, common);
        text += common;
        room -= common;
        if (!*text)
            return;
        consumed = escape_one(text, style, escaped, &size);
        if (size > room)
            break;
        line_add(line, escaped, size);
        text += consumed;
        room -= size;
    }
    if (*text)
        line_add(line, cut_mark, LINE_CUT_SIZE);
}

void line_add_escaped(struct line *line, const char *text, enum line_style style, size_t room)
{
    bool quotes = style == LINE_QUOTED || style == LINE_JSON;
    size_t around = LINE_CUT_SIZE + (quotes ? 2 : 0);

    if (room > line->limit - line->size)
        room = line->limit - line->size;
    if (room < around)
        return;
    if (quotes)
        line_add(line, "\"", 1);
    add_characters(line, (const unsigned char *)text, style, room - around);
    if (quotes)
        line_add(line, "\"", 1);
}

/* ---- time ---- */

static void clock_set(struct line_clock *clock, time_t second)
{
    struct line text = { .bytes = clock->text, .limit = sizeof(clock->text) };
    struct line zone = { .bytes = clock->zone, .limit = sizeof(clock->zone) };
    struct tm parts;
    long minutes;

    if (!localtime_r(&second, &parts))
        memset(&parts, 0, sizeof(parts));
    minutes = parts.tm_gmtoff / 60;
    line_add_padded(&text, (uint64_t)(parts.tm_year + 1900), 4);
    line_add(&text, "-", 1);
    line_add_padded(&text, (uint64_t)(parts.tm_mon + 1), 2);
    line_add(&text, "-", 1);
    line_add_padded(&text, (uint64_t)parts.tm_mday, 2);
    line_add(&text, "T", 1);
    line_add_padded(&text, (uint64_t)parts.tm_hour, 2);
    line_add(&text, ":", 1);
    line_add_padded(&text, (uint64_t)parts.tm_min, 2);
    line_add(&text, ":", 1);
    line_add_padded(&text, (uint64_t)parts.tm_sec, 2);
    line_add(&text, ".", 1);
    if (minutes == 0) {
        line_add(&zone, "Z", 1);
    } else {
        line_add(&zone, minutes < 0 ? "-" : "+", 1);
        minutes = minutes < 0 ? -minutes : minutes;
        line_add_padded(&zone, (uint64_t)(minutes / 60), 2);
        line_add(&zone, ":", 1);
        line_add_padded(&zone, (uint64_t)(minutes % 60), 2);
    }
    clock->second = second;
    clock->size = text.size;
    clock->zone_size = zone.size;
}

void line_add_time(struct line *line, struct line_clock *clock, const struct timespec *time)
{
    if (clock->size == 0 || clock->second != time->tv_sec)
        clock_set(clock, time->tv_sec);
    line_add(line, clock->text, clock->size);
    line_add_padded(line, (uint64_t)time->tv_nsec / 1000000, 3);
    line_add(line, clock->zone, clock->zone_size);
}
