#include "access/forwarded.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_forwarded(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
    const char *name;
    int field;
    bool speaks;
} names[] = {
    { "X-Forwarded-For", FORWARDED_FOR, true },
    { "x-forwarded-for", FORWARDED_FOR, true },
    { "X-FORWARDED-PROTO", FORWARDED_PROTO, true },
    { "X-Forwarded-Host", FORWARDED_HOST, true },
    { "X-Forwarded-Prefix", FORWARDED_PREFIX, true },
    { "Forwarded", FORWARDED_RFC7239, true },
    { "fORWARDED", FORWARDED_RFC7239, true },
    { "X-Forwarded-Port", -1, true },
    { "x-forwarded-server", -1, true },
    { "X-Forwarded-Ssl", -1, true },
    { "X-Forwarded-User", -1, true },
    { "X-Forwarded-", -1, true },
    { "X-Real-IP", -1, true },
    { "x-real-ip", -1, true },
    { "X-Forwarded", -1, false },
    { "X_Forwarded_For", -1, true },
    { "x-forwarded_host", -1, true },
    { "X_Real-IP", -1, true },
    { "X__Forwarded-", -1, false },
    { "_-Forwarded-For", -1, false },
    { "X-Real-IPs", -1, false },
    { "Forwarded-For", -1, false },
    { "From", -1, false },
    { "X", -1, false },
    { "F", -1, false },
    { "", -1, false },
    { "Host", -1, false },
};

START_TEST(test_names)
{
    ck_assert_int_eq(forwarded_field(names[_i].name, strlen(names[_i].name)), names[_i].field);
    ck_assert_int_eq(forwarded_speaks(names[_i].name, strlen(names[_i].name)), names[_i].speaks);
}
END_TEST

/* All of it is written, whatever was there. */
static struct forwarded parsed(const char *node, const char *proto, const char *host, const char *prefix,
                               const char *standard)
{
    const char *values[FORWARDED_FIELDS] = { [FORWARDED_FOR] = node,
                                             [FORWARDED_PROTO] = proto,
                                             [FORWARDED_HOST] = host,
                                             [FORWARDED_PREFIX] = prefix,
                                             [FORWARDED_RFC7239] = standard };
    struct forwarded forwarded;

    memset(&forwarded, 'x', sizeof(forwarded));
    forwarded_parse(values, &forwarded);
    return forwarded;
}

START_TEST(test_nothing)
{
    struct forwarded forwarded = parsed(NULL, NULL, NULL, NULL, NULL);

    ck_assert_str_eq(forwarded.address, "");
    ck_assert_str_eq(forwarded.scheme, "");
    ck_assert_str_eq(forwarded.host, "");
    ck_assert_str_eq(forwarded.prefix, "");
}
END_TEST

#define LONG_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

static const struct {
    const char *value, *address;
} nodes[] = {
    { "203.0.113.7", "203.0.113.7" },
    { " \t203.0.113.7 \t", "203.0.113.7" },
    { "203.0.113.7:1234", "203.0.113.7" },
    { "203.0.113.7:0", "203.0.113.7" },
    { "203.0.113.7:65535", "203.0.113.7" },
    { "2001:db8::7", "2001:db8::7" },
    { "2001:DB8:0:0::7", "2001:db8::7" },
    { "[2001:db8::7]", "2001:db8::7" },
    { "[2001:db8::7]:1234", "2001:db8::7" },
    { "2001:0db8:0000:0000:0000:0000:255.255.255.255", "2001:db8::ffff:ffff" },
    { "::ffff:203.0.113.7", "::ffff:203.0.113.7" },
    { "::1", "::1" },
    /* lists: the last entry is the proxy's */
    { "9.9.9.9, 203.0.113.7", "203.0.113.7" },
    { "9.9.9.9,8.8.8.8,203.0.113.7", "203.0.113.7" },
    { "\"9.9.9.9, 203.0.113.7", "203.0.113.7" },
    { "junk, , ;=\", 203.0.113.7", "203.0.113.7" },
    { "203.0.113.7,", "" },
    { "203.0.113.7, ", "" },
    { "203.0.113.7, unknown", "" },
    { "203.0.113.7, junk", "" },
    { ",", "" },
    /* none */
    { "", "" },
    { " ", "" },
    { "unknown", "" },
    { "_hidden", "" },
    { "unix:", "" },
    { "unix:/run/x.sock", "" },
    { "localhost", "" },
    { "203.0.113", "" },
    { "203.0.113.256", "" },
    { "0203.0.113.7", "" },
    { "203.0.113.7.", "" },
    { "203.0.113.7:", "" },
    { "203.0.113.7:65536", "" },
    { "203.0.113.7:123456", "" },
    { "203.0.113.7:-1", "" },
    { "203.0.113.7:1x", "" },
    { "203.0.113.7 x", "" },
    { "203.0.113.7;8.8.8.8", "" },
    { "203.0.113.7/24", "" },
    { "[203.0.113.7]", "" },
    { "[2001:db8::7", "" },
    { "2001:db8::7]", "" },
    { "[2001:db8::7]1234", "" },
    { "[2001:db8::7]:", "" },
    { "[[2001:db8::7]]", "" },
    { "[]", "" },
    { "[", "" },
    { "fe80::1%eth0", "" },
    { "\"203.0.113.7\"", "" },
    { "2001:db8::7::", "" },
    { LONG_63 LONG_63, "" },
    { "203.0.113.7" LONG_63, "" },
};

