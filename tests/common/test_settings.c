#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/settings.h"

Suite *suite_settings(void);

#define COUNT(array)  ((int)(sizeof(array) / sizeof((array)[0])))
#define ARGUMENTS_MAX 32

static char config_path[64];
static int config_fd;

/* A variable that whoever runs the tests has set would be read, too. */
static void setup(void)
{
    static const char *const variables[] = { "BERTH_UDS",     "BERTH_FD",         "BERTH_WORKERS",
                                             "BERTH_BACKLOG", "BERTH_ALLOW_HOST", "BERTH_ALLOW_ABSTRACT",
                                             "BERTH_CONFIG" };

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        unsetenv(variables[i]);
    config_fd = memfd_create("berth.conf", MFD_CLOEXEC);
    ck_assert_int_ge(config_fd, 0);
    snprintf(config_path, sizeof(config_path), "/proc/self/fd/%d", config_fd);
}

static void teardown(void)
{
    close(config_fd);
    unsetenv("BERTH_UDS");
    unsetenv("BERTH_BACKLOG");
    unsetenv("BERTH_CONFIG");
}

static void config_write(const void *bytes, size_t size)
{
    ck_assert_int_eq(ftruncate(config_fd, 0), 0);
    ck_assert_int_eq((int)pwrite(config_fd, bytes, size, 0), (int)size);
}

/* What the last load said, a line for each mistake. */
static char said[16384];

static void say(struct mistakes *mistakes)
{
    size_t used = 0;

    said[0] = '\0';
    for (size_t i = 0; i < mistakes->count && used < sizeof(said); i++)
        used += (size_t)snprintf(said + used, sizeof(said) - used, "%s%s%s", i > 0 ? "\n" : "",
                                 mistakes->items[i].warning ? "warning: " : "", mistakes->items[i].text);
    mistakes_done(mistakes);
}

/* Loads what a command line says, its words separated by single spaces; with the file, unless config is NULL. */
static int load(struct settings *ret_settings, const char *words, const char *config)
{
    char copy[1024], *argv[ARGUMENTS_MAX], *word, *rest = NULL;
    struct mistakes mistakes = { 0 };
    char option[] = "--config";
    int r, argc = 0;

    if (config) {
        config_write(config, strlen(config));
        argv[argc++] = option;
        argv[argc++] = config_path;
    }
    snprintf(copy, sizeof(copy), "%s", words);
    for (word = strtok_r(copy, " ", &rest); word && argc < ARGUMENTS_MAX; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    r = settings_load(ret_settings, argc, argv, &mistakes);
    say(&mistakes);
    return r;
}

static void load_well(struct settings *ret_settings, const char *words, const char *config)
{
    int r = load(ret_settings, words, config);

    ck_assert_msg(r == 0, "%s: %s", words, said);
    ck_assert_str_eq(said, "");
}

START_TEST(test_defaults)
{
    struct settings settings;

    load_well(&settings, "", NULL);
    ck_assert_uint_eq(settings.uds.count, 0);
    ck_assert_uint_eq(settings.fds.count, 0);
    ck_assert(!settings.abstract_sockets);
    ck_assert_uint_eq(settings.socket_mode, 0660);
    ck_assert_ptr_null(settings.socket_user);
    ck_assert_uint_eq(settings.backlog, 2048);
    ck_assert_ptr_null(settings.config);
    ck_assert_uint_eq(settings.workers, 1);
    ck_assert_uint_eq(settings.worker_timeout_ms, 30000);
    ck_assert_uint_eq(settings.max_requests, 0);
    ck_assert_uint_eq(settings.graceful_ms, 10000);
    ck_assert_uint_eq(settings.exit_idle_ms, 0);
    ck_assert_str_eq(settings.root_path, "");
    ck_assert_uint_eq(settings.keep_alive_ms, 75000);
    ck_assert_uint_eq(settings.header_ms, 15000);
    ck_assert_uint_eq(settings.body_ms, 60000);
    ck_assert_uint_eq(settings.heartbeat_ms, 30000);
    ck_assert_uint_eq(settings.limit_connections, 1024);
    ck_assert_uint_eq(settings.limit_body, 1048576);
    ck_assert_uint_eq(settings.limit_header, 8192);
    ck_assert_uint_eq(settings.limit_target, 4096);
    ck_assert_ptr_null(settings.event_log);
    ck_assert_uint_eq(settings.event_log_size, 16777216);
    ck_assert_uint_eq(settings.event_sync_ms, 1000);
    ck_assert_uint_eq(settings.datagrams.count, 0);
    ck_assert(!settings_use_events(&settings));
    ck_assert_int_eq(settings.log_level, BERTH_LOG_INFO);
    ck_assert_int_eq(settings.log_format, LOG_FORMAT_TEXT);
    ck_assert_ptr_null(settings.access_log);
    ck_assert(!settings.no_access_log);
    ck_assert_uint_eq(settings.app_count, 0);
    ck_assert_uint_eq(settings.assignment_count, 0);
    settings_done(&settings);
}
END_TEST

START_TEST(test_every_flag)
{
    struct settings settings;

    load_well(
        &settings,
        "--uds /a --uds=/b --fd 3 --allow-abstract --socket-mode 0600 --socket-user=www --workers=7 "
        "--root-path /api --log-level=debug --limit-request-header 2K --max-requests=9 --max-requests-jitter=3 "
        "--access-log /log --no-access-log --log-format JSON --allow-host api.example.org --allow-host *.a_b.example. "
        "--allow-host 192.0.2.1 --allow-host [2001:db8::1]",
        NULL);
    ck_assert_uint_eq(settings.allow_host.count, 4);
    ck_assert_uint_eq(settings.uds.count, 2);
    ck_assert_str_eq(settings.uds.items[0], "/a");
    ck_assert_str_eq(settings.uds.items[1], "/b");
    ck_assert_ptr_null(settings.uds.items[2]);
    ck_assert_str_eq(settings.fds.items[0], "3");
    ck_assert(settings.abstract_sockets);
    ck_assert_uint_eq(settings.socket_mode, 0600);
    ck_assert_str_eq(settings.socket_user, "www");
    ck_assert_uint_eq(settings.workers, 7);
    ck_assert_str_eq(settings.root_path, "/api");
    ck_assert_int_eq(settings.log_level, BERTH_LOG_DEBUG);
    ck_assert_uint_eq(settings.limit_header, 2048);
    ck_assert_uint_eq(settings.max_requests, 9);
    ck_assert_uint_eq(settings.max_requests_jitter, 3);
    ck_assert_str_eq(settings.access_log, "/log");
    ck_assert(settings.no_access_log);
    ck_assert_int_eq(settings.log_format, LOG_FORMAT_JSON);
    settings_done(&settings);
}
END_TEST

START_TEST(test_events)
{
    struct settings settings;

    load_well(&settings,
              "--event-log /e --event-log-size 1M --event-log-sync 50ms --datagram events:/d:1 "
              "--datagram=events:@d",
              NULL);
    ck_assert_str_eq(settings.event_log, "/e");
    ck_assert_uint_eq(settings.event_log_size, 1048576);
    ck_assert_uint_eq(settings.event_sync_ms, 50);
    ck_assert_uint_eq(settings.datagrams.count, 2);
    ck_assert_str_eq(settings_datagram_path(settings.datagrams.items[0]), "/d:1");
    ck_assert_str_eq(settings_datagram_path(settings.datagrams.items[1]), "@d");
    settings_done(&settings);
}
END_TEST

static const struct {
    const char *words;
    bool use;
} users_of_events[] = {
    { "a.so", false },        { "--event-log-size 2M", false },   { "events", true },
    { "/live=events", true }, { "--event-log /e a.so", true },    { "--datagram events:/d a.so", true },
    { "eventss.so", false },  { "a.so /x=b.so /y=events", true },
};

START_TEST(test_use_of_events)
{
    struct settings settings;

    load_well(&settings, users_of_events[_i].words, NULL);
    ck_assert_int_eq(settings_use_events(&settings), users_of_events[_i].use);
    settings_done(&settings);
}
END_TEST

/* As `/=site:./public ./api.so`: what both answer is for the router to refuse. */
START_TEST(test_two_at_one_mount)
{
    struct settings settings;

    load_well(&settings, "/=a.so b.so", "[app /]\nlimit = 3\n");
    ck_assert_uint_eq(settings.app_count, 2);
    for (size_t i = 0; i < settings.app_count; i++) {
        ck_assert_str_eq(settings.apps[i].mount, "");
        ck_assert_str_eq(berth_setting(&settings.apps[i], "limit", "none"), "3");
    }
    ck_assert_str_eq(settings.apps[0].app, "a.so");
    ck_assert_str_eq(settings.apps[1].app, "b.so");
    settings_done(&settings);
}
END_TEST

START_TEST(test_workers_auto)
{
    struct settings settings;
    cpu_set_t set, all;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    load_well(&settings, "--workers auto", NULL);
    ck_assert_int_eq((int)settings.workers, CPU_COUNT(&all));
    settings_done(&settings);
    CPU_ZERO(&set);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&set) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &set);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(set), &set), 0);
    load_well(&settings, "--workers auto", NULL);
    sched_setaffinity(0, sizeof(all), &all);
    ck_assert_uint_eq(settings.workers, 1);
    settings_done(&settings);
}
END_TEST

