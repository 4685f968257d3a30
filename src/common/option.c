#include "common/option.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/number.h"
#include "common/settings_parts.h"
#include "common/suggestion.h"

enum { HELP_COLUMN = 36, HELP_WIDTH = 100 };

static int flag_parse(const char *text, bool *ret_flag, struct error *error)
{
    static const char *const words[][2] = { { "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" } };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        for (size_t value = 0; value < 2; value++)
            if (strcasecmp(text, words[i][value]) == 0) {
                *ret_flag = value == 1;
                return 0;
            }
    return error_set(error, -EINVAL, "\"%s\" is neither yes nor no", text);
}

/* "none of error, warning, info and debug", "neither text nor json" */
static void choices_deny(const struct option_choice *choices, char *text, size_t room)
{
    bool two = choices[1].name && !choices[2].name;
    const char *last = two ? " nor " : " and ";
    FILE *stream = fmemopen(text, room, "w");

    text[0] = '\0';
    if (!stream)
        return;
    fputs(two ? "neither " : "none of ", stream);
    for (size_t i = 0; choices[i].name; i++)
        fprintf(stream, "%s%s", i == 0 ? "" : choices[i + 1].name ? ", " : last, choices[i].name);
    fclose(stream);
}

static int choice_parse(const struct option_choice *choices, const char *text, int *ret_value, struct error *error)
{
    char known[256];

    for (size_t i = 0; choices[i].name; i++)
        if (strcasecmp(text, choices[i].name) == 0) {
            *ret_value = choices[i].value;
            return 0;
        }
    choices_deny(choices, known, sizeof(known));
    return error_set(error, -EINVAL, "\"%s\" is %s", text, known);
}

/* The CPUs that we may run on, which in a container or under taskset(1) are fewer than there are. */
static uint64_t usable_cpus(void)
{
    cpu_set_t set;
    long online;

    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (uint64_t)CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN); /* more CPUs than the set can hold */
    return online > 0 ? (uint64_t)online : 1;
}

static int number_read(const struct option_entry *option, const char *text, uint64_t *ret_value, struct error *error)
{
    int r;

    switch (option->kind) {
    case OPTION_SIZE:
        return number_parse_size(text, option->min, option->max, ret_value, error);
    case OPTION_DURATION:
        return number_parse_duration(text, option->min, option->max, ret_value, error);
    case OPTION_WORKERS:
        if (strcmp(text, "auto") == 0) {
            *ret_value = usable_cpus();
            if (*ret_value > option->max)
                *ret_value = option->max;
            return 0;
        }
        r = number_parse(text, option->min, option->max, ret_value, error);
        return r == -EINVAL ? error_set(error, r, "\"%s\" is neither a number such as 2 nor auto", text) : r;
    default:
        return number_parse(text, option->min, option->max, ret_value, error);
    }
}

static void number_store(const struct option_entry *option, uint64_t value, void *field)
{
    uint32_t narrow = (uint32_t)value;

    if (option->width == sizeof(value))
        memcpy(field, &value, sizeof(value));
    else
        memcpy(field, &narrow, sizeof(narrow));
}

static int text_check(const char *text, struct error *error)
{
    if (*text == '\0')
        return error_set(error, -EINVAL, "the value must not be empty");
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return error_set(error, -EINVAL, "the value must not have control characters");
    return 0;
}

static int text_store(const char *text, void *field, struct error *error)
{
    char *copy = strdup(text), *old;

    if (!copy)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    memcpy(&old, field, sizeof(old));
    free(old);
    memcpy(field, &copy, sizeof(copy));
    return 0;
}

