#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "http/host.h"

Suite *suite_host(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NAME_300                                                                                                       \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"            \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"            \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *value;
    enum host_verdict verdict;
} hosts[] = {
    /* nothing, and names without a dot */
    { NULL, HOST_ALLOWED },
    { "", HOST_ALLOWED },
    { "berth", HOST_ALLOWED },
    { "docker", HOST_ALLOWED },
    { "a", HOST_ALLOWED },
    { "BERTH:80", HOST_ALLOWED },
    { "my_box-2", HOST_ALLOWED },
    { "d", HOST_ALLOWED },
    { "unix", HOST_ALLOWED },
    { "localhost", HOST_ALLOWED },
    { "LocalHost", HOST_ALLOWED },
    { "localhost.", HOST_ALLOWED },
    { "localhost:8080", HOST_ALLOWED },
    { "localhost.:8080", HOST_ALLOWED },
    { "localhost:", HOST_ALLOWED },
    { "localhost:0", HOST_ALLOWED },
    { "localhost:65535", HOST_ALLOWED },
    { "localhost:00080", HOST_ALLOWED },
    { "app.localhost", HOST_ALLOWED },
    { "a.b.LOCALHOST.:1", HOST_ALLOWED },
    /* loopback addresses */
    { "127.0.0.1", HOST_ALLOWED },
    { "127.0.0.1:9999", HOST_ALLOWED },
    { "127.0.0.1.", HOST_ALLOWED },
    { "127.255.255.255", HOST_ALLOWED },
    { "127.0.0.0", HOST_ALLOWED },
    { "[::1]", HOST_ALLOWED },
    { "[::1]:80", HOST_ALLOWED },
    { "[::1]:", HOST_ALLOWED },
    { "[0:0:0:0:0:0:0:1]", HOST_ALLOWED },
    { "[::0001]", HOST_ALLOWED },
    /* the socket's path */
    { "/run/docker.sock", HOST_ALLOWED },
    { "/", HOST_ALLOWED },
    { "/tmp/a-b_c~d/e.sock", HOST_ALLOWED },
    { "%2Frun%2Fdocker.sock", HOST_ALLOWED },
    { "%2frun%2fdocker.sock", HOST_ALLOWED },
    { "%2Frun/docker.sock", HOST_ALLOWED },
    { "/run/a%20b.sock", HOST_ALLOWED },
    { "/run/user/1000/x:y@z", HOST_ALLOWED },
    /* others' names, and what looks like ours but is not */
    { "evil.example", HOST_FOREIGN },
    { "evil.example:80", HOST_FOREIGN },
    { "evil.example.", HOST_FOREIGN },
    { "ai.", HOST_FOREIGN },
    { "ai.:80", HOST_FOREIGN },
    { ".", HOST_FOREIGN },
    { "..", HOST_FOREIGN },
    { "localhost..", HOST_FOREIGN },
    { ".localhost", HOST_FOREIGN },
    { "localhost.evil.example", HOST_FOREIGN },
    { "notlocalhost.example", HOST_FOREIGN },
    { "a.notlocalhost", HOST_FOREIGN },
    { "localhost.localdomain", HOST_FOREIGN },
    { "127.0.0.1.evil.example", HOST_FOREIGN },
    { "127.0.0.1.nip.io", HOST_FOREIGN },
    { "127.evil.example", HOST_FOREIGN },
    { "127.1", HOST_FOREIGN },
    { "127.0.0.01", HOST_FOREIGN },
    { "0127.0.0.1", HOST_FOREIGN },
    { "0x7f.0.0.1", HOST_FOREIGN },
    { "127.0.0.256", HOST_FOREIGN },
    { "127.0.0.1.1", HOST_FOREIGN },
    { "128.0.0.1", HOST_FOREIGN },
    { "126.255.255.255", HOST_FOREIGN },
    { "0.0.0.0", HOST_FOREIGN },
    { "192.168.1.10", HOST_FOREIGN },
    { "[::]", HOST_FOREIGN },
    { "[::2]", HOST_FOREIGN },
    { "[::ffff:192.168.1.10]", HOST_FOREIGN },
    { "[fe80::1]", HOST_FOREIGN },
    { "[2001:db8::1]:443", HOST_FOREIGN },
    { "evil%2eexample", HOST_FOREIGN },
    { "evil%2Eexample", HOST_FOREIGN },
    { "%6cocalhost", HOST_FOREIGN },
    { "a%2F", HOST_FOREIGN },
    { "localhost,evil", HOST_FOREIGN },
    { "a!b", HOST_FOREIGN },
    { "xn--bcher-kva.example", HOST_FOREIGN },
    { "run.docker.sock", HOST_FOREIGN },
    { NAME_300, HOST_FOREIGN },
    /* no hosts at all */
    { " localhost", HOST_MALFORMED },
    { "localhost ", HOST_MALFORMED },
    { "local host", HOST_MALFORMED },
    { "localhost, localhost", HOST_MALFORMED },
    { "localhost\t", HOST_MALFORMED },
    { "localhost:80 ", HOST_MALFORMED },
    { "user@localhost", HOST_MALFORMED },
    { "user:password@localhost", HOST_MALFORMED },
    { "localhost@evil.example", HOST_MALFORMED },
    { "localhost:80@evil.example", HOST_MALFORMED },
    { ":", HOST_MALFORMED },
    { ":80", HOST_MALFORMED },
    { "localhost:x", HOST_MALFORMED },
    { "localhost:-1", HOST_MALFORMED },
    { "localhost:+80", HOST_MALFORMED },
    { "localhost:65536", HOST_MALFORMED },
    { "localhost:99999", HOST_MALFORMED },
    { "localhost:000080", HOST_MALFORMED },
    { "localhost:4294967376", HOST_MALFORMED },
    { "localhost:80:80", HOST_MALFORMED },
    { "localhost:80/", HOST_MALFORMED },
    { "localhost/", HOST_MALFORMED },
    { "a/run/docker.sock", HOST_MALFORMED },
    { "http://localhost", HOST_MALFORMED },
    { "localhost?x", HOST_MALFORMED },
    { "localhost#x", HOST_MALFORMED },
    { "localhost\\x", HOST_MALFORMED },
    { "<localhost>", HOST_MALFORMED },
    { "\"localhost\"", HOST_MALFORMED },
    { "::1", HOST_MALFORMED },
    { "[", HOST_MALFORMED },
    { "]", HOST_MALFORMED },
    { "[]", HOST_MALFORMED },
    { "[::1", HOST_MALFORMED },
    { "::1]", HOST_MALFORMED },
    { "[::1]]", HOST_MALFORMED },
    { "[[::1]]", HOST_MALFORMED },
    { "[::1]80", HOST_MALFORMED },
    { "[::1].evil.example", HOST_MALFORMED },
    { "[::1]:65536", HOST_MALFORMED },
    { "x[::1]", HOST_MALFORMED },
    { "[127.0.0.1]", HOST_MALFORMED },
    { "[localhost]", HOST_MALFORMED },
    { "[::g]", HOST_MALFORMED },
    { "[fe80::1%25eth0]", HOST_MALFORMED },
    { "[v1.a]", HOST_MALFORMED },
    { "[1:2:3:4:5:6:7:8:9]", HOST_MALFORMED },
    { "[0000000000000000000000000000000000000000000000000001]", HOST_MALFORMED },
    { "a%", HOST_MALFORMED },
    { "a%4", HOST_MALFORMED },
    { "a%zz", HOST_MALFORMED },
    { "a%00", HOST_MALFORMED },
    { "/run/a b.sock", HOST_MALFORMED },
    { "/run/a%00.sock", HOST_MALFORMED },
    { "/run/a%.sock", HOST_MALFORMED },
    { "/run/a?b", HOST_MALFORMED },
    { "%2Frun\\x", HOST_MALFORMED },
    { "b\xc3\xbc"
      "cher.example",
      HOST_MALFORMED },
    { "localhost\x01", HOST_MALFORMED },
    { "localhost\x7f", HOST_MALFORMED },
};