/* A flag beats the environment, which beats the file: for a number and for a list, whatever subset is there. */
START_TEST(test_precedence)
{
    bool file = _i & 1, environment = _i & 2, flag = _i & 4;
    unsigned int backlog = flag ? 3 : environment ? 2 : file ? 1 : 2048;
    struct settings settings;

    if (environment) {
        setenv("BERTH_BACKLOG", "2", 1);
        setenv("BERTH_UDS", "/environment/1, /environment/2", 1);
    } else {
        setenv("BERTH_BACKLOG", "", 1);
    }
    load_well(&settings, flag ? "--backlog 3 --uds /flag" : "",
              file ? "backlog = 1\nuds = /file/1\nuds = /file/2\nuds = /file/3\n" : NULL);
    ck_assert_uint_eq(settings.backlog, backlog);
    ck_assert_uint_eq(settings.uds.count, flag ? 1 : environment ? 2 : file ? 3 : 0);
    if (settings.uds.count > 0)
        ck_assert_str_eq(settings.uds.items[settings.uds.count - 1], flag          ? "/flag"
                                                                     : environment ? "/environment/2"
                                                                                   : "/file/3");
    settings_done(&settings);
}
END_TEST

START_TEST(test_last_flag)
{
    struct settings settings;

    load_well(&settings, "--backlog 1 --backlog 2", NULL);
    ck_assert_uint_eq(settings.backlog, 2);
    ck_assert_uint_eq(settings.assignment_count, 1);
    settings_done(&settings);
}
END_TEST

START_TEST(test_config_by_environment)
{
    struct settings settings;

    config_write("backlog = 9\n", 12);
    setenv("BERTH_CONFIG", config_path, 1);
    load_well(&settings, "", NULL);
    ck_assert_uint_eq(settings.backlog, 9);
    ck_assert_str_eq(settings.config, config_path);
    settings_done(&settings);
}
END_TEST

/* ---- mistakes on the command line ---- */

#define NO_HOST                                                                                                        \
    "is no host: a name such as api.example.org, *.example.org for all below it, or an address such as 192.0.2.1 or "  \
    "[2001:db8::1]; no scheme, no port"

