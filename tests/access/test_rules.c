#include "access/rules.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/arena.h"

Suite *suite_rules(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- who ---- */

/* As the kernel's default has it; the suite of peers tries others. */
#define OVERFLOW 65534

enum who { ROOT, ALICE, BOB, DAEMON, NOBODY, HALF, PROXY, ROOT_PROXY, NOBODY_PROXY, WHO_COUNT };

static const gid_t alices[] = { 27, 2000, OVERFLOW };

static const struct berth_peer peers[WHO_COUNT] = {
    [ROOT] = { .uid = 0, .gid = 0 },
    [ALICE] = { .uid = 1500, .gid = 1600, .groups = alices, .group_count = COUNT(alices) },
    [BOB] = { .uid = 1501, .gid = 1601 },
    [DAEMON] = { .uid = 1, .gid = 1 }, /* Debian's, and everybody's */
    [NOBODY] = { .uid = OVERFLOW, .gid = OVERFLOW },
    [HALF] = { .uid = OVERFLOW, .gid = 27 }, /* a uid that has no number here, and a gid that has */
    [PROXY] = { .uid = 1500, .gid = 1600, .groups = alices, .group_count = COUNT(alices), .proxied = true },
    [ROOT_PROXY] = { .uid = 0, .gid = 0, .proxied = true },
    [NOBODY_PROXY] = { .uid = OVERFLOW, .gid = OVERFLOW, .proxied = true },
};

/* ---- asking ---- */

/* Of rules in one text, a line each. */
static int rules_of(const char *mount, const char *lines, struct rules **ret_rules, struct error *error)
{
    struct text_list texts = { 0 };
    char *copy = strdup(lines), *rest = NULL;
    int r;

    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        ck_assert_int_eq(text_list_add(&texts, line), 0);
    r = rules_new(mount, &texts, ret_rules, error);
    text_list_done(&texts);
    free(copy);
    return r;
}

/* The place of the deciding rule, -1 for none of them; with "+" before it if it is allowed. */
static const char *asked(const struct rules *rules, size_t count, const struct caller *caller, const char *method,
                         const char *raw)
{
    static char text[16];
    struct target target;
    struct arena arena;
    const char *reason;
    size_t index;
    bool allowed;

    arena_init(&arena);
    ck_assert_int_eq(target_parse(raw, strlen(raw), &arena, &target, &reason), 0);
    allowed = rules_allow(rules, caller, method, &target, &index);
    ck_assert(allowed == rules_allow(rules, caller, method, &target, NULL));
    arena_reset(&arena);
    if (index == count)
        snprintf(text, sizeof(text), "%snone", allowed ? "+" : "-");
    else
        snprintf(text, sizeof(text), "%s%zu", allowed ? "+" : "-", index);
    return text;
}

static size_t lines_count(const char *lines)
{
    size_t count = 1;

    for (; *lines; lines++)
        count += *lines == '\n';
    return count;
}

/* ---- each word of WHO, and everybody ---- */

/* Whom it matches, in the order of `peers`: one letter each, in capitals if it does. */
static const struct {
    const char *who, *listener, *matches;
} words[] = {
    { "any", "", "RABDNHPQO" },
    { "self", "", "Rabdnhpqo" },
    { "user:root", "", "Rabdnhpqo" },
    { "user:daemon", "", "rabDnhpqo" },
    { "user:1500", "", "rAbdnhpqo" },
    { "uid:0", "", "Rabdnhpqo" },
    { "uid:1500", "", "rAbdnhpqo" },
    { "uid:1501", "", "raBdnhpqo" },
    { "uid:65534", "", "rabdnhpqo" },
    { "uid:4294967294", "", "rabdnhpqo" },
    { "user:65534", "", "rabdnhpqo" },
    { "group:daemon", "", "rabDnhpqo" },
    { "group:root", "", "Rabdnhpqo" },
    { "group:1601", "", "raBdnhpqo" },
    { "gid:1600", "", "rAbdnhpqo" },
    { "gid:27", "", "rAbdnHpqo" },
    { "gid:2000", "", "rAbdnhpqo" },
    { "gid:65534", "", "rabdnhpqo" },
    { "gid:1500", "", "rabdnhpqo" },
    { "listener:admin", "admin", "RABDNHPQO" },
    { "listener:admin", "", "rabdnhpqo" },
    { "listener:admin", "admin2", "rabdnhpqo" },
    { "listener:admin", "adm", "rabdnhpqo" },
    { "listener:a:b", "a:b", "RABDNHPQO" },
    { "proxied", "", "rabdnhPQO" },
    { "proxied:1500", "", "rabdnhPqo" },
    { "proxied:root", "", "rabdnhpQo" },
    { "proxied:1501", "", "rabdnhpqo" },
    { "proxied:65534", "", "rabdnhpqo" },
    /* one that fits is enough */
    { "uid:1501 uid:1500", "", "rABdnhpqo" },
    { "uid:7 \t group:daemon  proxied:root ", "", "rabDnhpQo" },
    { "self proxied", "", "RabdnhPQO" },
};

START_TEST(test_words)
{
    struct rules *rules[2];
    const char *matches = words[_i].matches;
    char text[128];

    for (int deny = 0; deny < 2; deny++) {
        snprintf(text, sizeof(text), "%s * * %s%s", deny ? "deny" : "allow", words[_i].who,
                 deny ? "\nallow * * any" : "");
        ck_assert_int_eq(rules_of("", text, &rules[deny], NULL), 0);
    }
    ck_assert_uint_eq(strlen(matches), WHO_COUNT);
    for (int i = 0; i < WHO_COUNT; i++) {
        struct caller caller = { .peer = &peers[i], .listener = words[_i].listener };
        bool match = matches[i] >= 'A' && matches[i] <= 'Z';

        if (i == ALICE || i == BOB || i == DAEMON) /* unless one of them runs this, who is self then */
            ck_assert_uint_ne(geteuid(), peers[i].uid);
        ck_assert_msg(strcmp(asked(rules[0], 1, &caller, "GET", "/"), match ? "+0" : "-none") == 0, "%s: peer %d",
                      words[_i].who, i);
        ck_assert_msg(strcmp(asked(rules[1], 2, &caller, "GET", "/"), match ? "-0" : "+1") == 0, "deny %s: peer %d",
                      words[_i].who, i);
    }
    rules_free(rules[0]);
    rules_free(rules[1]);
}
END_TEST

START_TEST(test_self)
{
    struct berth_peer own = { .uid = geteuid() }, other = { .uid = 1501 };
    const uid_t theirs = 1501, overflow = OVERFLOW;
    struct caller caller = { .peer = &own, .listener = "" };
    struct rules *rules;

    ck_assert_int_eq(rules_of("", "allow * * self", &rules, NULL), 0);
    ck_assert_str_eq(asked(rules, 1, &caller, "GET", "/"), geteuid() == OVERFLOW ? "-none" : "+0");
    own.proxied = true;
    ck_assert_str_eq(asked(rules, 1, &caller, "GET", "/"), "-none");
    /* On behalf of a server that runs as somebody else. */
    caller.self = &theirs;
    caller.peer = &other;
    ck_assert_str_eq(asked(rules, 1, &caller, "GET", "/"), "+0");
    other.proxied = true;
    ck_assert_str_eq(asked(rules, 1, &caller, "GET", "/"), "-none");
    caller.peer = &peers[ROOT];
    ck_assert_str_eq(asked(rules, 1, &caller, "GET", "/"), "+0");
    caller.peer = &peers[ALICE];
    ck_assert_str_eq(asked(rules, 1, &caller, "GET", "/"), "-none");
    caller.self = &overflow;
    caller.peer = &peers[NOBODY];
    ck_assert_str_eq(asked(rules, 1, &caller, "GET", "/"), "-none");
    rules_free(rules);
}
END_TEST

/* ---- methods, paths and order ---- */

#define STATUS  "allow GET,POST /status/* any"
#define ORDERED "deny DELETE * any\nallow * /notes/{id} uid:1500\ndeny * /notes/* any\nallow * * any"

static const struct {
    const char *mount, *lines;
    enum who who;
    const char *method, *target, *expected;
} requests[] = {
    /* methods */
    { "", STATUS, BOB, "GET", "/status/x", "+0" },
    { "", STATUS, BOB, "HEAD", "/status/x", "+0" },
    { "", STATUS, BOB, "POST", "/status/x", "+0" },
    { "", STATUS, BOB, "PUT", "/status/x", "-none" },
    { "", STATUS, BOB, "get", "/status/x", "-none" },
    { "", STATUS, BOB, "GE", "/status/x", "-none" },
    { "", STATUS, BOB, "GETS", "/status/x", "-none" },
    { "", STATUS, BOB, "POS", "/status/x", "-none" },
    { "", "allow HEAD * any", BOB, "HEAD", "/", "+0" },
    { "", "allow HEAD * any", BOB, "GET", "/", "-none" },
    { "", "deny GET * any\nallow * * any", BOB, "HEAD", "/", "-0" },
    { "", "deny HEAD * any\nallow * * any", BOB, "GET", "/", "+1" },
    { "", "deny HEAD * any\nallow GET * any", BOB, "HEAD", "/", "-0" },
    { "", "allow * * any", BOB, "M-SEARCH", "/", "+0" },
    { "", "allow M-SEARCH,X_1 * any", BOB, "X_1", "/", "+0" },
    /* paths */
    { "", STATUS, BOB, "GET", "/status", "-none" },
    { "", STATUS, BOB, "GET", "/status/", "+0" },
    { "", STATUS, BOB, "GET", "/status/a/b/", "+0" },
    { "", STATUS, BOB, "GET", "/status/a?b=/c", "+0" },
    { "", STATUS, BOB, "GET", "/%73tatus/a", "+0" },
    { "", STATUS, BOB, "GET", "/Status/a", "-none" },
    { "", STATUS, BOB, "GET", "/statusx", "-none" },
    { "", STATUS, BOB, "GET", "/a/status/b", "-none" },
    { "", "allow * /a b any", BOB, "GET", "/a", NULL },
    { "", "allow * / any", BOB, "GET", "/", "+0" },
    { "", "allow * / any", BOB, "GET", "/a", "-none" },
    { "", "allow * /* any", BOB, "GET", "/", "+0" },
    { "", "allow * /* any", BOB, "GET", "/a/b", "+0" },
    { "", "allow * /a any", BOB, "GET", "/a/", "-none" },
    { "", "allow * /a/ any", BOB, "GET", "/a", "-none" },
    { "", "allow * /a/ any", BOB, "GET", "/a/", "+0" },
    { "", "allow * /{x}/b any", BOB, "GET", "//b", "-none" },
    { "", "allow * /{x}/b any", BOB, "GET", "/a/b", "+0" },
    { "", "allow * /{x}/b any", BOB, "GET", "/a/b/", "-none" },
    /* below a mount */
    { "/x", "allow * / any", BOB, "GET", "/x", "+0" },
    { "/x", "allow * / any", BOB, "GET", "/x/", "+0" },
    { "/x", "allow * / any", BOB, "GET", "/x/y", "-none" },
    { "/x", "allow * / any", BOB, "GET", "/", "-none" },
    { "/x", "allow * /* any", BOB, "GET", "/x/", "+0" },
    { "/x", "allow * /* any", BOB, "GET", "/x/y/z", "+0" },
    { "/x", "allow * /* any", BOB, "GET", "/x", "-none" },
    { "/x", "allow * * any", BOB, "GET", "/x", "+0" },
    { "/x", "allow * /y any", BOB, "GET", "/x/y", "+0" },
    { "/x", "allow * /y any", BOB, "GET", "/y", "-none" },
    { "/x/y", "allow * /{z} any", BOB, "GET", "/x/y/z", "+0" },
    { "/x/y", "allow * /{z} any", BOB, "GET", "/x/y/", "-none" },
    /* the first that matches, and refusal by default */
    { "", ORDERED, ALICE, "GET", "/notes/1", "+1" },
    { "", ORDERED, ALICE, "DELETE", "/notes/1", "-0" },
    { "", ORDERED, ALICE, "GET", "/notes/1/2", "-2" },
    { "", ORDERED, BOB, "GET", "/notes/1", "-2" },
    { "", ORDERED, BOB, "GET", "/notes", "+3" },
    { "", ORDERED, BOB, "DELETE", "/", "-0" },
    { "", "deny * /a any", ROOT, "GET", "/b", "-none" },
    { "", "allow * /a any\ndeny * /a any", BOB, "GET", "/a", "+0" },
    { "", "deny * /a any\nallow * /a any", BOB, "GET", "/a", "-0" },
    /* what comes through a proxy is not its proxy's */
    { "", "deny * * uid:1500\nallow * * any", PROXY, "GET", "/", "+1" },
    { "", "deny * * proxied\nallow * * any", PROXY, "GET", "/", "-0" },
    { "", "deny * * proxied\nallow * * any", ALICE, "GET", "/", "+1" },
};

START_TEST(test_requests)
{
    struct caller caller = { .peer = &peers[requests[_i].who], .listener = "" };
    struct rules *rules;
    int r = rules_of(requests[_i].mount, requests[_i].lines, &rules, NULL);

    if (!requests[_i].expected) {
        ck_assert_int_eq(r, -EINVAL);
        return;
    }
    ck_assert_int_eq(r, 0);
    ck_assert_msg(
        strcmp(asked(rules, lines_count(requests[_i].lines), &caller, requests[_i].method, requests[_i].target),
               requests[_i].expected) == 0,
        "%s %s of %s: %s", requests[_i].method, requests[_i].target, requests[_i].lines,
        asked(rules, lines_count(requests[_i].lines), &caller, requests[_i].method, requests[_i].target));
    rules_free(rules);
}
END_TEST

START_TEST(test_none)
{
    struct caller caller = { .peer = &peers[NOBODY], .listener = "" };
    struct text_list none = { 0 };
    struct rules *rules = (struct rules *)&caller;

    ck_assert_int_eq(rules_new("", &none, &rules, NULL), 0);
    ck_assert_ptr_null(rules);
    ck_assert_str_eq(asked(NULL, 0, &caller, "DELETE", "/"), "+none");
    rules_free(NULL);
}
END_TEST

/* No path of an application is asked for by "OPTIONS *"; a rule about all paths is about that as well. */
START_TEST(test_asterisk)
{
    struct caller caller = { .peer = &peers[BOB], .listener = "" };
    struct rules *rules;

    ck_assert_int_eq(rules_of("", "deny * /* any\nallow OPTIONS * any", &rules, NULL), 0);
    ck_assert_str_eq(asked(rules, 2, &caller, "OPTIONS", "*"), "+1");
    rules_free(rules);
}
END_TEST

/* ---- what is no rule ---- */

#define SHAPE "METHODS PATH WHO, such as GET,HEAD /status/* any"
#define X64   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *text, *message;
} malformed[] = {
    { "", "\"\" is neither allow nor deny" },
    { " \t ", "\"\" is neither allow nor deny" },
    { "permit GET /x any", "\"permit\" is neither allow nor deny" },
    { "Allow GET /x any", "\"Allow\" is neither allow nor deny" },
    { "allowed GET /x any", "\"allowed\" is neither allow nor deny" },
    { "allow", "nothing is said; a rule is " SHAPE },
    { "deny  ", "nothing is said; a rule is " SHAPE },
    { "allow GET", "there is no path behind \"GET\"; a rule is " SHAPE },
    { "allow GET /x", "nobody is named behind \"/x\"; a rule is " SHAPE },
    { "allow get /x any", "\"get\" is no method such as GET; a rule is " SHAPE },
    { "allow Get /x any", "\"Get\" is no method such as GET; a rule is " SHAPE },
    { "allow /x any", "\"/x\" is no method such as GET; a rule is " SHAPE },
    { "allow G(T /x any", "\"G(T\" is no method such as GET; a rule is " SHAPE },
    { "allow GET, POST /x any", "a method is empty; they have commas between them and no blanks: GET,POST" },
    { "allow ,GET /x any", "a method is empty; they have commas between them and no blanks: GET,POST" },
    { "allow GET,,POST /x any", "a method is empty; they have commas between them and no blanks: GET,POST" },
    { "allow GET,* /x any", "* is every method, and stands alone" },
    { "allow *,GET /x any", "* is every method, and stands alone" },
    { "allow " X64 " /x any", "\"xxxxxxxxxxxxxxxx…\" is too long for a method" },
    { "allow GET x any", "\"x\" is no path such as /status/*, nor * for all; a rule is " SHAPE },
    { "allow GET any", "\"any\" is no path such as /status/*, nor * for all; a rule is " SHAPE },
    { "allow GET ** any", "\"**\" is no path such as /status/*, nor * for all; a rule is " SHAPE },
    { "allow GET /*/x any", "path /*/x: \"*\" may only be the last segment" },
    { "allow GET /x* any",
      "path /x*: \"x*\" is neither plain text nor {name} (letters, digits, \"_\" and \"-\") nor *" },
    { "allow GET /{} any",
      "path /{}: \"{}\" is neither plain text nor {name} (letters, digits, \"_\" and \"-\") nor *" },
    { "allow GET /{a}/{a} any", "path /{a}/{a}: the parameter {a} is there twice" },
    { "allow GET /a//b any", "path /a//b: an empty segment" },
    { "allow GET /../b any", "path /../b: no request can have a \"..\" segment" },
    { "allow GET /a%20b any", "path /a%20b: write it decoded, without \"%\", \"?\" and \"#\"" },
    { "allow GET /a?b any", "path /a?b: write it decoded, without \"%\", \"?\" and \"#\"" },
    { "allow GET /a\x01 any", "path /a\x01: a control character" },
    { "allow GET /x all",
      "\"all\" names nobody; there are any, self, user:NAME, uid:N, group:NAME, gid:N, listener:NAME, proxied and "
      "proxied:USER" },
    { "allow GET /x any alice",
      "\"alice\" names nobody; there are any, self, user:NAME, uid:N, group:NAME, gid:N, listener:NAME, proxied and "
      "proxied:USER" },
    { "allow GET /x any:x",
      "\"any:x\" names nobody; there are any, self, user:NAME, uid:N, group:NAME, gid:N, listener:NAME, proxied and "
      "proxied:USER" },
    { "allow GET /x user",
      "\"user\" names nobody; there are any, self, user:NAME, uid:N, group:NAME, gid:N, listener:NAME, proxied and "
      "proxied:USER" },
    { "allow GET /x User:alice",
      "\"User:alice\" names nobody; there are any, self, user:NAME, uid:N, group:NAME, gid:N, listener:NAME, proxied "
      "and proxied:USER" },
    { "allow GET /x user:", "\"user:\" lacks what should be behind its colon" },
    { "allow GET /x uid:", "\"uid:\" lacks what should be behind its colon" },
    { "allow GET /x proxied:", "\"proxied:\" lacks what should be behind its colon" },
    { "allow GET /x listener:", "\"listener:\" lacks what should be behind its colon" },
    { "allow GET /x user:a,user:b", "\"user:a,user:b\": between the words of WHO are blanks and no commas" },
    { "allow GET /x uid:alice", "uid:\"alice\" is not a number such as 1" },
    { "allow GET /x uid:-1", "uid:\"-1\" is not a number such as 1" },
    { "allow GET /x gid:4294967295", "gid:\"4294967295\" is too large: it must be at most 4294967294" },
};