START_TEST(test_nodes)
{
    ck_assert_str_eq(parsed(nodes[_i].value, NULL, NULL, NULL, NULL).address, nodes[_i].address);
}
END_TEST

static const struct {
    const char *value, *scheme;
} schemes[] = {
    { "https", "https" },     { "http", "http" },  { "HTTPS", "https" }, { "http, https", "https" },
    { "https,http", "http" }, { "ftp", "" },       { "", "" },           { "https:", "" },
    { "https,", "" },         { "https://x", "" }, { "wss", "" },        { "httpss", "" },
};

START_TEST(test_schemes)
{
    ck_assert_str_eq(parsed(NULL, schemes[_i].value, NULL, NULL, NULL).scheme, schemes[_i].scheme);
}
END_TEST

static const struct {
    const char *value, *host;
} hosts[] = {
    { "app.example.org", "app.example.org" },
    { "App.Example.Org:8443", "App.Example.Org:8443" },
    { "[2001:db8::7]:443", "[2001:db8::7]:443" },
    { "evil.example, app.example.org", "app.example.org" },
    { LONG_63 "." LONG_63 "." LONG_63 "." LONG_63, LONG_63 "." LONG_63 "." LONG_63 "." LONG_63 },
    { LONG_63 "." LONG_63 "." LONG_63 "." LONG_63 ".x", "" },
    { "", "" },
    { "app.example.org,", "" },
    { "app.example.org/path", "" },
    { "user@app.example.org", "" },
    { "app example", "" },
    { "app.example.org:65536", "" },
    { ":80", "" },
    { "/run/x.sock", "" },
    { "\"app.example.org\"", "" },
    { "<script>", "" },
};

START_TEST(test_hosts)
{
    ck_assert_str_eq(parsed(NULL, NULL, hosts[_i].value, NULL, NULL).host, hosts[_i].host);
}
END_TEST

static const struct {
    const char *value, *prefix;
} prefixes[] = {
    { "/app", "/app" },
    { "/app/", "/app" },
    { "/a/b-c_d.e~f/0", "/a/b-c_d.e~f/0" },
    { "/...", "/..." },
    { "/", "/" },
    { "/evil, /app", "/app" },
    { "", "" },
    { "app", "" },
    { "//", "" },
    { "///", "" },
    { "//evil.example", "" },
    { "/app//", "" },
    { "/a//b", "" },
    { "/.", "" },
    { "/..", "" },
    { "/../x", "" },
    { "/a/./b", "" },
    { "/a/..", "" },
    { "/a/../", "" },
    { "/\\evil.example", "" },
    { "/a b", "" },
    { "/a\"b", "" },
    { "/<b>", "" },
    { "/a?b", "" },
    { "/a#b", "" },
    { "/a%2fb", "" },
    { "/a:b", "" },
    { "/\xc3\xbc", "" },
    { "http://evil.example/", "" },
    { "/app,", "" },
    { "/" LONG_63 "/" LONG_63 "/" LONG_63 "/" LONG_63 "/", "" },
};

START_TEST(test_prefixes)
{
    ck_assert_str_eq(parsed(NULL, NULL, NULL, prefixes[_i].value, NULL).prefix, prefixes[_i].prefix);
}
END_TEST