static const struct {
    const char *words, *message;
} bad_words[] = {
    { "--worker 2", "--worker: there is no such option; did you mean --workers?" },
    { "--wrokers=2", "--wrokers: there is no such option; did you mean --workers?" },
    { "--timeout-keepalive 2", "--timeout-keepalive: there is no such option; did you mean --timeout-keep-alive?" },
    { "--xyzzy", "--xyzzy: there is no such option; \"berth serve --help\" lists them" },
    { "--=x", "--: there is no such option; \"berth serve --help\" lists them" },
    { "-w 2", "-w: there are no short options; \"berth serve --help\" lists the long ones" },
    { "-", "-: there are no short options; \"berth serve --help\" lists the long ones" },
    { "--uds", "--uds: PATH must follow" },
    { "--uds --workers", "--uds: PATH must follow, not --workers (if that is meant: --uds=--workers)\n"
                         "--workers: N|auto must follow" },
    { "--uds=", "--uds: the value must not be empty" },
    { "--a\xc2\x9b\xe2\x80\xae\xff",
      "--a\\xc2\\x9b\\xe2\\x80\\xae\\xff: there is no such option; \"berth serve --help\" lists "
      "them" },
    { "--uds=\x1b", "--uds: the value must not have control characters" },
    { "--uds /a --uds /a", "--uds: \"/a\" is there twice" },
    { "--fd 3 --fd 03", "--fd: \"3\" is there twice" },
    { "--fd x", "--fd: \"x\" is not a number such as 1" },
    { "--fd 2147483648", "--fd: \"2147483648\" is too large: it must be at most 2147483647" },
    { "--allow-abstract=maybe", "--allow-abstract: \"maybe\" is neither yes nor no" },
    { "--socket-mode 9999", "--socket-mode: \"9999\" is not an octal mode such as 0660" },
    { "--backlog 0", "--backlog: \"0\" is too small: it must be at least 1" },
    { "--backlog 65536", "--backlog: \"65536\" is too large: it must be at most 65535" },
    { "--workers Auto", "--workers: \"Auto\" is neither a number such as 2 nor auto" },
    { "--workers 0", "--workers: \"0\" is too small: it must be at least 1" },
    { "--workers 513", "--workers: \"513\" is too large: it must be at most 512" },
    { "--worker-timeout 25h", "--worker-timeout: \"25h\" is too large: it must be at most 1d" },
    { "--timeout-header 0", "--timeout-header: \"0\" is too small: it must be at least 1ms" },
    { "--limit-request-body 1X", "--limit-request-body: \"1X\" is not a size such as 512, 64K or 1M" },
    { "--limit-request-header 1023", "--limit-request-header: \"1023\" is too small: it must be at least 1K" },
    { "--event-log-size 1023K", "--event-log-size: \"1023K\" is too small: it must be at least 1M" },
    { "--event-log-sync 0", "--event-log-sync: \"0\" is too small: it must be at least 1ms" },
    { "--datagram /d", "--datagram: \"/d\" does not say APP:PATH, such as events:/run/events.sock" },
    { "--datagram :/d", "--datagram: \":/d\" does not say APP:PATH, such as events:/run/events.sock" },
    { "--datagram echo:/d", "--datagram: \"echo:/d\": \"echo\" takes no datagrams; only events does: events:/d" },
    { "--datagram events:", "--datagram: \"events:\" has no path, such as events:/run/events.sock" },
    { "--datagram events:/d --datagram events:/d", "--datagram: \"events:/d\" is there twice" },
    { "--exit-idle-time 5 events", "--exit-idle-time: the log of events would be gone with berth: say event-log, the "
                                   "file to keep them in" },
    { "--exit-idle-time 5 --event-log /e --datagram events:/d events",
      "--exit-idle-time: only for sockets that are handed over (LISTEN_FDS, --fd): nobody would listen at ours when "
      "berth is gone" },
    { "--allow-host http://a.example", "--allow-host: \"http://a.example\" " NO_HOST },
    { "--allow-host a.example:80", "--allow-host: \"a.example:80\" " NO_HOST },
    { "--allow-host a.example/", "--allow-host: \"a.example/\" " NO_HOST },
    { "--allow-host *", "--allow-host: \"*\" " NO_HOST },
    { "--allow-host *.", "--allow-host: \"*.\" " NO_HOST },
    { "--allow-host a..example", "--allow-host: \"a..example\" " NO_HOST },
    { "--allow-host .example", "--allow-host: \".example\" " NO_HOST },
    { "--allow-host ::1", "--allow-host: \"::1\" " NO_HOST },
    { "--allow-host [::1]:80", "--allow-host: \"[::1]:80\" " NO_HOST },
    { "--allow-host [::g]", "--allow-host: \"[::g]\" " NO_HOST },
    { "--allow-host []", "--allow-host: \"[]\" " NO_HOST },
    { "--allow-host b\xc3\xbc.example", "--allow-host: \"b\xc3\xbc.example\" " NO_HOST },
    { "--log-level loud", "--log-level: \"loud\" is none of error, warning, info and debug" },
    { "--log-format xml", "--log-format: \"xml\" is neither text nor json" },
    { "--root-path api", "--root-path: \"api\" does not begin with \"/\"" },
    { "--root-path /api/", "--root-path: \"/api/\" has an empty segment: no \"//\", and no \"/\" at the end" },
    { "--max-requests-jitter 3", "--max-requests-jitter: it is added to max-requests, and there is no max-requests" },
    { "--config /nonexistent/berth.conf", "/nonexistent/berth.conf: No such file or directory" },
    { "/x=", "there is no application for /x; say which: /x=./x.so" },
    { "/x/=a.so", "\"/x/\" has an empty segment: no \"//\", and no \"/\" at the end" },
    { "//=a.so", "\"//\" has an empty segment: no \"//\", and no \"/\" at the end" },
    { "/a//b=a.so", "\"/a//b\" has an empty segment: no \"//\", and no \"/\" at the end" },
    { "/a/../b=a.so", "\"/a/../b\" has a segment \"..\"" },
    { "/.=a.so", "\"/.\" has a segment \".\"" },
    { "/a?b=a.so", "\"/a?b\" has a character that a mount cannot have (0x3f)" },
    { "/a%2f=a.so", "\"/a%2f\" has a character that a mount cannot have (0x25)" },
    { "/{id}=a.so", "\"/{id}\" has a character that a mount cannot have (0x7b)" },
    { "/*=a.so", "\"/*\" has a character that a mount cannot have (0x2a)" },
};

START_TEST(test_bad_words)
{
    struct settings settings;

    ck_assert_int_lt(load(&settings, bad_words[_i].words, NULL), 0);
    ck_assert_str_eq(said, bad_words[_i].message);
}
END_TEST

START_TEST(test_bad_argument)
{
    char space[] = "/a b=x.so", empty[] = "", *argv[] = { space, empty };
    struct mistakes mistakes = { 0 };
    struct settings settings;

    ck_assert_int_eq(settings_load(&settings, 2, argv, &mistakes), -EINVAL);
    say(&mistakes);
    ck_assert_str_eq(said, "\"/a b\" has a character that a mount cannot have (0x20)\n"
                           "there is no application for /; say which: /=./x.so");
}
END_TEST

START_TEST(test_bad_environment)
{
    struct settings settings;

    setenv("BERTH_BACKLOG", "many", 1);
    setenv("BERTH_UDS", "/a,,/b,\n", 1);
    ck_assert_int_eq(load(&settings, "--backlog 3", NULL), -EINVAL);
    ck_assert_str_eq(said, "BERTH_UDS: the value must not be empty\n"
                           "BERTH_UDS: the value must not have control characters\n"
                           "BERTH_BACKLOG: \"many\" is not a number such as 1");
}
END_TEST