START_TEST(test_malformed)
{
    struct error error = { "" };
    struct rules *rules = NULL;

    ck_assert_int_eq(rule_check(malformed[_i].text, &error), -EINVAL);
    ck_assert_str_eq(error.text, malformed[_i].message);
    ck_assert_int_eq(rule_check(malformed[_i].text, NULL), -EINVAL);
    if (malformed[_i].text[0] != '\0')
        ck_assert_int_eq(rules_of("", malformed[_i].text, &rules, &error), -EINVAL);
    ck_assert_ptr_null(rules);
}
END_TEST

/* Names are nobody's business here: the check is pure. */
static const char *const well_formed[] = {
    "allow * * any",
    "deny GET,HEAD,POST,M-SEARCH /a/{b}/{c-d}/* self user:no-such-user group:no-such-group uid:0 gid:4294967294",
    "\tallow  GET\t/x   any ",
    "allow GET /x listener:a.b-c_d proxied proxied:no-such-user",
    "allow GET /x user:domain\\alice group:a@b.example",
    "allow GET / any",
};

START_TEST(test_well_formed)
{
    struct error error = { "" };

    ck_assert_msg(rule_check(well_formed[_i], &error) == 0, "%s", error.text);
}
END_TEST

static const struct {
    const char *lines, *message;
} unknown[] = {
    { "allow GET /x user:no-such-user", "allow = GET /x user:no-such-user: there is no user \"no-such-user\" on this "
                                        "system" },
    { "allow * * any\ndeny * * group:no-such-group",
      "deny = * * group:no-such-group: there is no group \"no-such-group\" on this system" },
    { "allow * * any proxied:no-such-user",
      "allow = * * any proxied:no-such-user: there is no user \"no-such-user\" on this system" },
    { "allow * * user:4294967295",
      "allow = * * user:4294967295: \"4294967295\" is neither the name nor the number of a user" },
    { "allow * * any\nallow get * any", "allow = get * any: \"get\" is no method such as GET; a rule is " SHAPE },
};

