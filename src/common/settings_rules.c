/*
 * The rules among an application's settings: "allow" and "deny", repeated, in one order. What a rule may say is known
 * to src/access alone, whose check is pure: the only thing above src/common that is asked here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "access/rules.h"
#include "common/settings_parts.h"

static const char *const keys[] = { "allow", "deny" };

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

bool is_rule_key(const char *key)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

int rule_key_check(const char *key, struct error *error)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcasecmp(keys[i], key) == 0 && strcmp(keys[i], key) != 0)
            return error_set(error, -EINVAL, "a rule begins with \"%s\", in small letters", keys[i]);
    return 0;
}

static int text_make(const char *key, const char *value, char **ret_text, struct error *error)
{
    char *text;
    int r;

    if (asprintf(&text, "%s %s", key, value) < 0)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    r = rule_check(text, error);
    if (r == 0)
        *ret_text = text;
    else
        free(text);
    return r;
}

int rule_value_check(const char *key, const char *value, struct error *error)
{
    char *text;
    int r = text_make(key, value, &text, error);

    if (r == 0)
        free(text);
    return r;
}

int rule_assign(struct berth_settings *app, const char *key, const char *value, struct error *error)
{
    struct error reason;
    char *text;
    int r = text_make(key, value, &text, &reason);

    if (r < 0)
        return error_set(error, r, "%s: %s", key, reason.text);
    if (app->rules.count >= RULES_MAX)
        r = error_set(error, -EINVAL, "%s: [app %s] has %d rules already, and may have no more", key,
                      *app->mount ? app->mount : "/", RULES_MAX);
    else if (text_list_add(&app->rules, text) < 0)
        r = error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    free(text);
    return r;
}