static const struct {
    const char *variable, *message;
} unknown_variables[] = {
    { "BERTH_WROKERS", "warning: BERTH_WROKERS: there is no such option; did you mean BERTH_WORKERS?" },
    { "BERTH_SOCKETMODE", "warning: BERTH_SOCKETMODE: there is no such option; did you mean BERTH_SOCKET_MODE?" },
    { "BERTH_workers", "warning: BERTH_workers: there is no such option; did you mean BERTH_WORKERS?" },
    { "BERTH_XYZZY", "warning: BERTH_XYZZY: there is no such option, it is ignored" },
    { "BERTH_", "warning: BERTH_: there is no such option, it is ignored" },
};

START_TEST(test_unknown_variable)
{
    struct settings settings;
    int r;

    setenv(unknown_variables[_i].variable, "4", 1);
    r = load(&settings, "", NULL);
    unsetenv(unknown_variables[_i].variable);
    ck_assert_int_eq(r, 0);
    ck_assert_str_eq(said, unknown_variables[_i].message);
    ck_assert_uint_eq(settings.workers, 1);
    settings_done(&settings);
    /* An empty one is as good as none. */
    setenv(unknown_variables[_i].variable, "", 1);
    load_well(&settings, "", NULL);
    unsetenv(unknown_variables[_i].variable);
    settings_done(&settings);
}
END_TEST

/* A value behind an unknown option is not taken for an application, which would be a second mistake. */
START_TEST(test_all_bad_words)
{
    struct settings settings;

    char *at;

    setenv("BERTH_BACKLOG", "0", 1);
    ck_assert_int_eq(
        load(&settings, "--worker 2 --uds --workers many --log-level=loud -x --xyzzy /x=", "uds = /a\nb = c\n"),
        -EINVAL);
    at = strstr(said, config_path);
    ck_assert_ptr_nonnull(at);
    memmove(at, at + strlen(config_path), strlen(at + strlen(config_path)) + 1);
    ck_assert_str_eq(said, "--worker: there is no such option; did you mean --workers?\n"
                           "--uds: PATH must follow, not --workers (if that is meant: --uds=--workers)\n"
                           "--workers: \"many\" is neither a number such as 2 nor auto\n"
                           "--log-level: \"loud\" is none of error, warning, info and debug\n"
                           "-x: there are no short options; \"berth serve --help\" lists the long ones\n"
                           "--xyzzy: there is no such option; \"berth serve --help\" lists them\n"
                           "there is no application for /x; say which: /x=./x.so\n"
                           "BERTH_BACKLOG: \"0\" is too small: it must be at least 1\n"
                           ":2: b: there is no such option; \"berth serve --help\" lists them");
}
END_TEST

/* What is no mistake is there for who looks on. */
START_TEST(test_salvage)
{
    char workers[] = "--workers=many", backlog[] = "--backlog=7", app[] = "./x.so", *argv[] = { workers, backlog, app };
    struct mistakes mistakes = { 0 };
    struct settings settings;

    settings_salvage(&settings, 3, argv, &mistakes);
    ck_assert_int_eq(mistakes.r, -EINVAL);
    ck_assert_uint_eq(mistakes.count, 1);
    ck_assert_uint_eq(settings.workers, 1);
    ck_assert_uint_eq(settings.backlog, 7);
    ck_assert_uint_eq(settings.app_count, 1);
    settings_done(&settings);
    mistakes_done(&mistakes);
}
END_TEST

START_TEST(test_too_many_mistakes)
{
    char workers[] = "--workers=many", *argv[MISTAKES_MAX + 20];
    struct mistakes mistakes = { 0 };
    struct settings settings;

    for (size_t i = 0; i < MISTAKES_MAX + 20; i++)
        argv[i] = workers;
    ck_assert_int_eq(settings_load(&settings, MISTAKES_MAX + 20, argv, &mistakes), -EINVAL);
    ck_assert_uint_eq(mistakes.count, MISTAKES_MAX);
    ck_assert_uint_eq(mistakes.left_out, 20);
    mistakes_done(&mistakes);
}
END_TEST

/* ---- applications ---- */

static void check_app(const struct settings *settings, size_t index, const char *mount, const char *app)
{
    ck_assert_uint_lt(index, settings->app_count);
    ck_assert_str_eq(settings->apps[index].mount, mount);
    ck_assert_str_eq(settings->apps[index].app, app);
}

START_TEST(test_apps)
{
    struct settings settings;

    load_well(&settings, "/opt/x.so /a/b=y.c -- /--c=--z", NULL);
    ck_assert_uint_eq(settings.app_count, 3);
    check_app(&settings, 0, "", "/opt/x.so");
    check_app(&settings, 1, "/a/b", "y.c");
    check_app(&settings, 2, "/--c", "--z");
    settings_done(&settings);
    load_well(&settings, "/=site:a=b", NULL);
    check_app(&settings, 0, "", "site:a=b");
    settings_done(&settings);
}
END_TEST

static const char app_file[] = "[app /]\napp = ./x.so\ngreeting = hi there ; not this\nempty =\n"
                               "[app /files]\n  app = site:./public\n  index = yes\n";

START_TEST(test_apps_of_file)
{
    struct settings settings;

    load_well(&settings, "", app_file);
    ck_assert_uint_eq(settings.app_count, 2);
    check_app(&settings, 0, "", "./x.so");
    ck_assert_str_eq(berth_setting(&settings.apps[0], "greeting", "none"), "hi there");
    ck_assert_str_eq(berth_setting(&settings.apps[0], "empty", "none"), "");
    ck_assert_str_eq(berth_setting(&settings.apps[0], "index", "none"), "none");
    ck_assert_ptr_null(berth_setting(&settings.apps[0], "app", NULL));
    check_app(&settings, 1, "/files", "site:./public");
    ck_assert_str_eq(berth_setting(&settings.apps[1], "index", "none"), "yes");
    settings_done(&settings);
}
END_TEST

START_TEST(test_apps_of_both)
{
    struct settings settings;

    load_well(&settings, "/new=z.so ./y.so", app_file);
    ck_assert_uint_eq(settings.app_count, 2);
    check_app(&settings, 0, "/new", "z.so");
    ck_assert_uint_eq(settings.apps[0].keys.count, 0);
    check_app(&settings, 1, "", "./y.so");
    ck_assert_str_eq(berth_setting(&settings.apps[1], "greeting", "none"), "hi there");
    settings_done(&settings);
    /* A section may leave the application to the command line. */
    load_well(&settings, "./y.so", "[app /]\nkey = 1\n");
    ck_assert_str_eq(berth_setting(&settings.apps[0], "key", "none"), "1");
    settings_done(&settings);
}
END_TEST

