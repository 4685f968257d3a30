/*
 * Makes manual pages and completions from a template and the tables of the program itself: `generate TEMPLATE DATE`
 * copies the template to standard output, puts version, date and limit in the place of @version@, @date@ and
 * @compile-limit@, and lists in the place of lines such as "@man-options@". Run by make, never installed.
 */
#include <config.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/apps.h"
#include "command/command.h"
#include "command/explain.h"
#include "common/number.h"
#include "common/settings_parts.h"
#include "worker/compile.h"

#define UNLIMITED (UINT64_C(1) << 62) /* as the table's */

enum { LINE_MAX_BYTES = 4096 };

/* ---- man(7) ---- */

static void put_man(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '\\')
            fputs("\\e", stdout);
        else if (*c == '-')
            fputs("\\-", stdout);
        else if (*c == '~')
            fputs("\\(ti", stdout);
        else
            putchar(*c);
    }
}

/* A help text as a sentence. */
static void put_sentence(const char *help)
{
    char first[2] = { (char)toupper((unsigned char)help[0]), '\0' };

    put_man(first);
    put_man(help + 1);
    puts(".");
}

static void format_number(const struct option_entry *option, uint64_t number, char *ret_text)
{
    if (option->kind == OPTION_SIZE)
        number_format_size(number, ret_text);
    else if (option->kind == OPTION_DURATION)
        number_format_duration(number, ret_text);
    else
        snprintf(ret_text, NUMBER_TEXT_MAX, "%llu", (unsigned long long)number);
}

static bool is_number(const struct option_entry *option)
{
    return option->kind == OPTION_NUMBER || option->kind == OPTION_SIZE || option->kind == OPTION_DURATION ||
           option->kind == OPTION_WORKERS;
}

static void put_limits(const struct option_entry *option)
{
    char min[NUMBER_TEXT_MAX], max[NUMBER_TEXT_MAX];

    format_number(option, option->min, min);
    format_number(option, option->max, max);
    if (option->max < UNLIMITED)
        printf("From %s to %s.\n", min, max);
    else if (option->min > 0)
        printf("At least %s.\n", min);
}

static void put_details(const struct option_entry *option)
{
    put_sentence(option->help);
    if (is_number(option))
        put_limits(option);
    if (option_is_list(option))
        puts("May be repeated.");
    if (option->kind == OPTION_FLAG)
        puts("Default: no.");
    else if (option->fallback)
        printf("Default: %s.\n", option->fallback);
}

static void man_heading(const struct option_entry *option)
{
    if (option->heading)
        printf(".SS %s\n", option->heading);
}

static void man_option(const struct option_entry *option)
{
    fputs(".TP\n\\fB\\-\\-", stdout);
    put_man(option->name);
    fputs("\\fR", stdout);
    if (option->metavar)
        printf(" \\fI%s\\fR", option->metavar);
    putchar('\n');
    put_details(option);
}

static void man_options(void)
{
    for (size_t i = 0; i < settings_option_count; i++) {
        const struct option_entry *option = &settings_options[i];
        char variable[ASSIGNMENT_VARIABLE_MAX];

        man_heading(option);
        man_option(option);
        assignment_variable(option->name, variable);
        printf("Variable:\n.BR \\%%%s .\n", variable);
    }
}

static void man_options_of(const struct option_entry *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        man_option(&options[i]);
}

static void man_keys(void)
{
    for (size_t i = 0; i < settings_option_count; i++) {
        const struct option_entry *option = &settings_options[i];

        man_heading(option);
        if (option->not_in_file)
            continue;
        fputs(".TP\n\\fB", stdout);
        put_man(option->name);
        printf("\\fR = \\fI%s\\fR\n", option->kind == OPTION_FLAG ? "yes|no" : option->metavar);
        put_details(option);
    }
}

static void man_commands(void)
{
    for (size_t i = 0; i < command_count; i++) {
        if (!commands[i].summary)
            continue;
        printf(".TP\n\\fBberth %s\\fR\n", commands[i].name);
        put_sentence(commands[i].summary);
        printf("See\n.BR berth\\-%s (1).\n", commands[i].name);
    }
}

/* ---- shells ---- */

/* What completes an option's value. */
enum value_kind { VALUE_NONE, VALUE_ANY, VALUE_FILE, VALUE_USER, VALUE_GROUP, VALUE_WORDS };

static enum value_kind value_kind(const struct option_entry *option)
{
    if (option->kind == OPTION_FLAG)
        return VALUE_NONE;
    if (option->choices || option->kind == OPTION_WORKERS)
        return VALUE_WORDS;
    if (option->kind != OPTION_TEXT && option->kind != OPTION_TEXT_LIST)
        return VALUE_ANY;
    if (strcmp(option->metavar, "FILE") == 0 || strcmp(option->metavar, "PATH") == 0 ||
        strcmp(option->metavar, "GLOB") == 0)
        return VALUE_FILE;
    if (strncmp(option->metavar, "USER", strlen("USER")) == 0) /* "USER METHOD TARGET" begins with one */
        return VALUE_USER;
    return strcmp(option->metavar, "GROUP") == 0 ? VALUE_GROUP : VALUE_ANY;
}