/* RFC 7239. */
static const struct {
    const char *value, *address, *scheme, *host;
} standards[] = {
    { "for=203.0.113.7", "203.0.113.7", "", "" },
    { "For=\"203.0.113.7:1234\";PROTO=https;hOst=app.example.org", "203.0.113.7", "https", "app.example.org" },
    { "for=\"[2001:db8::7]:1234\"", "2001:db8::7", "", "" },
    { "for=\"[2001:db8::7]:_port\"", "2001:db8::7", "", "" },
    { "for=\"203.0.113.7:_p.o-r_t\"", "203.0.113.7", "", "" },
    { "for=\"203.0.113.7:_p=t\"", "", "", "" },
    { "host=\"app.example.org:8443\"", "", "", "app.example.org:8443" },
    { "proto=https;by=203.0.113.43;for=192.0.2.60", "192.0.2.60", "https", "" },
    { "secret=x;for=203.0.113.7;ext=\"a,b;c\"", "203.0.113.7", "", "" },
    { "for=\"203.0.113\\.7\"", "203.0.113.7", "", "" },
    { "for=\"\\2\\0\\3.0.113.7\"", "203.0.113.7", "", "" },
    { "for=203.0.113.7 ; proto=https", "203.0.113.7", "https", "" },
    { ";for=203.0.113.7;;", "203.0.113.7", "", "" },
    /* lists: the last element is the proxy's, and none of what is before it stays */
    { "for=9.9.9.9, for=203.0.113.7", "203.0.113.7", "", "" },
    { "for=9.9.9.9;host=evil.example;proto=https,for=203.0.113.7", "203.0.113.7", "", "" },
    { "for=\"a,b\", for=203.0.113.7", "203.0.113.7", "", "" },
    { "x=\"a\\\"b, for=9.9.9.9\",for=203.0.113.7", "203.0.113.7", "", "" },
    { "for=203.0.113.7,", "", "", "" },
    { "for=203.0.113.7, proto=https", "", "https", "" },
    /* an open quote of the client's swallows what the proxy adds: then nothing is known */
    { "for=\"9.9.9.9, for=203.0.113.7", "", "", "" },
    { "for=9.9.9.9;x=\", for=\"203.0.113.7\"", "", "", "" },
    /* hidden */
    { "for=unknown;proto=https", "", "https", "" },
    { "for=_gazonk", "", "", "" },
    { "for=\"_gazonk:80\"", "", "", "" },
    { "for=\"unix:\"", "", "", "" },
    /* malformed: all of it */
    { "", "", "", "" },
    { ",", "", "", "" },
    { "203.0.113.7", "", "", "" },
    { "for", "", "", "" },
    { "for=", "", "", "" },
    { "=203.0.113.7", "", "", "" },
    { "for=203.0.113.7;proto", "", "", "" },
    { "for =203.0.113.7", "", "", "" },
    { "for= 203.0.113.7", "", "", "" },
    { "for=203.0.113.7:1234", "", "", "" },
    { "for=[2001:db8::7]", "", "", "" },
    { "for=2001:db8::7", "", "", "" },
    { "for=203.0.113.7=x", "", "", "" },
    { "for=203.0.113.7 proto=https", "", "", "" },
    { "for=\"203.0.113.7\"x", "", "", "" },
    { "for=\"203.0.113.7", "", "", "" },
    { "for=\"203.0.113.7\\", "", "", "" },
    { "for=\"203.0.113.7\\\"", "", "", "" },
    { "for=203.0.113.7;for=9.9.9.9", "", "", "" },
    { "for=203.0.113.7;FOR=203.0.113.7", "", "", "" },
    { "proto=https;for=203.0.113.7;proto=https", "", "", "" },
    { "(x)=y;for=203.0.113.7", "", "", "" },
    { "x=(y);for=203.0.113.7", "", "", "" },
    /* a value that is none does not harm the others */
    { "for=junk;proto=ftp;host=app.example.org", "", "", "app.example.org" },
    { "for=203.0.113.7;host=\"a b\"", "203.0.113.7", "", "" },
    { "for=203.0.113.7;host=\"\"", "203.0.113.7", "", "" },
    { "for=203.0.113.7;host=" LONG_63 LONG_63 LONG_63 LONG_63 LONG_63, "203.0.113.7", "", "" },
    { "for=203.0.113.7;host=\"" LONG_63 LONG_63 LONG_63 LONG_63 LONG_63 "\"", "203.0.113.7", "", "" },
};

START_TEST(test_standard)
{
    struct forwarded forwarded = parsed(NULL, NULL, NULL, NULL, standards[_i].value);

    ck_assert_str_eq(forwarded.address, standards[_i].address);
    ck_assert_str_eq(forwarded.scheme, standards[_i].scheme);
    ck_assert_str_eq(forwarded.host, standards[_i].host);
}
END_TEST

