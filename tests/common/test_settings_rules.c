/* Rules among the settings: read, kept in their order, handed on, and found again in the file. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "access/rules.h"
#include "common/settings.h"

Suite *suite_settings_rules(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static char path[64], said[4096];
static int config;

static void setup(void)
{
    config = memfd_create("berth.conf", MFD_CLOEXEC);
    ck_assert_int_ge(config, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", config);
}

static void teardown(void)
{
    close(config);
}

/* With up to two APPs of the command line. What was wrong is in `said`, a line each, without the file's name. */
static int load(struct settings *ret_settings, const char *file, const char *app, const char *other)
{
    char option[] = "--config", first[64] = "", second[64] = "", *argv[] = { option, path, first, second };
    struct mistakes mistakes = { 0 };
    size_t used = 0;
    int r;

    snprintf(first, sizeof(first), "%s", app ? app : "");
    snprintf(second, sizeof(second), "%s", other ? other : "");
    ck_assert_int_eq(ftruncate(config, 0), 0);
    ck_assert_int_eq((int)pwrite(config, file, strlen(file), 0), (int)strlen(file));
    r = settings_load(ret_settings, other ? 4 : app ? 3 : 2, argv, &mistakes);
    said[0] = '\0';
    for (size_t i = 0; i < mistakes.count; i++) {
        ck_assert_int_eq(strncmp(mistakes.items[i].text, path, strlen(path)), 0);
        used += (size_t)snprintf(said + used, sizeof(said) - used, "%s\n", mistakes.items[i].text + strlen(path) + 1);
    }
    mistakes_done(&mistakes);
    return r;
}

static const char file[] = "[app /]\n"
                           "allow = GET /a any ; who reads\n"
                           "app = ./x.so\n"
                           "deny=DELETE  *   any\n"
                           "greeting = hello\n"
                           "allow = GET /a any\n"
                           "[app /y]\n"
                           "app = ./y.so\n"
                           "[app /z]\n"
                           "app = status\n"
                           "  allow: * * user:no-such-user\n";

static void check_rules(const struct settings *settings)
{
    const struct berth_settings *apps = settings->apps;

    ck_assert_uint_eq(settings->app_count, 3);
    ck_assert_uint_eq(apps[0].rules.count, 3);
    ck_assert_str_eq(apps[0].rules.items[0], "allow GET /a any");
    ck_assert_str_eq(apps[0].rules.items[1], "deny DELETE  *   any");
    ck_assert_str_eq(apps[0].rules.items[2], "allow GET /a any");
    ck_assert_uint_eq(apps[0].keys.count, 1);
    ck_assert_ptr_null(berth_setting(&apps[0], "allow", NULL));
    ck_assert_ptr_null(berth_setting(&apps[0], "deny", NULL));
    ck_assert_str_eq(berth_setting(&apps[0], "greeting", NULL), "hello");
    ck_assert_uint_eq(apps[1].rules.count, 0);
    ck_assert_uint_eq(apps[2].rules.count, 1);
    ck_assert_str_eq(apps[2].rules.items[0], "allow * * user:no-such-user");
}

START_TEST(test_order)
{
    struct settings settings;

    ck_assert_int_eq(load(&settings, file, NULL, NULL), 0);
    check_rules(&settings);
    ck_assert_uint_eq(settings_app_line(&settings, 0), 1);
    ck_assert_uint_eq(settings_rule_line(&settings, 0, 0), 2);
    ck_assert_uint_eq(settings_rule_line(&settings, 0, 1), 4);
    ck_assert_uint_eq(settings_rule_line(&settings, 0, 2), 6);
    ck_assert_uint_eq(settings_rule_line(&settings, 0, 3), 0);
    ck_assert_uint_eq(settings_app_line(&settings, 1), 7);
    ck_assert_uint_eq(settings_rule_line(&settings, 1, 0), 0);
    ck_assert_uint_eq(settings_app_line(&settings, 2), 9);
    ck_assert_uint_eq(settings_rule_line(&settings, 2, 0), 11);
    ck_assert_uint_eq(settings_rule_line(&settings, 3, 0), 0);
    settings_done(&settings);
}
END_TEST

START_TEST(test_round_trip)
{
    int fd = memfd_create("settings", MFD_CLOEXEC);
    struct settings settings, again;
    struct error error;

    ck_assert_int_eq(load(&settings, file, NULL, NULL), 0);
    ck_assert_int_eq(settings_write(&settings, fd), 0);
    ck_assert_int_eq((int)lseek(fd, 0, SEEK_SET), 0);
    ck_assert_msg(settings_read(&again, fd, &error) == 0, "%s", error.text);
    check_rules(&again);
    settings_done(&again);
    settings_done(&settings);
    close(fd);
}
END_TEST