START_TEST(test_unknown)
{
    struct rules *rules = NULL;
    struct error error;

    ck_assert_int_eq(rules_of("/x", unknown[_i].lines, &rules, &error), -EINVAL);
    ck_assert_str_eq(error.text, unknown[_i].message);
    ck_assert_ptr_null(rules);
}
END_TEST

/* ---- limits ---- */

START_TEST(test_terms_max)
{
    char text[1024] = "allow * *";
    struct error error;

    for (int i = 0; i < RULE_TERMS_MAX; i++)
        strncat(text, " self", sizeof(text) - strlen(text) - 1);
    ck_assert_int_eq(rule_check(text, &error), 0);
    strncat(text, " any", sizeof(text) - strlen(text) - 1);
    ck_assert_int_eq(rule_check(text, &error), -EINVAL);
    ck_assert_str_eq(error.text, "more than 64 of WHO; make two rules of it");
}
END_TEST

START_TEST(test_rules_max)
{
    struct caller caller = { .peer = &peers[BOB], .listener = "" };
    struct text_list texts = { 0 };
    struct rules *rules = NULL;
    struct error error;

    for (int i = 0; i < RULES_MAX; i++)
        ck_assert_int_eq(text_list_add(&texts, i < RULES_MAX - 1 ? "deny GET * uid:1" : "allow GET * uid:1501"), 0);
    ck_assert_int_eq(rules_new("", &texts, &rules, &error), 0);
    ck_assert_str_eq(asked(rules, RULES_MAX, &caller, "GET", "/"), "+255");
    rules_free(rules);
    rules = NULL;
    ck_assert_int_eq(text_list_add(&texts, "deny * * any"), 0);
    ck_assert_int_eq(rules_new("/m", &texts, &rules, &error), -E2BIG);
    ck_assert_str_eq(error.text, "the application at /m has more than 256 rules");
    ck_assert_ptr_null(rules);
    text_list_done(&texts);
}
END_TEST

