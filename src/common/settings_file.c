/*
 * The configuration file. inih splits lines into keys and values; around it stands what it would let pass in silence:
 * lines longer than its buffer, section names longer than its own (49 bytes), sections without a key, bytes after a
 * section's "]". It asks our reader for one line at a time, which is also how we know a line's number: Debian builds
 * inih without INI_HANDLER_LINENO.
 */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/settings_parts.h"
#include "common/suggestion.h"

struct file {
    const char *path;
    const char *next, *end; /* what is still to be read */
    unsigned int line;
    char *section; /* "app /mount"; NULL: among the options */
    struct assignment_list *list;
    struct error *error;
    int r;                   /* of the first error, */
    unsigned int error_line; /* which is in this line */
};

static int __attribute__((format(printf, 2, 3))) file_error(struct file *file, const char *format, ...)
{
    struct error reason;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason.text, sizeof(reason.text), format, arguments);
    va_end(arguments);
    file->r = error_set(file->error, -EINVAL, "%s:%u: %s", file->path, file->line, reason.text);
    file->error_line = file->line;
    return file->r;
}

static int file_add(struct file *file, const char *name, const char *text, const struct option_entry *option)
{
    struct assignment assignment = { .option = option, .level = ASSIGNMENT_FILE, .line = file->line };
    int r = assignment_add(file->list, &assignment, name, text);

    if (r < 0) {
        file_error(file, "%s", r == -E2BIG ? "there are too many settings" : strerror(-r));
        file->r = r;
    }
    return r;
}

static struct assignment *file_find(const struct file *file, const char *name)
{
    for (size_t i = 0; i < file->list->count; i++)
        if (file->list->items[i].level == ASSIGNMENT_FILE && strcmp(file->list->items[i].name, name) == 0)
            return &file->list->items[i];
    return NULL;
}

static int app_section_begin(struct file *file, const char *section)
{
    const struct assignment *earlier = file_find(file, section);
    struct error reason;

    if (mount_check(section + strlen("app "), &reason) < 0)
        return file_error(file, "[%s]: %s", section, reason.text);
    if (earlier)
        return file_error(file, "[%s] is there twice, the first time in line %u", section, earlier->line);
    file->section = strdup(section);
    if (!file->section)
        return file_error(file, "%s", strerror(ENOMEM));
    return file_add(file, section, "", NULL);
}

static int section_begin(struct file *file, const char *section)
{
    free(file->section);
    file->section = NULL;
    if (strcmp(section, "berth") == 0)
        return 0;
    if (strncmp(section, "app ", 4) == 0)
        return app_section_begin(file, section);
    if (strcmp(section, "app") == 0)
        return file_error(file, "[app] needs a mount, such as [app /] or [app /files]");
    if (section[0] == '/')
        return file_error(file, "[%s]: there is no such section; did you mean [app %s]?", section, section);
    return file_error(file, "[%s]: there is no such section; there are [berth] and [app /mount]", section);
}

/* A line that begins with "[": its name goes to section_begin, blanks around it and between its words being made one.
 */