/* The settings of one application, whose file has this line. */
static int setting_u64(const char *line, uint64_t *ret_value)
{
    struct settings settings;
    char config[128];
    int r;

    snprintf(config, sizeof(config), "[app /notes]\napp = ./x.so\n%s\n", line);
    load_well(&settings, "", config);
    r = berth_setting_u64(&settings.apps[0], "most", 7, 5, 100, ret_value);
    settings_done(&settings);
    return r;
}

static const struct {
    const char *line;
    uint64_t value;
} good_numbers[] = { { "most = 5", 5 }, { "most = 100", 100 }, { "most = 007", 7 }, { "", 7 }, { "more = 9", 7 } };

START_TEST(test_setting_u64)
{
    uint64_t value = 4711;

    ck_assert_int_eq(setting_u64(good_numbers[_i].line, &value), 0);
    ck_assert_uint_eq(value, good_numbers[_i].value);
}
END_TEST

static const struct {
    const char *line, *message;
} bad_numbers[] = {
    { "most = 4", "[app /notes]: most: \"4\" is too small: it must be at least 5" },
    { "most = 101", "[app /notes]: most: \"101\" is too large: it must be at most 100" },
    { "most = 99999999999999999999", "[app /notes]: most: \"99999999999999999999\"" },
    { "most = -6", "[app /notes]: most: \"-6\"" },
    { "most = 6x", "[app /notes]: most: \"6x\"" },
    { "most =", "[app /notes]: most: \"\"" },
};

START_TEST(test_bad_setting_u64)
{
    int old = dup(STDERR_FILENO), log = memfd_create("log", MFD_CLOEXEC);
    uint64_t value = 4711;
    char text[512] = "";
    int r;

    ck_assert_int_ge(log, 0);
    dup2(log, STDERR_FILENO);
    r = setting_u64(bad_numbers[_i].line, &value);
    dup2(old, STDERR_FILENO);
    ck_assert_int_eq(r, -EINVAL);
    ck_assert_uint_eq(value, 4711);
    ck_assert_int_gt((int)pread(log, text, sizeof(text) - 1, 0), 0);
    ck_assert_msg(strstr(text, bad_numbers[_i].message) != NULL, "%s", text);
    close(log);
    close(old);
}
END_TEST

/* ---- the file ---- */

START_TEST(test_file)
{
    struct settings settings;

    load_well(&settings, "",
              "\xef\xbb\xbf# a file\r\n; with Windows' line ends\r\n\r\n  backlog = 7\r\n\t[berth] ; again\r\n"
              "\tworkers: 3\r\n\tuds = /run/a b;c.sock\r\nuds=/run/d=e.sock   ; a comment\r\nallow-abstract = On\r\n"
              "[ app   /x ]\r\napp = a.so");
    ck_assert_uint_eq(settings.backlog, 7);
    ck_assert_uint_eq(settings.workers, 3);
    ck_assert_uint_eq(settings.uds.count, 2);
    ck_assert_str_eq(settings.uds.items[0], "/run/a b;c.sock");
    ck_assert_str_eq(settings.uds.items[1], "/run/d=e.sock");
    ck_assert(settings.abstract_sockets);
    check_app(&settings, 0, "/x", "a.so");
    settings_done(&settings);
}
END_TEST

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X150 X50 X50 X50