/* A path that is a path, but not below this mount: no request has so many segments. */
START_TEST(test_segments_max)
{
    char text[1024] = "allow * ";
    struct rules *rules = NULL;
    struct error error;

    for (int i = 0; i < TARGET_SEGMENTS_MAX; i++)
        strncat(text, "/a", sizeof(text) - strlen(text) - 1);
    strncat(text, " any", sizeof(text) - strlen(text) - 1);
    ck_assert_int_eq(rule_check(text, &error), 0);
    ck_assert_int_eq(rules_of("/m", text, &rules, &error), -EINVAL); /* its message is too long to be there whole */
    ck_assert_ptr_null(rules);
}
END_TEST

static int note_term(const struct rule_term *term, void *data)
{
    char *text = data;

    snprintf(text + strlen(text), 128 - strlen(text), "%d %s %s %u;", term->who, term->word, term->name, term->id);
    return term->who == RULE_LISTENER ? 7 : 0;
}

START_TEST(test_each_term)
{
    struct rules *rules;
    char text[128] = "", expected[128];

    ck_assert_int_eq(rules_of("", "allow * * any\tuser:root\ndeny * * gid:7 listener:x proxied", &rules, NULL), 0);
    ck_assert_int_eq(rules_each_term(rules, note_term, text), 7);
    snprintf(expected, sizeof(expected), "%d any  0;%d user:root root 0;%d gid:7 7 7;%d listener:x x 0;", RULE_ANY,
             RULE_USER, RULE_GID, RULE_LISTENER);
    ck_assert_str_eq(text, expected);
    rules_free(rules);
    ck_assert_int_eq(rules_each_term(NULL, note_term, text), 0);
}
END_TEST

Suite *suite_rules(void)
{
    Suite *suite = suite_create("rules");
    TCase *tcase = tcase_create("who");

    tcase_add_loop_test(tcase, test_words, 0, COUNT(words));
    tcase_add_test(tcase, test_self);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("what");
    tcase_add_loop_test(tcase, test_requests, 0, COUNT(requests));
    tcase_add_test(tcase, test_none);
    tcase_add_test(tcase, test_asterisk);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("texts");
    tcase_add_loop_test(tcase, test_malformed, 0, COUNT(malformed));
    tcase_add_loop_test(tcase, test_well_formed, 0, COUNT(well_formed));
    tcase_add_loop_test(tcase, test_unknown, 0, COUNT(unknown));
    tcase_add_test(tcase, test_terms_max);
    tcase_add_test(tcase, test_rules_max);
    tcase_add_test(tcase, test_segments_max);
    tcase_add_test(tcase, test_each_term);
    suite_add_tcase(suite, tcase);
    return suite;
}