static int section_read(struct file *file, const char *line, size_t length)
{
    const char *end = memchr(line, ']', length);
    char *section, *word, *out, *rest;
    const char *after;
    int r;

    if (!end)
        return file_error(file, "a section's name ends with \"]\"");
    for (after = end + 1; after < line + length && (*after == ' ' || *after == '\t' || *after == '\r'); after++)
        ;
    if (after < line + length && *after != ';' && *after != '#')
        return file_error(file, "nothing may follow a section's \"]\"");
    section = strndup(line + 1, (size_t)(end - line - 1));
    if (!section)
        return file_error(file, "%s", strerror(ENOMEM));
    for (out = section, word = strtok_r(section, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        size_t size = strlen(word);

        if (out > section)
            *out++ = ' ';
        memmove(out, word, size);
        out += size;
    }
    *out = '\0';
    r = section_begin(file, section);
    free(section);
    return r;
}

/* inih's reader, as fgets(3): one line, without the blanks before it. They would make it a continuation of the line
 * before, which nobody who indents the keys of a section means. */
static char *line_read(char *buffer, int room, void *data)
{
    struct file *file = data;
    const char *line, *end;
    size_t length;

    if (file->r < 0 || file->next >= file->end)
        return NULL;
    line = file->next;
    end = memchr(line, '\n', (size_t)(file->end - line));
    if (!end)
        end = file->end;
    file->next = end < file->end ? end + 1 : end;
    file->line++;

    while (line < end && (*line == ' ' || *line == '\t'))
        line++;
    length = (size_t)(end - line);
    if (memchr(line, 0, length)) {
        file_error(file, "the file has a NUL byte");
        return NULL;
    }
    if (length + 3 > (size_t)room) { /* "\r\n", NUL: as inih's header counts */
        file_error(file, "the line is too long: %zu bytes, of which %d can be read", length, room - 3);
        return NULL;
    }
    if (line < end && *line == '[' && section_read(file, line, length) < 0)
        return NULL;
    memcpy(buffer, line, length);
    memcpy(buffer + length, "\n", 2);
    return buffer;
}

/* inih takes a "#" behind a value for a part of it. Nobody means that for a path or a host. */
static bool has_hash_comment(const char *value)
{
    return strstr(value, " #") || strstr(value, "\t#");
}

static int option_key(struct file *file, const char *name, const char *value)
{
    const struct option_entry *option = settings_option(name);
    const struct assignment *earlier = file_find(file, name);
    const char *near = settings_suggest(name);
    struct error reason;

    if (!option && strcmp(name, "app") == 0)
        return file_error(file, "app: an application stands in a section of its own, such as [app /]");
    if (!option && near)
        return file_error(file, "%s: there is no such option; did you mean %s?", name, near);
    if (!option)
        return file_error(file, "%s: there is no such option; \"berth serve --help\" lists them", name);
    if (option->not_in_file)
        return file_error(file, "%s: not in a file, only on the command line or in the environment", name);
    if (earlier && !option_is_list(option))
        return file_error(file, "%s is there twice, the first time in line %u", name, earlier->line);
    if (has_hash_comment(value))
        return file_error(file, "%s: behind a value, a comment begins with \";\" and not with \"#\"", name);
    if (option_read(option, value, NULL, &reason) < 0)
        return file_error(file, "%s: %s", name, reason.text);
    return file_add(file, name, value, option);
}

static int app_set(struct file *file, const char *value)
{
    struct assignment *app = file_find(file, file->section);
    char *copy;

    if (*app->text)
        return file_error(file, "app is there twice in [%s]", file->section);
    if (*value == '\0')
        return file_error(file, "app: an application is missing, such as ./x.so");
    if (has_hash_comment(value))
        return file_error(file, "app: behind a value, a comment begins with \";\" and not with \"#\"");
    copy = strdup(value);
    if (!copy)
        return file_error(file, "%s", strerror(ENOMEM));
    free(app->text);
    app->text = copy;
    return 0;
}

static int app_key(struct file *file, const char *key, const char *value)
{
    char *name;
    int r;

    if (*key == '\0')
        return file_error(file, "there is no key before the \"=\"");
    if (strcmp(key, "app") == 0)
        return app_set(file, value);
    if (asprintf(&name, "%s %s", file->section, key) < 0)
        return file_error(file, "%s", strerror(ENOMEM));
    r = file_find(file, name) ? file_error(file, "%s is there twice in [%s]", key, file->section)
                              : file_add(file, name, value, NULL);
    free(name);
    return r;
}

/* inih's handler: 1 for success. Its idea of the section is not asked for: it is cut at 49 bytes. */
static int key_read(void *data, const char *section, const char *name, const char *value)
{
    struct file *file = data;

    (void)section;
    if (file->r < 0)
        return 0;
    if (!name || !value) /* as some builds of inih announce a section, or a key without "=" */
        return !name ? 1 : file_error(file, "%s: there is no \"=\" behind it", name) == 0;
    return (file->section ? app_key(file, name, value) : option_key(file, name, value)) == 0;
}

static int file_parse(struct file *file)
{
    int line = ini_parse_stream(line_read, file, key_read, file);

    if (line == -2) /* a build of inih that allocates its lines */
        return error_set(file->error, -ENOMEM, "%s: %s", file->path, strerror(ENOMEM));
    /* inih goes on after an error of its own: what it found wrong may stand before what we did. */
    if (line > 0 && (file->r == 0 || (unsigned int)line < file->error_line)) {
        file->line = (unsigned int)line;
        return file_error(file, "neither \"key = value\" nor a [section] nor a comment");
    }
    return file->r;
}

int settings_file_read(const char *path, struct assignment_list *list, struct error *error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct file file = { .path = path, .list = list, .error = error };
    int fd, r;
    size_t size;
    char *bytes;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    r = input_read(fd, SETTINGS_FILE_MAX, &bytes, &size);
    close(fd);
    if (r == -EFBIG)
        return error_set(error, r, "%s: the file is longer than %d bytes", path, SETTINGS_FILE_MAX);
    if (r < 0)
        return error_set(error, r, "%s: %s", path, strerror(-r));
    file.next = bytes;
    file.end = bytes + size;
    if (size >= 3 && memcmp(bytes, byte_order_mark, 3) == 0)
        file.next += 3;
    r = file_parse(&file);
    free(file.section);
    free(bytes);
    return r;
}