static const struct {
    const char *file, *message; /* without the path */
} bad_files[] = {
    { "\n\nworker = 2\n", "3: worker: there is no such option; did you mean workers?" },
    { "xyzzy = 2", "1: xyzzy: there is no such option; \"berth serve --help\" lists them" },
    { "= 2", "1: there is no key before the \"=\"" },
    { "app = x.so", "1: app: an application stands in a section of its own, such as [app /]" },
    { "config = x", "1: config: not in a file, only on the command line or in the environment" },
    { "# x\nworkers = many", "2: workers: \"many\" is neither a number such as 2 nor auto" },
    { "workers = 2 # two", "1: workers: behind a value, a comment begins with \";\" and not with \"#\"" },
    { "uds = /a\t# a", "1: uds: behind a value, a comment begins with \";\" and not with \"#\"" },
    { "uds =", "1: uds: the value must not be empty" },
    { "uds", "1: neither \"key = value\" nor a [section] nor a comment" },
    { "uds\nworkers = many\n\n  uds ; x\nuds", "1: neither \"key = value\" nor a [section] nor a comment\n"
                                               "2: workers: \"many\" is neither a number such as 2 nor auto\n"
                                               "4: neither \"key = value\" nor a [section] nor a comment\n"
                                               "5: neither \"key = value\" nor a [section] nor a comment" },
    { "uds = /a\n\nuds = /a", "3: uds: \"/a\" is there twice" },
    { "backlog = 1\n[berth]\nbacklog = 2", "3: backlog is there twice, the first time in line 1" },
    { "[foo]", "1: [foo]: there is no such section; there are [berth], [app /mount] and [listen NAME]" },
    { "[]", "1: []: there is no such section; there are [berth], [app /mount] and [listen NAME]" },
    { "[/x]", "1: [/x]: there is no such section; did you mean [app /x]?" },
    { "[app]", "1: [app] needs a mount, such as [app /] or [app /files]" },
    { "[app x]", "1: [app x]: \"x\" does not begin with \"/\"" },
    { "[app /x y]", "1: [app /x y]: \"/x y\" has a character that a mount cannot have (0x20)" },
    { "[app /x", "1: a section's name ends with \"]\"" },
    { "[app /x] y", "1: nothing may follow a section's \"]\"" },
    { "[app /]\n", "1: [app /] has no \"app = …\"" },
    { "\n[app /]\nkey = 1\n", "2: [app /] has no \"app = …\"" },
    { "[app /]\napp =", "2: app: an application is missing, such as ./x.so" },
    { "[app /]\napp = a\napp = b", "3: app is there twice in [app /]" },
    { "[app /]\napp = a\nk = 1\nk = 2", "4: k is there twice in [app /]" },
    { "[app /]\napp = a\n= 1", "3: there is no key before the \"=\"" },
    { "[app /]\napp = a # b", "2: app: behind a value, a comment begins with \";\" and not with \"#\"" },
    { "[app /]\napp = a\n[app /x]\napp = b\n[app /]", "5: [app /] is there twice, the first time in line 1" },
    { "uds = /" X150 X50, "1: the line is too long: 207 bytes, of which 197 can be read" },
    /* One mistake brings no other: what is wrong is not missing, and keys of a wrong section belong nowhere. */
    { "max-requests = many\nmax-requests-jitter = 3", "1: max-requests: \"many\" is not a number such as 1" },
    { "max-requests-jitter = 3", "1: max-requests-jitter: it is added to max-requests, and there is no max-requests" },
    { "[app /]\napp = # x\n[foo]\nb = c\nd", "2: app: behind a value, a comment begins with \";\" and not with \"#\"\n"
                                             "3: [foo]: there is no such section; there are [berth], [app /mount] and "
                                             "[listen NAME]\n"
                                             "5: neither \"key = value\" nor a [section] nor a comment" },
    { "exit-idle-time = 5\nuds = /a",
      "1: exit-idle-time: only for sockets that are handed over (LISTEN_FDS, --fd): nobody "
      "would listen at ours when berth is gone" },
    /* Sections that are nearly one. */
    { "[Berth]", "1: [Berth]: there is no such section; did you mean [berth]?" },
    { "[aap /x]", "1: [aap /x]: there is no such section; did you mean [app /x]?" },
    { "[listener admin]", "1: [listener admin]: there is no such section; did you mean [listen admin]?" },
    /* Listeners. */
    { "[listen]", "1: [listen] needs a name, such as [listen admin]" },
    { "[listen a b]", "1: [listen a b]: \"a b\" is no name for a listener: letters, digits, \"-\", \"_\" and \".\"" },
    { "[listen " X50 X50 "]", "1: [listen " X50 X50 "]: \"xxxxxxxxxxxxxxxx…\" is longer than 64 bytes" },
    { "[listen a]", "1: [listen a] has no \"uds = …\"" },
    { "[listen a]\nsocket-mode = 0600\n[berth]", "1: [listen a] has no \"uds = …\"" },
    { "[listen a]\nuds = /a\n[listen b]\nuds = /b\n[listen a]\nuds = /c",
      "5: [listen a] is there twice, the first time in line 1" },
    { "[listen a]\nuds =\n", "2: uds: the value must not be empty" },
    { "[listen a]\nuds = /a\nuds = /b", "3: uds is there twice in [listen a]" },
    { "[listen a]\nuds = /a # x", "2: uds: behind a value, a comment begins with \";\" and not with \"#\"" },
    { "[listen a]\nuds = /a\nsocket-mode = 9999", "3: socket-mode: \"9999\" is not an octal mode such as 0660" },
    { "[listen a]\nuds = /a\nbacklog = 0", "3: backlog: \"0\" is too small: it must be at least 1" },
    { "[listen a]\nuds = /a\nbacklog = 1\nbacklog = 2", "4: backlog is there twice in [listen a]" },
    { "[listen a]\nuds = /a\nsocketmode = 0600",
      "3: socketmode: a listener has no such key; did you mean socket-mode?" },
    { "[listen a]\nuds = /a\nworkers = 3",
      "3: workers: a listener has no such key; it has uds, socket-mode, socket-user, "
      "socket-group and backlog" },
    { "[listen a]\nuds = /a\n= 3", "3: there is no key before the \"=\"" },
    { "uds = /a\n[listen a]\nuds = /a", "3: uds: \"/a\" is the path of another listener already" },
    { "[listen a]\nuds = /a\n[listen b]\nuds = /a", "4: uds: \"/a\" is the path of [listen a] already" },
};

/* Whether the last load said this, with the file's name before each line. */
static void check_said(const char *lines)
{
    char expected[sizeof(said)] = "", *rest = NULL;
    char *copy = strdup(lines);
    size_t used = 0;

    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s%s:%s", used > 0 ? "\n" : "", config_path,
                                 line);
    free(copy);
    ck_assert_str_eq(said, expected);
}

START_TEST(test_bad_files)
{
    struct settings settings;

    ck_assert_int_eq(load(&settings, "", bad_files[_i].file), -EINVAL);
    check_said(bad_files[_i].message);
}
END_TEST

START_TEST(test_ten_mistakes)
{
    static const char file[] = "wrokers = 2\n"
                               "socket-mode = 9999\n"
                               "uds = /a\n"
                               "uds = /a\n"
                               "backlog = 70000\n"
                               "backlog = 5\n"
                               "log-level = loud # very\n"
                               "timeout-header = soon\n"
                               "nonsense\n"
                               "[lisen admin]\n"
                               "uds = /b\n"
                               "[app files]\n"
                               "app = ./files.so\n"
                               "[app /x]\n"
                               "app = ./x.so\n";
    struct settings settings;

    ck_assert_int_eq(load(&settings, "", file), -EINVAL);
    check_said("1: wrokers: there is no such option; did you mean workers?\n"
               "2: socket-mode: \"9999\" is not an octal mode such as 0660\n"
               "4: uds: \"/a\" is there twice\n"
               "5: backlog: \"70000\" is too large: it must be at most 65535\n"
               "6: backlog is there twice, the first time in line 5\n"
               "7: log-level: behind a value, a comment begins with \";\" and not with \"#\"\n"
               "8: timeout-header: \"soon\" is not a time such as 30, 1.5s, 500ms or 2m\n"
               "9: neither \"key = value\" nor a [section] nor a comment\n"
               "10: [lisen admin]: there is no such section; did you mean [listen admin]?\n"
               "12: [app files]: \"files\" does not begin with \"/\"");
}
END_TEST

START_TEST(test_listeners)
{
    struct settings settings;

    load_well(&settings, "--socket-mode 0640 --uds /flag",
              "uds = /file\nsocket-group = all\n[listen admin]\nuds = /admin\nsocket-mode = 0600\nsocket-user = root\n"
              "[listen  other.one]\nuds = /other\nsocket-group = some\nbacklog = 3\n");
    ck_assert_uint_eq(settings.uds.count, 1);
    ck_assert_str_eq(settings.uds.items[0], "/flag");
    ck_assert_uint_eq(settings.listener_count, 2);
    ck_assert_str_eq(settings.listeners[0].name, "admin");
    ck_assert_str_eq(settings.listeners[0].path, "/admin");
    ck_assert_uint_eq(settings.listeners[0].mode, 0600);
    ck_assert_str_eq(settings.listeners[0].user, "root");
    ck_assert_str_eq(settings.listeners[0].group, "all");
    ck_assert_uint_eq(settings.listeners[0].backlog, 2048);
    ck_assert_str_eq(settings.listeners[1].name, "other.one");
    ck_assert_uint_eq(settings.listeners[1].mode, 0640);
    ck_assert_ptr_null(settings.listeners[1].user);
    ck_assert_str_eq(settings.listeners[1].group, "some");
    ck_assert_uint_eq(settings.listeners[1].backlog, 3);
    settings_done(&settings);
}
END_TEST

