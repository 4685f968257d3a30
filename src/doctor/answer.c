#include "doctor/answer.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* "HTTP/1.1 200": D is a digit, and 1 one that is not 0. What follows is a blank and a reason, or nothing. */
static const char form[] = "HTTP/1.D 1DD";

enum { FORM_SIZE = sizeof(form) - 1, FORM_STATUS = FORM_SIZE - 3 };

static bool fits_form(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size && i < FORM_SIZE; i++) {
        bool digit = i >= FORM_STATUS || form[i] == 'D';

        if (digit ? !isdigit((unsigned char)bytes[i]) || (i == FORM_STATUS && bytes[i] == '0') : bytes[i] != form[i])
            return false;
    }
    return size <= FORM_SIZE || (bytes[FORM_SIZE] != '\0' && strchr(" \r\n", bytes[FORM_SIZE]));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Without blanks at either end. */
static void text_store(const char *bytes, size_t size, char *ret_text)
{
    while (size > 0 && is_blank(bytes[size - 1]))
        size--;
    while (size > 0 && is_blank(*bytes)) {
        bytes++;
        size--;
    }
    if (size > ANSWER_TEXT_MAX)
        size = ANSWER_TEXT_MAX;
    memcpy(ret_text, bytes, size);
    ret_text[size] = '\0';
}

static void status_read(const char *line, size_t size, struct answer *answer)
{
    const char *digits = line + FORM_STATUS;

    answer->status = (unsigned int)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
    text_store(line + FORM_SIZE, size - FORM_SIZE, answer->reason);
}

static void field_read(const char *line, size_t size, struct answer *answer)
{
    const char *colon = memchr(line, ':', size);
    size_t length = colon ? (size_t)(colon - line) : 0;

    if (length == 6 && strncasecmp(line, "Server", length) == 0)
        text_store(colon + 1, size - length - 1, answer->server);
    else if (length == 11 && strncasecmp(line, "Retry-After", length) == 0)
        answer->retry_after = true;
}

int answer_read(const char *bytes, size_t size, struct answer *ret_answer)
{
    struct answer answer = { 0 };
    bool first = true;

    if (!fits_form(bytes, size))
        return -EPROTO;
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) : 0;

        if (!end)
            break;
        if (first)
            status_read(bytes, length, &answer);
        else
            field_read(bytes, length, &answer);
        if (!first && (length == 0 || (length == 1 && bytes[0] == '\r'))) {
            *ret_answer = answer;
            return 1;
        }
        first = false;
        size -= length + 1;
        bytes = end + 1;
    }
    *ret_answer = answer;
    return 0;
}
