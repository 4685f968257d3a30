/* The access log's lines: whatever a request had, one line of valid UTF-8, bounded, JSON where that was asked for. */
#include "worker/access_line.h"

#include <jansson.h>
#include <stdbool.h>

#include "property.h"

/* Texts are between newlines; a NUL ends them as it would in a header. */
static char *next_text(char **rest)
{
    char *text = strsep(rest, "\n");

    return text;
}

static void check_line(const struct access_entry *entry, enum log_format format)
{
    static struct access_style styles[] = {
        [LOG_FORMAT_TEXT] = { .format = LOG_FORMAT_TEXT }, [LOG_FORMAT_JSON] = { .format = LOG_FORMAT_JSON }
    };
    char *bytes = malloc(ACCESS_LINE_MAX);
    struct line line = { .bytes = bytes, .limit = ACCESS_LINE_MAX };
    json_t *json;

    if (!bytes)
        abort();
    access_line_add(&line, &styles[format], entry);
    PROPERTY(line.size > 0 && line.size <= ACCESS_LINE_MAX);
    PROPERTY(bytes[line.size - 1] == '\n');
    for (size_t i = 0; i + 1 < line.size; i++)
        PROPERTY((unsigned char)bytes[i] >= 0x20 && bytes[i] != 0x7f);
    /* jansson refuses what is no UTF-8: also for the text form, as one string. */
    if (format == LOG_FORMAT_JSON)
        json = json_loadb(bytes, line.size, JSON_REJECT_DUPLICATES, NULL);
    else
        json = json_stringn(bytes, line.size);
    PROPERTY(json);
    json_decref(json);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_new(data, size), *rest = text;
    struct access_entry entry = { .status = (unsigned int)size, .bytes = size, .nanoseconds = size * size };

    entry.target = next_text(&rest);
    entry.user_agent = next_text(&rest);
    entry.method = next_text(&rest);
    entry.user = next_text(&rest);
    entry.client = next_text(&rest);
    if (!entry.method)
        entry.method = "";
    if (!entry.user)
        entry.user = "0";
    entry.complete = size & 1;
    entry.pid = (pid_t)size;
    entry.uid = (uid_t)(size & 3);
    check_line(&entry, LOG_FORMAT_TEXT);
    check_line(&entry, LOG_FORMAT_JSON);
    free(text);
    return 0;
}