static int judge(const struct settings *settings, const char *key, const char *text, struct error *error)
{
    ck_assert_uint_eq(settings->workers, 1);
    if (strcmp(key, "workers") == 0 || strcmp(key, "config") == 0)
        return 0;
    if (strcmp(key, "app") == 0)
        return error_set(error, -ENOENT, "no %s", text);
    return error_set(error, strcmp(key, "user") == 0 ? 1 : -EINVAL, "--%s: no \"%s\"", key, text);
}

/* What only the system knows is placed as any other mistake; what was a mistake before is not asked about. */
START_TEST(test_judge)
{
    char flag[] = "--group=x", option[] = "--config", app[] = "/y=b.so", *argv[] = { flag, option, config_path, app };
    static const char file[] =
        "uds = /u\nworkers = many\nuser = y\n[listen l]\nsocket-user = z\nbacklog = many\nuds = /l\n"
        "[app /a]\nkey = 1\napp = a.so\n";
    struct mistakes mistakes = { 0 };
    struct settings settings;

    config_write(file, strlen(file));
    settings_salvage(&settings, 3, argv, &mistakes);
    settings_judge_all(&settings, judge, &mistakes);
    ck_assert_uint_eq(mistakes.count, 8);
    ck_assert_str_eq(mistakes.items[0].text, "--group: no \"x\"");
    ck_assert(mistakes.items[3].warning);
    for (size_t i = 1; i < mistakes.count; i++)
        memmove(mistakes.items[i].text, mistakes.items[i].text + strlen(config_path),
                strlen(mistakes.items[i].text) + 1 - strlen(config_path));
    ck_assert_str_eq(mistakes.items[1].text, ":1: uds: no \"/u\"");
    ck_assert_str_eq(mistakes.items[2].text, ":2: workers: \"many\" is neither a number such as 2 nor auto");
    ck_assert_str_eq(mistakes.items[3].text, ":3: user: no \"y\"");
    ck_assert_str_eq(mistakes.items[4].text, ":5: socket-user: no \"z\"");
    ck_assert_str_eq(mistakes.items[5].text, ":6: backlog: \"many\" is not a number such as 1");
    ck_assert_str_eq(mistakes.items[6].text, ":7: uds: no \"/l\"");
    ck_assert_str_eq(mistakes.items[7].text, ":10: no a.so");
    settings_done(&settings);
    mistakes_done(&mistakes);
    settings_salvage(&settings, 4, argv, &mistakes);
    settings_judge_all(&settings, judge, &mistakes);
    ck_assert_str_eq(mistakes.items[1].text, "no b.so");
    settings_done(&settings);
    mistakes_done(&mistakes);
}
END_TEST

START_TEST(test_longest_line)
{
    char file[256], *path;
    struct settings settings;

    /* 197 bytes are read whole, 198 not; blanks before them do not count. */
    snprintf(file, sizeof(file), "     uds = /" X150 "%.*s\nbacklog = 3", 39, X50);
    load_well(&settings, "", file);
    path = settings.uds.items[0];
    ck_assert_uint_eq(strlen(path), 190);
    ck_assert_uint_eq(settings.backlog, 3);
    settings_done(&settings);
    snprintf(file, sizeof(file), "uds = /" X150 "%.*s\nbacklog = 3", 41, X50);
    ck_assert_int_eq(load(&settings, "", file), -EINVAL);
}
END_TEST

START_TEST(test_long_section)
{
    struct settings settings;

    /* inih itself keeps 49 bytes of a section's name. */
    load_well(&settings, "", "[app /" X50 "/a]\napp = a.so\n[app /" X50 "/b]\napp = b.so\nk = v");
    check_app(&settings, 0, "/" X50 "/a", "a.so");
    check_app(&settings, 1, "/" X50 "/b", "b.so");
    ck_assert_str_eq(berth_setting(&settings.apps[1], "k", ""), "v");
    settings_done(&settings);
}
END_TEST

START_TEST(test_nul_and_size)
{
    static const char bytes[] = "backlog = 1\nuds = /a\0b\n";
    struct settings settings;
    char *large;
    size_t size = 1024 * 1024 + 1;

    setenv("BERTH_CONFIG", config_path, 1);
    config_write(bytes, sizeof(bytes) - 1);
    ck_assert_int_eq(load(&settings, "", NULL), -EINVAL);
    check_said("2: the line has a NUL byte");

    large = malloc(size);
    memset(large, '\n', size);
    config_write(large, size - 1);
    load_well(&settings, "", NULL);
    settings_done(&settings);
    config_write(large, size);
    ck_assert_int_eq(load(&settings, "", NULL), -EFBIG);
    free(large);
}
END_TEST

/* ---- handing over ---- */

/* What settings_write writes, in memory. */
static size_t packed(const struct settings *settings, char *bytes, size_t room)
{
    int fd = memfd_create("packed", MFD_CLOEXEC);
    ssize_t n;

    ck_assert_int_eq(settings_write(settings, fd), 0);
    n = pread(fd, bytes, room, 0);
    ck_assert_int_gt((int)n, 0);
    ck_assert_int_lt((int)n, (int)room);
    close(fd);
    return (size_t)n;
}

static int unpacked(const char *bytes, size_t size, struct settings *ret_settings, struct error *error)
{
    int r, fd = memfd_create("packed", MFD_CLOEXEC);

    ck_assert_int_eq((int)write(fd, bytes, size), (int)size);
    lseek(fd, 0, SEEK_SET);
    r = settings_read(ret_settings, fd, error);
    close(fd);
    return r;
}

