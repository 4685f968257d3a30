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

enum file_section {
    SECTION_OPTIONS,
    SECTION_APP,
    SECTION_LISTEN,
    SECTION_WRONG, /* told; what its keys should be nobody knows */
};

struct file {
    const char *path;
    const char *next, *end; /* what is still to be read */
    unsigned int line;
    bool expected; /* that inih makes something of the line */
    enum file_section kind;
    char *section; /* "app /mount", "listen NAME" */
    struct assignment_list *list;
    struct mistakes *mistakes;
    int r; /* what nobody can go on after */
};

static void __attribute__((format(printf, 2, 3))) file_mistake(struct file *file, const char *format, ...)
{
    struct error reason;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason.text, sizeof(reason.text), format, arguments);
    va_end(arguments);
    mistakes_add(file->mistakes, -EINVAL, file->line, "%s:%u: %s", file->path, file->line, reason.text);
}

static void file_fail(struct file *file, int r)
{
    file->r = r;
    mistakes_add(file->mistakes, r, file->line, "%s:%u: %s", file->path, file->line,
                 r == -E2BIG ? "there are too many settings" : strerror(-r));
}

static void file_add(struct file *file, const char *name, const char *text, const struct option_entry *option, bool bad)
{
    struct assignment assignment = { .option = option, .level = ASSIGNMENT_FILE, .line = file->line, .bad = bad };
    int r;

    assignment.head = file->line;
    r = assignment_add(file->list, &assignment, name, text);
    if (r < 0)
        file_fail(file, r);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct assignment *file_find(const struct file *file, const char *name)
{
    for (size_t i = 0; i < file->list->count; i++)
        if (file->list->items[i].level == ASSIGNMENT_FILE && strcmp(file->list->items[i].name, name) == 0)
            return &file->list->items[i];
    return NULL;
}

/* Of an application or a listener, which are there once. */
static void section_open(struct file *file, enum file_section kind, const char *section, int valid,
                         const struct error *reason)
{
    const struct assignment *earlier = file_find(file, section);

    if (valid < 0) {
        file_mistake(file, "[%s]: %s", section, reason->text);
    } else if (earlier) {
        file_mistake(file, "[%s] is there twice, the first time in line %u", section, earlier->head);
    } else {
        file->section = strdup(section);
        if (!file->section) {
            file_fail(file, -ENOMEM);
            return;
        }
        file->kind = kind;
        file_add(file, section, "", NULL, false);
    }
}

static void unknown_section(struct file *file, const char *section)
{
    size_t length = strcspn(section, " ");
    char word[32];
    struct suggestion suggestion = SUGGESTION(word);

    snprintf(word, sizeof(word), "%.*s", (int)length, section);
    suggestion_consider(&suggestion, "berth");
    suggestion_consider(&suggestion, "app");
    suggestion_consider(&suggestion, "listen");
    if (section[0] == '/')
        file_mistake(file, "[%s]: there is no such section; did you mean [app %s]?", section, section);
    else if (length > 0 && length < sizeof(word) && suggestion.best)
        file_mistake(file, "[%s]: there is no such section; did you mean [%s%s]?", section, suggestion.best,
                     section + length);
    else
        file_mistake(file, "[%s]: there is no such section; there are [berth], [app /mount] and [listen NAME]",
                     section);
}

static void section_begin(struct file *file, const char *section)
{
    struct error reason;

    free(file->section);
    file->section = NULL;
    file->kind = SECTION_WRONG;
    if (strcmp(section, "berth") == 0)
        file->kind = SECTION_OPTIONS;
    else if (strncmp(section, "app ", 4) == 0)
        section_open(file, SECTION_APP, section, mount_check(section + 4, &reason), &reason);
    else if (strncmp(section, "listen ", 7) == 0)
        section_open(file, SECTION_LISTEN, section, listen_name_check(section + 7, &reason), &reason);
    else if (strcmp(section, "app") == 0)
        file_mistake(file, "[app] needs a mount, such as [app /] or [app /files]");
    else if (strcmp(section, "listen") == 0)
        file_mistake(file, "[listen] needs a name, such as [listen admin]");
    else
        unknown_section(file, section);
}

/* A line that begins with "[": its name goes to section_begin, blanks around it and between its words being made one.
 */
static void section_read(struct file *file, const char *line, size_t length)
{
    const char *end = memchr(line, ']', length), *after;
    char *section, *word, *out, *rest;

    file->kind = SECTION_WRONG;
    if (!end) {
        file_mistake(file, "a section's name ends with \"]\"");
        return;
    }
    for (after = end + 1; after < line + length && is_blank(*after); after++)
        ;
    if (after < line + length && *after != ';' && *after != '#') {
        file_mistake(file, "nothing may follow a section's \"]\"");
        return;
    }
    section = strndup(line + 1, (size_t)(end - line - 1));
    if (!section) {
        file_fail(file, -ENOMEM);
        return;
    }
    for (out = section, word = strtok_r(section, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        size_t size = strlen(word);

        if (out > section)
            *out++ = ' ';
        memmove(out, word, size);
        out += size;
    }
    *out = '\0';
    section_begin(file, section);
    free(section);
}

/* The last line was neither blank nor a comment nor a section, and inih did not call key_read for it. */
static void check_expected(struct file *file)
{
    if (file->expected)
        file_mistake(file, "neither \"key = value\" nor a [section] nor a comment");
    file->expected = false;
}

/* The next line without its end and the blanks before it. Those would make it a continuation of the line before, which
 * nobody who indents the keys of a section means. */
static size_t line_next(struct file *file, const char **ret_line)
{
    const char *line = file->next, *end = memchr(line, '\n', (size_t)(file->end - line));

    if (!end)
        end = file->end;
    file->next = end < file->end ? end + 1 : end;
    file->line++;
    while (line < end && is_blank(*line))
        line++;
    while (end > line && is_blank(end[-1]))
        end--;
    *ret_line = line;
    return (size_t)(end - line);
}

/* inih's reader, as fgets(3). What is not for it to read becomes an empty line. */
static char *line_read(char *buffer, int room, void *data)
{
    struct file *file = data;
    const char *line;
    size_t length;

    check_expected(file);
    if (file->r < 0 || file->next >= file->end)
        return NULL;
    length = line_next(file, &line);
    if (memchr(line, 0, length)) {
        file_mistake(file, "the line has a NUL byte");
        length = 0;
    } else if (length > 0 && *line == '[') {
        section_read(file, line, length);
        length = 0;
    } else if (length + 3 > (size_t)room) { /* "\r\n", NUL: as inih's header counts */
        file_mistake(file, "the line is too long: %zu bytes, of which %d can be read", length, room - 3);
        length = 0;
    }
    memcpy(buffer, line, length);
    memcpy(buffer + length, "\n", 2);
    file->expected = length > 0 && *line != ';' && *line != '#';
    return buffer;
}

/* inih takes a "#" behind a value for a part of it. Nobody means that for a path or a host. */
static bool has_hash_comment(const char *value)
{
    return value[0] == '#' || strstr(value, " #") || strstr(value, "\t#");
}

static int value_check(const struct option_entry *option, const char *value, struct error *error)
{
    if (has_hash_comment(value))
        return error_set(error, -EINVAL, "behind a value, a comment begins with \";\" and not with \"#\"");
    return option_read(option, value, NULL, error);
}

static void unknown_key(struct file *file, const char *name)
{
    const char *near = settings_suggest(name);

    if (*name == '\0')
        file_mistake(file, "there is no key before the \"=\"");
    else if (strcmp(name, "app") == 0)
        file_mistake(file, "app: an application stands in a section of its own, such as [app /]");
    else if (is_rule_key(name))
        file_mistake(file, "%s: a rule stands in the section of its application, such as [app /]", name);
    else if (near)
        file_mistake(file, "%s: there is no such option; did you mean %s?", name, near);
    else
        file_mistake(file, "%s: there is no such option; \"berth serve --help\" lists them", name);
}

static void option_key(struct file *file, const char *name, const char *value)
{
    const struct option_entry *option = settings_option(name);
    const struct assignment *earlier = file_find(file, name);
    struct error reason;
    int r;

    if (!option) {
        unknown_key(file, name);
    } else if (option->not_in_file) {
        file_mistake(file, "%s: not in a file, only on the command line or in the environment", name);
    } else if (earlier && !option_is_list(option)) {
        file_mistake(file, "%s is there twice, the first time in line %u", name, earlier->line);
    } else {
        r = value_check(option, value, &reason);
        if (r < 0)
            file_mistake(file, "%s: %s", name, reason.text);
        file_add(file, name, value, option, r < 0);
    }
}

/* "app" of an application, "uds" of a listener: the text of the section's own assignment. */
static void section_value(struct file *file, const char *key, const char *value, int valid, const struct error *reason)
{
    struct assignment *section = file_find(file, file->section);
    char *copy;

    if (*section->text || section->bad) {
        file_mistake(file, "%s is there twice in [%s]", key, file->section);
        return;
    }
    section->line = file->line;
    section->bad = valid < 0;
    if (valid < 0) {
        file_mistake(file, "%s: %s", key, reason->text);
        return;
    }
    copy = strdup(value);
    if (!copy) {
        file_fail(file, -ENOMEM);
        return;
    }
    free(section->text);
    section->text = copy;
}

static int app_value_check(const char *value, struct error *error)
{
    if (*value == '\0')
        return error_set(error, -EINVAL, "an application is missing, such as ./x.so");
    if (has_hash_comment(value))
        return error_set(error, -EINVAL, "behind a value, a comment begins with \";\" and not with \"#\"");
    return 0;
}

/* A key of a section with assignments of its own, "app /mount KEY". */
static void section_key(struct file *file, const char *key, const char *value, int valid, const struct error *reason)
{
    char *name;

    if (asprintf(&name, "%s %s", file->section, key) < 0) {
        file_fail(file, -ENOMEM);
        return;
    }
    if (file_find(file, name) && !is_rule_key(key)) {
        file_mistake(file, "%s is there twice in [%s]", key, file->section);
    } else {
        if (valid < 0)
            file_mistake(file, "%s: %s", key, reason->text);
        file_add(file, name, value, NULL, valid < 0);
    }
    free(name);
}

static int rule_line_check(const char *key, const char *value, struct error *error)
{
    if (has_hash_comment(value))
        return error_set(error, -EINVAL, "behind a value, a comment begins with \";\" and not with \"#\"");
    return rule_value_check(key, value, error);
}

static void app_key(struct file *file, const char *key, const char *value)
{
    struct error reason;

    if (*key == '\0')
        file_mistake(file, "there is no key before the \"=\"");
    else if (strcmp(key, "app") == 0)
        section_value(file, key, value, app_value_check(value, &reason), &reason);
    else if (is_rule_key(key))
        section_key(file, key, value, rule_line_check(key, value, &reason), &reason);
    else
        section_key(file, key, value, rule_key_check(key, &reason), &reason);
}

static void listen_key(struct file *file, const char *key, const char *value)
{
    const char *near = listen_suggest(key);
    struct option_entry option;
    struct error reason;

    if (*key == '\0')
        file_mistake(file, "there is no key before the \"=\"");
    else if (!listen_option(key, &option) && near)
        file_mistake(file, "%s: a listener has no such key; did you mean %s?", key, near);
    else if (!listen_option(key, &option))
        file_mistake(file,
                     "%s: a listener has no such key; it has uds, socket-mode, socket-user, socket-group and "
                     "backlog",
                     key);
    else if (strcmp(key, "uds") == 0)
        section_value(file, key, value, value_check(&option, value, &reason), &reason);
    else
        section_key(file, key, value, value_check(&option, value, &reason), &reason);
}

/* inih's handler: 1 for success. Its idea of the section is not asked for: it sees none. */
static int key_read(void *data, const char *section, const char *name, const char *value)
{
    struct file *file = data;

    (void)section;
    if (!name || !value) /* as some builds of inih announce a section, or a key without "=" */
        return 1;
    file->expected = false;
    switch (file->kind) {
    case SECTION_OPTIONS:
        option_key(file, name, value);
        break;
    case SECTION_APP:
        app_key(file, name, value);
        break;
    case SECTION_LISTEN:
        listen_key(file, name, value);
        break;
    case SECTION_WRONG:
        break;
    }
    return 1;
}

static int file_read(const char *path, char **ret_bytes, size_t *ret_size, struct mistakes *mistakes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r;

    if (fd < 0)
        return mistakes_add(mistakes, -errno, 0, "%s: %s", path, strerror(errno));
    r = input_read(fd, SETTINGS_FILE_MAX, ret_bytes, ret_size);
    close(fd);
    if (r == -EFBIG)
        return mistakes_add(mistakes, r, 0, "%s: the file is longer than %d bytes", path, SETTINGS_FILE_MAX);
    return r < 0 ? mistakes_add(mistakes, r, 0, "%s: %s", path, strerror(-r)) : 0;
}

int settings_file_read(const char *path, struct assignment_list *list, struct mistakes *mistakes)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct file file = { .path = path, .list = list, .mistakes = mistakes };
    size_t size;
    char *bytes;

    if (file_read(path, &bytes, &size, mistakes) < 0)
        return 0;
    file.next = bytes;
    file.end = bytes + size;
    if (size >= 3 && memcmp(bytes, byte_order_mark, 3) == 0)
        file.next += 3;
    if (ini_parse_stream(line_read, &file, key_read, &file) == -2) /* a build of inih that allocates its lines */
        file_fail(&file, -ENOMEM);
    free(file.section);
    free(bytes);
    return file.r;
}