static int list_store(const struct option_entry *option, const char *text, struct text_list *list, struct error *error)
{
    for (size_t i = 0; option->distinct && i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return error_set(error, -EINVAL, "\"%s\" is there twice", text);
    if (text_list_add(list, text) < 0)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    return 0;
}

static int text_read(const struct option_entry *option, const char *text, void *field, struct error *error)
{
    char canonical[NUMBER_TEXT_MAX];
    uint64_t number;
    int r;

    if (option->kind == OPTION_PREFIX) {
        r = mount_check(text, error);
        if (strcmp(text, "/") == 0)
            text++;
    } else if (option->kind == OPTION_NUMBER_LIST) {
        r = number_parse(text, option->min, option->max, &number, error);
        if (r == 0) {
            snprintf(canonical, sizeof(canonical), "%llu",
                     (unsigned long long)number); /* 03 is 3, so that twice is seen */
            text = canonical;
        }
    } else {
        r = text_check(text, error);
        if (r == 0 && option->kind == OPTION_DATAGRAM_LIST)
            r = datagram_check(text, error);
        if (r == 0 && option->kind == OPTION_HOST_LIST)
            r = host_entry_check(text, error);
        if (r == 0 && option->kind == OPTION_ORIGIN_LIST)
            r = origin_entry_check(text, error);
    }
    if (r < 0 || !field)
        return r;
    return option_is_list(option) ? list_store(option, text, field, error) : text_store(text, field, error);
}

int option_read(const struct option_entry *option, const char *text, void *base, struct error *error)
{
    void *field = base ? (char *)base + option->offset : NULL;
    uint64_t number = 0;
    int choice = 0;
    bool flag = false;
    mode_t mode = 0;
    int r;

    switch (option->kind) {
    case OPTION_FLAG:
        r = flag_parse(text, &flag, error);
        if (r == 0 && field)
            memcpy(field, &flag, sizeof(flag));
        break;
    case OPTION_CHOICE:
        r = choice_parse(option->choices, text, &choice, error);
        if (r == 0 && field)
            memcpy(field, &choice, sizeof(choice));
        break;
    case OPTION_MODE:
        r = number_parse_mode(text, &mode, error);
        if (r == 0 && field)
            memcpy(field, &mode, sizeof(mode));
        break;
    case OPTION_NUMBER:
    case OPTION_SIZE:
    case OPTION_DURATION:
    case OPTION_WORKERS:
        r = number_read(option, text, &number, error);
        if (r == 0 && field)
            number_store(option, number, field);
        break;
    default:
        r = text_read(option, text, field, error);
    }
    return r == -ERANGE ? -EINVAL : r;
}

const struct option_entry *option_find(const struct option_entry *options, size_t count, const char *name,
                                       size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == length && strncmp(options[i].name, name, length) == 0)
            return &options[i];
    return NULL;
}

const char *option_suggest(const struct option_entry *options, size_t count, const char *name)
{
    struct suggestion suggestion = SUGGESTION(name);

    for (size_t i = 0; i < count; i++)
        suggestion_consider(&suggestion, options[i].name);
    return suggestion.best;
}

int option_unknown(const struct option_entry *options, size_t count, const char *command, const char *argument,
                   struct error *error)
{
    const char *nearest = option_suggest(options, count, argument + strspn(argument, "-"));

    if (nearest)
        return error_set(error, -EINVAL, "%s: there is no such option; did you mean --%s?", argument, nearest);
    return error_set(error, -EINVAL, "%s: there is no such option; \"berth %s --help\" lists them", argument, command);
}

bool option_is_list(const struct option_entry *option)
{
    return option->kind == OPTION_TEXT_LIST || option->kind == OPTION_NUMBER_LIST ||
           option->kind == OPTION_DATAGRAM_LIST || option->kind == OPTION_HOST_LIST ||
           option->kind == OPTION_ORIGIN_LIST;
}

void option_done(const struct option_entry *option, void *base)
{
    void *field = (char *)base + option->offset;
    char *text;

    if (option_is_list(option)) {
        text_list_done(field);
    } else if (option->kind == OPTION_TEXT || option->kind == OPTION_PREFIX) {
        memcpy(&text, field, sizeof(text));
        free(text);
        text = NULL;
        memcpy(field, &text, sizeof(text));
    }
}

/* Writes `text` word by word from column `column` on, and goes on in HELP_COLUMN on the next line where it gets too
 * long. */
static size_t help_words(const char *text, size_t column, FILE *stream)
{
    while (*text) {
        size_t length = strcspn(text, " ");

        if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH) {
            fprintf(stream, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        column += (size_t)fprintf(stream, "%s%.*s", column > HELP_COLUMN ? " " : "", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
    return column;
}

static void help_entry(const struct option_entry *option, FILE *stream)
{
    char note[64] = "";
    size_t column;
    int left;

    left =
        fprintf(stream, "  --%s%s%s", option->name, option->metavar ? " " : "", option->metavar ? option->metavar : "");
    fprintf(stream, "%*s", left < HELP_COLUMN ? HELP_COLUMN - left : 1, "");
    column = help_words(option->help, left < HELP_COLUMN ? HELP_COLUMN : (size_t)left + 1, stream);
    if (option_is_list(option))
        snprintf(note, sizeof(note), "(may be repeated)");
    else if (option->fallback && *option->fallback)
        snprintf(note, sizeof(note), "[%s]", option->fallback);
    help_words(note, column, stream);
    fputc('\n', stream);
}

void option_help(const struct option_entry *options, size_t count, FILE *stream)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i].heading)
            fprintf(stream, "%s%s:\n", i > 0 ? "\n" : "", options[i].heading);
        help_entry(&options[i], stream);
    }
}