START_TEST(test_round_trip)
{
    char first[4096], second[4096], file[1024];
    struct settings settings, again;
    struct error error;
    size_t size;

    snprintf(file, sizeof(file), "%s[listen l]\nuds = /l\nsocket-mode = 0600\n", app_file);
    load_well(&settings, "--uds /a --uds /b --workers auto --root-path / --limit-request-body 2M --allow-abstract=no",
              file);
    size = packed(&settings, first, sizeof(first));
    ck_assert_int_eq(unpacked(first, size, &again, &error), 0);
    ck_assert_uint_eq(again.uds.count, 2);
    ck_assert_str_eq(again.uds.items[1], "/b");
    ck_assert_uint_eq(again.workers, settings.workers);
    ck_assert_str_eq(again.root_path, "");
    ck_assert_uint_eq(again.limit_body, 2097152);
    ck_assert_str_eq(again.config, config_path);
    ck_assert_uint_eq(again.app_count, 2);
    check_app(&again, 1, "/files", "site:./public");
    ck_assert_str_eq(berth_setting(&again.apps[0], "greeting", ""), "hi there");
    ck_assert_uint_eq(again.listener_count, 1);
    ck_assert_str_eq(again.listeners[0].name, "l");
    ck_assert_str_eq(again.listeners[0].path, "/l");
    ck_assert_uint_eq(again.listeners[0].mode, 0600);
    ck_assert_uint_eq(packed(&again, second, sizeof(second)), size);
    ck_assert_mem_eq(first, second, size);
    settings_done(&settings);
    settings_done(&again);
}
END_TEST

START_TEST(test_truncated)
{
    struct settings settings, again;
    char bytes[4096];
    struct error error;
    size_t size;

    load_well(&settings, "--uds /a --uds /b", app_file);
    size = packed(&settings, bytes, sizeof(bytes));
    settings_done(&settings);
    for (size_t cut = 0; cut < size; cut++)
        ck_assert_int_eq(unpacked(bytes, cut, &again, &error), -EINVAL);
    bytes[size] = '\0';
    ck_assert_int_eq(unpacked(bytes, size + 1, &again, &error), -EINVAL);
    ck_assert_str_eq(error.text, "the settings go on after their end");
    ck_assert_int_eq(unpacked(bytes, size, &again, &error), 0);
    settings_done(&again);
}
END_TEST

#define PACKED(literal)                                                                                                \
    {                                                                                                                  \
        literal, sizeof(literal)                                                                                       \
    }
static const struct {
    const char *bytes;
    size_t size;
} bad_packed[] = {
    PACKED("x"),
    PACKED("-1"),
    PACKED("99999999999999999999"),
    PACKED("4001"),
    PACKED("1\0nothing\0x"),
    PACKED("1\0workers\0many"),
    PACKED("1\0app \0a.so"),
    PACKED("1\0app x\0a.so"),
    PACKED("1\0app /x\0"),
    PACKED("1\0app /x key\0v"),
    PACKED("2\0app /x\0a\0app /x \0v"),
    PACKED("3\0app /x\0a\0app /x k\0v\0app /x k\0v"),
    PACKED("1\0listen a\0"),
    PACKED("1\0listen \0/a"),
    PACKED("1\0listen a backlog\0"
           "3"),
    PACKED("2\0listen a\0/a\0listen a workers\0"
           "3"),
    PACKED("2\0listen a\0/a\0listen a uds\0/b"),
    PACKED("2\0listen a\0/a\0listen a\0/b"),
    PACKED("1\0max-requests-jitter\0"
           "1"),
};

START_TEST(test_bad_packed)
{
    struct settings settings;
    struct error error;

    ck_assert_int_eq(unpacked(bad_packed[_i].bytes, bad_packed[_i].size, &settings, &error), -EINVAL);
    ck_assert_int_eq(unpacked(bad_packed[_i].bytes, bad_packed[_i].size, &settings, NULL), -EINVAL);
}
END_TEST

START_TEST(test_help)
{
    char *text = NULL, *line, *rest = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    settings_help(stream);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_ptr_nonnull(
        strstr(text, "--socket-mode MODE                the socket file's permissions, octal [0660]\n"));
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        ck_assert_msg(strlen(line) <= 100, "%s", line);
    free(text);
}
END_TEST

Suite *suite_settings(void)
{
    Suite *suite = suite_create("settings");
    TCase *levels = tcase_create("levels"), *mistakes = tcase_create("mistakes"), *apps = tcase_create("apps");
    TCase *file = tcase_create("file"), *bytes = tcase_create("bytes");

    tcase_add_checked_fixture(levels, setup, teardown);
    tcase_add_test(levels, test_defaults);
    tcase_add_test(levels, test_every_flag);
    tcase_add_test(levels, test_events);
    tcase_add_loop_test(levels, test_use_of_events, 0, COUNT(users_of_events));
    tcase_add_test(levels, test_workers_auto);
    tcase_add_test(levels, test_two_at_one_mount);
    tcase_add_loop_test(levels, test_precedence, 0, 8);
    tcase_add_test(levels, test_last_flag);
    tcase_add_test(levels, test_config_by_environment);
    tcase_add_test(levels, test_help);
    suite_add_tcase(suite, levels);

    tcase_add_checked_fixture(mistakes, setup, teardown);
    tcase_add_loop_test(mistakes, test_bad_words, 0, COUNT(bad_words));
    tcase_add_test(mistakes, test_bad_argument);
    tcase_add_test(mistakes, test_bad_environment);
    tcase_add_loop_test(mistakes, test_unknown_variable, 0, COUNT(unknown_variables));
    tcase_add_test(mistakes, test_all_bad_words);
    tcase_add_test(mistakes, test_salvage);
    tcase_add_test(mistakes, test_too_many_mistakes);
    suite_add_tcase(suite, mistakes);

    tcase_add_checked_fixture(apps, setup, teardown);
    tcase_add_test(apps, test_apps);
    tcase_add_test(apps, test_apps_of_file);
    tcase_add_test(apps, test_apps_of_both);
    tcase_add_loop_test(apps, test_setting_u64, 0, COUNT(good_numbers));
    tcase_add_loop_test(apps, test_bad_setting_u64, 0, COUNT(bad_numbers));
    suite_add_tcase(suite, apps);

    tcase_add_checked_fixture(file, setup, teardown);
    tcase_add_test(file, test_file);
    tcase_add_loop_test(file, test_bad_files, 0, COUNT(bad_files));
    tcase_add_test(file, test_ten_mistakes);
    tcase_add_test(file, test_listeners);
    tcase_add_test(file, test_judge);
    tcase_add_test(file, test_longest_line);
    tcase_add_test(file, test_long_section);
    tcase_add_test(file, test_nul_and_size);
    suite_add_tcase(suite, file);

    tcase_add_checked_fixture(bytes, setup, teardown);
    tcase_add_test(bytes, test_round_trip);
    tcase_add_test(bytes, test_truncated);
    tcase_add_loop_test(bytes, test_bad_packed, 0, COUNT(bad_packed));
    suite_add_tcase(suite, bytes);
    return suite;
}