/* Both kinds at once: for, proto, host, prefix, Forwarded. */
static const struct {
    const char *node, *proto, *host, *standard;
    bool believed;
    const char *address, *scheme, *name;
} both[] = {
    { "203.0.113.7", NULL, NULL, "for=203.0.113.7", true, "203.0.113.7", "", "" },
    { "203.0.113.7:1", "https", "A.example", "for=\"203.0.113.7:2\";proto=HTTPS;host=a.example", true, "203.0.113.7",
      "https", "A.example" },
    { "2001:db8:0::7", NULL, NULL, "for=\"[2001:DB8::7]\"", true, "2001:db8::7", "", "" },
    /* they complement each other */
    { "203.0.113.7", NULL, NULL, "proto=https", true, "203.0.113.7", "https", "" },
    { NULL, "https", "a.example", "for=203.0.113.7", true, "203.0.113.7", "https", "a.example" },
    /* what is malformed or empty contradicts nothing */
    { "203.0.113.7", "https", NULL, "for=", true, "203.0.113.7", "https", "" },
    { "203.0.113.7", "https", NULL, "for=9.9.9.9;;host", true, "203.0.113.7", "https", "" },
    { "junk", "", "a b", "for=203.0.113.7;proto=https;host=a.example", true, "203.0.113.7", "https", "a.example" },
    { "unknown", NULL, NULL, "for=_x;proto=https", true, "", "https", "" },
    /* contradictions: nothing is believed */
    { "203.0.113.7", "https", "a.example", "for=9.9.9.9", false, "", "", "" },
    { "203.0.113.7", "https", "a.example", "proto=http", false, "", "", "" },
    { "203.0.113.7", "https", "a.example", "host=evil.example", false, "", "", "" },
    { "203.0.113.7", "https", "a.example", "host=\"a.example:8443\"", false, "", "", "" },
    { "203.0.113.7", NULL, NULL, "for=unknown", false, "", "", "" },
    { "203.0.113.7", NULL, NULL, "for=_x", false, "", "", "" },
    { "unix:", NULL, NULL, "for=203.0.113.7", false, "", "", "" },
    { "203.0.113.7, 9.9.9.9", NULL, NULL, "for=9.9.9.9, for=203.0.113.7", false, "", "", "" },
};

START_TEST(test_both)
{
    struct forwarded forwarded = parsed(both[_i].node, both[_i].proto, both[_i].host, "/app", both[_i].standard);

    ck_assert_str_eq(forwarded.address, both[_i].address);
    ck_assert_str_eq(forwarded.scheme, both[_i].scheme);
    ck_assert_str_eq(forwarded.host, both[_i].name);
    ck_assert_str_eq(forwarded.prefix, both[_i].believed ? "/app" : "");
}
END_TEST

/* A list of a million entries is as quick as its length. */
START_TEST(test_long_list)
{
    static const char end[] = "for=203.0.113.7";
    size_t size = 1000000;
    char *text = malloc(size + sizeof(end));

    ck_assert_ptr_nonnull(text);
    memset(text, ',', size);
    memcpy(text + size, end, sizeof(end));
    ck_assert_str_eq(parsed(NULL, NULL, NULL, NULL, text).address, "203.0.113.7");
    ck_assert_str_eq(parsed(text, NULL, NULL, NULL, NULL).address, "");
    memcpy(text + size, "203.0.113.7", sizeof("203.0.113.7"));
    ck_assert_str_eq(parsed(text, NULL, NULL, NULL, NULL).address, "203.0.113.7");
    free(text);
}
END_TEST

Suite *suite_forwarded(void)
{
    Suite *suite = suite_create("forwarded");
    TCase *tcase = tcase_create("forwarded");

    tcase_add_loop_test(tcase, test_names, 0, COUNT(names));
    tcase_add_test(tcase, test_nothing);
    tcase_add_loop_test(tcase, test_nodes, 0, COUNT(nodes));
    tcase_add_loop_test(tcase, test_schemes, 0, COUNT(schemes));
    tcase_add_loop_test(tcase, test_hosts, 0, COUNT(hosts));
    tcase_add_loop_test(tcase, test_prefixes, 0, COUNT(prefixes));
    tcase_add_loop_test(tcase, test_standard, 0, COUNT(standards));
    tcase_add_loop_test(tcase, test_both, 0, COUNT(both));
    tcase_add_test(tcase, test_long_list);
    suite_add_tcase(suite, tcase);
    return suite;
}