static void put_words(const struct option_entry *option)
{
    if (option->kind == OPTION_WORKERS)
        fputs("auto", stdout);
    for (const struct option_choice *choice = option->choices; choice && choice->name; choice++)
        printf("%s%s", choice > option->choices ? " " : "", choice->name);
}

static void put_escaped(const char *text, const char *special, const char *escape)
{
    for (; *text; text++) {
        if (strchr(special, *text))
            fputs(escape, stdout);
        putchar(*text);
    }
}

/* In single quotes, for any of the three shells. */
static void put_in_quotes(const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
}

static void bash_commands(void)
{
    fputs("    commands='", stdout);
    for (size_t i = 0; i < command_count; i++)
        if (commands[i].summary)
            printf("%s ", commands[i].name);
    fputs("--help --version'\n", stdout);
}

static void bash_options_of(const char *variable, const struct option_entry *options, size_t count)
{
    printf("    %s='--help", variable);
    for (size_t i = 0; i < count; i++)
        printf(" --%s", options[i].name);
    puts("'");
}

static void bash_options(void)
{
    bash_options_of("options", settings_options, settings_option_count);
    bash_options_of("explain_options", explain_options, explain_option_count);
    bash_options_of("doctor_options", doctor_options, doctor_option_count);
    bash_options_of("sockets_options", sockets_options, sockets_option_count);
}

/* Names of built-in applications, with the colon behind those that have an argument. */
static void put_builtins(void)
{
    char *names = strdup(builtin_names()), *name, *rest = NULL;

    for (name = names ? strtok_r(names, ", ", &rest) : NULL; name; name = strtok_r(NULL, ", ", &rest)) {
        char *colon = strchr(name, ':');

        if (colon)
            colon[1] = '\0';
        printf("%s%s", name == names ? "" : " ", name);
    }
    free(names);
}

static void bash_builtins(void)
{
    fputs("    builtins='", stdout);
    put_builtins();
    puts("'");
}

static void zsh_builtins(void)
{
    fputs("    compadd -- ", stdout);
    put_builtins();
    putchar('\n');
}

static void fish_builtins(void)
{
    fputs("complete -c berth -n $serving -a '", stdout);
    put_builtins();
    puts("' -d 'built-in application'");
}

/* Only those with a value: cases of what stands before it. */
static void bash_values_of(const struct option_entry *options, size_t count)
{
    static const char *const actions[] = { [VALUE_ANY] = "COMPREPLY=()",
                                           [VALUE_FILE] = "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")",
                                           [VALUE_USER] = "mapfile -t COMPREPLY < <(compgen -u -- \"$current\")",
                                           [VALUE_GROUP] = "mapfile -t COMPREPLY < <(compgen -g -- \"$current\")" };

    for (size_t i = 0; i < count; i++) {
        enum value_kind kind = value_kind(&options[i]);

        if (kind == VALUE_NONE)
            continue;
        printf("    --%s)\n        ", options[i].name);
        if (kind == VALUE_WORDS) {
            fputs("mapfile -t COMPREPLY < <(compgen -W '", stdout);
            put_words(&options[i]);
            fputs("' -- \"$current\")", stdout);
        } else {
            fputs(actions[kind], stdout);
        }
        fputs("\n        return\n        ;;\n", stdout);
    }
}

static void bash_values(void)
{
    bash_values_of(settings_options, settings_option_count);
}

static void zsh_commands(void)
{
    for (size_t i = 0; i < command_count; i++)
        if (commands[i].summary)
            printf("        '%s:%s'\n", commands[i].name, commands[i].summary);
}

/* '*--uds=[listen on a Unix socket at PATH]:PATH:_files' */
static void zsh_option(const struct option_entry *option)
{
    static const char *const actions[] = {
        [VALUE_ANY] = " ", [VALUE_FILE] = "_files", [VALUE_USER] = "_users", [VALUE_GROUP] = "_groups"
    };
    enum value_kind kind = value_kind(option);

    printf("        '%s--%s%s[", option_is_list(option) ? "*" : "", option->name, kind == VALUE_NONE ? "" : "=");
    for (const char *c = option->help; *c; c++) {
        char one[2] = { *c, '\0' };

        if (*c == '\'')
            put_in_quotes(one);
        else
            put_escaped(one, "[]:\\", "\\");
    }
    putchar(']');
    if (kind != VALUE_NONE)
        printf(":%s:", option->metavar);
    if (kind == VALUE_WORDS) {
        putchar('(');
        put_words(option);
        putchar(')');
    } else if (kind != VALUE_NONE) {
        fputs(actions[kind], stdout);
    }
    puts("'");
}

static void zsh_options_of(const struct option_entry *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        zsh_option(&options[i]);
}

static void zsh_options(void)
{
    zsh_options_of(settings_options, settings_option_count);
}