/* Who tries another application at a mount, or two of them, keeps its rules: none is open by that. */
START_TEST(test_other_apps)
{
    struct settings settings;

    ck_assert_int_eq(load(&settings, file, "./a.so", "./b.so"), 0);
    ck_assert_uint_eq(settings.app_count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(settings.apps[i].rules.count, 3);
        ck_assert_str_eq(settings.apps[i].rules.items[1], "deny DELETE  *   any");
        ck_assert_uint_eq(settings_rule_line(&settings, i, 1), 4);
        ck_assert_uint_eq(settings_app_line(&settings, i), 2);
    }
    settings_done(&settings);
}
END_TEST

static const struct {
    const char *file, *said;
} bad[] = {
    { "[app /]\napp = a\nallow = get * any\n",
      "3: allow: \"get\" is no method such as GET; a rule is METHODS PATH WHO, such as GET,HEAD /status/* any\n" },
    { "[app /]\napp = a\ndeny =\n",
      "3: deny: nothing is said; a rule is METHODS PATH WHO, such as GET,HEAD /status/* any\n" },
    { "[app /]\napp = a\nallow = GET /x any # me\n",
      "3: allow: behind a value, a comment begins with \";\" and not with \"#\"\n" },
    { "[app /]\napp = a\nAllow = GET /x any\nDENY = x\n", "3: Allow: a rule begins with \"allow\", in small letters\n"
                                                          "4: DENY: a rule begins with \"deny\", in small letters\n" },
    { "deny = DELETE * any\n", "1: deny: a rule stands in the section of its application, such as [app /]\n" },
    { "[listen a]\nuds = /a\nallow = * * any\n",
      "3: allow: a listener has no such key; it has uds, socket-mode, socket-user, socket-group and backlog\n" },
    { "[app /]\nallow = * * any\n", "1: [app /] has no \"app = …\"\n" },
};

START_TEST(test_bad)
{
    struct settings settings;

    ck_assert_int_eq(load(&settings, bad[_i].file, NULL, NULL), -EINVAL);
    ck_assert_str_eq(said, bad[_i].said);
}
END_TEST

START_TEST(test_too_many)
{
    char many[64 + (RULES_MAX + 1) * 32];
    struct settings settings;
    size_t used = (size_t)snprintf(many, sizeof(many), "[app /x]\napp = a\n");

    for (int i = 0; i < RULES_MAX; i++)
        used += (size_t)snprintf(many + used, sizeof(many) - used, "allow = * * uid:%d\n", i);
    ck_assert_int_eq(load(&settings, many, NULL, NULL), 0);
    ck_assert_uint_eq(settings.apps[0].rules.count, RULES_MAX);
    settings_done(&settings);
    snprintf(many + used, sizeof(many) - used, "deny = * * any\n");
    ck_assert_int_eq(load(&settings, many, NULL, NULL), -EINVAL);
    ck_assert_str_eq(said, "259: deny: [app /x] has 256 rules already, and may have no more\n");
}
END_TEST

static int judge(const struct settings *settings, const char *key, const char *text, struct error *error)
{
    (void)settings;
    if (strcmp(key, "allow") != 0 && strcmp(key, "deny") != 0)
        return 0;
    return error_set(error, strcmp(key, "deny") == 0 ? 1 : -EINVAL, "%s: <%s>", key, text);
}

START_TEST(test_judged)
{
    static const char *const judged[] = { ":2: allow: <GET /a any>", ":4: deny: <DELETE  *   any>",
                                          ":6: allow: <GET /a any>", ":11: allow: <* * user:no-such-user>" };
    struct mistakes mistakes = { 0 };
    struct settings settings;

    ck_assert_int_eq(load(&settings, file, NULL, NULL), 0);
    settings_judge_all(&settings, judge, &mistakes);
    ck_assert_int_eq((int)mistakes.count, COUNT(judged));
    for (int i = 0; i < COUNT(judged); i++)
        ck_assert_str_eq(mistakes.items[i].text + strlen(path), judged[i]);
    ck_assert(mistakes.items[1].warning && !mistakes.items[0].warning);
    mistakes_done(&mistakes);
    settings_done(&settings);
}
END_TEST

Suite *suite_settings_rules(void)
{
    Suite *suite = suite_create("settings_rules");
    TCase *tcase = tcase_create("rules");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_order);
    tcase_add_test(tcase, test_round_trip);
    tcase_add_test(tcase, test_other_apps);
    tcase_add_loop_test(tcase, test_bad, 0, COUNT(bad));
    tcase_add_test(tcase, test_too_many);
    tcase_add_test(tcase, test_judged);
    suite_add_tcase(suite, tcase);
    return suite;
}