START_TEST(verdicts)
{
    ck_assert_int_eq(host_check(hosts[_i].value, NULL, 0), hosts[_i].verdict);
}
END_TEST

/* What is malformed is not valid, what is foreign is; a path is the one thing that is allowed and not a host. */
START_TEST(valid)
{
    const char *value = hosts[_i].value;

    if (value && value[0] != '/' && strcmp(value, "%2Frun/docker.sock") != 0)
        ck_assert_int_eq(host_valid(value), hosts[_i].verdict != HOST_MALFORMED);
    else if (value)
        ck_assert(!host_valid(value));
}
END_TEST

static const struct {
    const char *value, *entry;
    enum host_verdict verdict;
} listed[] = {
    { "example.org", "example.org", HOST_ALLOWED },
    { "Example.ORG", "eXAMPLE.org", HOST_ALLOWED },
    { "example.org:8443", "example.org", HOST_ALLOWED },
    { "example.org.", "example.org", HOST_ALLOWED },
    { "example.org.:1", "example.org.", HOST_ALLOWED },
    { "example.org", "example.org.", HOST_ALLOWED },
    { "a.example.org", "example.org", HOST_FOREIGN },
    { "xexample.org", "example.org", HOST_FOREIGN },
    { "example.org.evil", "example.org", HOST_FOREIGN },
    { "example.or", "example.org", HOST_FOREIGN },
    { "example.orgg", "example.org", HOST_FOREIGN },
    { "a.example.org", "*.example.org", HOST_ALLOWED },
    { "A.b.Example.org.:1", "*.example.ORG", HOST_ALLOWED },
    { "a.example.org", "*.example.org.", HOST_ALLOWED },
    { "example.org", "*.example.org", HOST_FOREIGN },
    { ".example.org", "*.example.org", HOST_FOREIGN },
    { "a.xexample.org", "*.example.org", HOST_FOREIGN },
    { "evil-example.org", "*.example.org", HOST_FOREIGN },
    { "a.example.org.evil", "*.example.org", HOST_FOREIGN },
    { "*.example.org", "*.example.org", HOST_ALLOWED },
    { "evil.example", "*", HOST_FOREIGN },
    { "evil.example", "*.", HOST_FOREIGN },
    { "evil.example", "", HOST_FOREIGN },
    { "evil.example", "*evil.example", HOST_FOREIGN },
    { "192.168.1.10:80", "192.168.1.10", HOST_ALLOWED },
    { "192.168.1.11", "192.168.1.10", HOST_FOREIGN },
    { "[2001:DB8::1]:443", "[2001:db8::1]", HOST_ALLOWED },
    { "user@example.org", "example.org", HOST_MALFORMED },
    { "example.org:x", "example.org", HOST_MALFORMED },
    { "localhost", "example.org", HOST_ALLOWED },
    { "evil.example", NAME_300, HOST_FOREIGN },
};

START_TEST(list)
{
    char other[] = "other.example", *extra[2] = { other, strdup(listed[_i].entry) };

    ck_assert_int_eq(host_check(listed[_i].value, extra, 2), listed[_i].verdict);
    free(extra[1]);
}
END_TEST

Suite *suite_host(void)
{
    Suite *suite = suite_create("host");
    TCase *tcase = tcase_create("host");

    tcase_add_loop_test(tcase, verdicts, 0, COUNT(hosts));
    tcase_add_loop_test(tcase, valid, 0, COUNT(hosts));
    tcase_add_loop_test(tcase, list, 0, COUNT(listed));
    suite_add_tcase(suite, tcase);
    return suite;
}