static void fish_commands(void)
{
    for (size_t i = 0; i < command_count; i++)
        if (commands[i].summary)
            printf("complete -c berth -n __fish_use_subcommand -f -a %s -d '%s'\n", commands[i].name,
                   commands[i].summary);
}

static void fish_options_of(const char *condition, const struct option_entry *options, size_t count)
{
    static const char *const values[] = { [VALUE_NONE] = "",
                                          [VALUE_ANY] = " -x",
                                          [VALUE_FILE] = " -r -F",
                                          [VALUE_USER] = " -x -a '(__fish_complete_users)'",
                                          [VALUE_GROUP] = " -x -a '(__fish_complete_groups)'" };

    for (size_t i = 0; i < count; i++) {
        const struct option_entry *option = &options[i];
        enum value_kind kind = value_kind(option);

        printf("complete -c berth -n %s -l %s", condition, option->name);
        if (kind == VALUE_WORDS) {
            fputs(" -x -a '", stdout);
            put_words(option);
            putchar('\'');
        } else {
            fputs(values[kind], stdout);
        }
        fputs(" -d '", stdout);
        put_escaped(option->help, "'\\", "\\");
        puts("'");
    }
}

static void fish_options(void)
{
    fish_options_of("$serving", settings_options, settings_option_count);
}

static void fish_explain_options(void)
{
    fish_options_of("$checking", explain_options, explain_option_count);
}

static void fish_doctor_options(void)
{
    fish_options_of("$asking", doctor_options, doctor_option_count);
}

static void fish_sockets_options(void)
{
    fish_options_of("$listing", sockets_options, sockets_option_count);
}

/* ---- templates ---- */

static const struct {
    const char *line;
    void (*put)(void);
} lists[] = {
    { "@man-options@", man_options },
    { "@man-keys@", man_keys },
    { "@man-commands@", man_commands },
    { "@bash-commands@", bash_commands },
    { "@bash-options@", bash_options },
    { "@bash-builtins@", bash_builtins },
    { "@bash-values@", bash_values },
    { "@zsh-commands@", zsh_commands },
    { "@zsh-options@", zsh_options },
    { "@fish-commands@", fish_commands },
    { "@fish-options@", fish_options },
    { "@zsh-builtins@", zsh_builtins },
    { "@fish-builtins@", fish_builtins },
    { "@fish-explain-options@", fish_explain_options },
    { "@fish-doctor-options@", fish_doctor_options },
    { "@fish-sockets-options@", fish_sockets_options },
};

/* Those of one command alone. */
static const struct {
    const char *line;
    void (*put)(const struct option_entry *options, size_t count);
    const struct option_entry *options;
    const size_t *count;
} command_lists[] = {
    { "@man-explain-options@", man_options_of, explain_options, &explain_option_count },
    { "@bash-explain-values@", bash_values_of, explain_options, &explain_option_count },
    { "@zsh-explain-options@", zsh_options_of, explain_options, &explain_option_count },
    { "@man-doctor-options@", man_options_of, doctor_options, &doctor_option_count },
    { "@bash-doctor-values@", bash_values_of, doctor_options, &doctor_option_count },
    { "@zsh-doctor-options@", zsh_options_of, doctor_options, &doctor_option_count },
    { "@man-sockets-options@", man_options_of, sockets_options, &sockets_option_count },
    { "@bash-sockets-values@", bash_values_of, sockets_options, &sockets_option_count },
    { "@zsh-sockets-options@", zsh_options_of, sockets_options, &sockets_option_count },
};

static bool put_list(const char *line)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (strcmp(lists[i].line, line) == 0) {
            lists[i].put();
            return true;
        }
    for (size_t i = 0; i < sizeof(command_lists) / sizeof(command_lists[0]); i++)
        if (strcmp(command_lists[i].line, line) == 0) {
            command_lists[i].put(command_lists[i].options, *command_lists[i].count);
            return true;
        }
    return false;
}

static void put_line(const char *line, const char *date)
{
    const char *at;

    if (put_list(line))
        return;
    while ((at = strchr(line, '@'))) {
        printf("%.*s", (int)(at - line), line);
        line = at;
        if (strncmp(line, "@version@", 9) == 0) {
            fputs(PACKAGE_VERSION, stdout);
            line += 9;
        } else if (strncmp(line, "@date@", 6) == 0) {
            fputs(date, stdout);
            line += 6;
        } else if (strncmp(line, "@compile-limit@", 15) == 0) {
            printf("%d", COMPILE_LIMIT_SECONDS);
            line += 15;
        } else {
            putchar(*line++);
        }
    }
    puts(line);
}

int main(int argc, char **argv)
{
    FILE *template = argc == 3 ? fopen(argv[1], "re") : NULL;
    char line[LINE_MAX_BYTES];

    if (!template) {
        fputs("usage: generate TEMPLATE DATE\n", stderr);
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof(line), template)) {
        line[strcspn(line, "\n")] = '\0';
        put_line(line, argv[2]);
    }
    fclose(template);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
