#include <check.h>
#include <stdbool.h>

#include "http/accept.h"

Suite *suite_accept(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *accept;
    bool html;
} accepts[] = {
    /* browsers: Firefox, Chrome, w3m, lynx */
    { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", true },
    { "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,image/apng,*/*;q=0.8,"
      "application/signed-exchange;v=b3;q=0.7",
      true },
    { "text/html, text/*;q=0.5, image/*, application/*;q=0.4", true },
    { "text/html, text/plain, text/sgml, text/css, */*;q=0.01", true },
    /* programs */
    { NULL, false },
    { "", false },
    { "*/*", false },
    { "application/json", false },
    { "application/json, text/plain, */*", false },
    { "text/html, application/json", false },
    { "text/html;q=0.9, application/json", false },
    { "text/html, application/problem+json", false },
    { "text/html, application/*", false },
    { "text/html, */*", false },
    { "text/*", false },
    { "image/png", false },
    /* weights */
    { "text/html", true },
    { "TEXT/HTML", true },
    { "text/html;q=1.000", true },
    { "text/html;q=0", false },
    { "text/html;q=0.000", false },
    { "text/html;q=0.001", true },
    { "text/html;Q=0.5, application/json;Q=0.4", true },
    { "text/html;q=0.4, application/json;q=0.5", false },
    { "application/json;q=0.499, text/html;q=0.5", true },
    { "application/json;q=0.5, text/html;q=0.5", false },
    { "application/json;q=0, text/html;q=0.1", true },
    { "text/html;level=1;q=0.3, */*;q=0.2", true },
    { "text/html ; q=0.3 , */* ; q=0.2", true },
    { "text/html;q=0.3;x=1, */*;q=0.2", true },
    { "text/html;q=0.1, text/html;q=0.9, */*;q=0.5", true },
    /* quotes */
    { "text/html;x=\",application/json\"", true },
    { "text/html;x=\";q=0\"", true },
    { "text/html;x=\"\\\";q=0\";q=0", false },
    { "image/png;x=\",text/html\"", false },
    /* junk */
    { ",,;,", false },
    { ";q=1", false },
    { "text/html;", true },
    { "text/html;;;", true },
    { ",text/html,", true },
    { "text/html;q", true },
    { "text/html;q=", false },
    { "text/html;q=x", false },
    { "text/html;q=-1", false },
    { "text/html;q=2", false },
    { "text/html;q=1.5", false },
    { "text/html;q=0.5x", false },
    { "text/html;q=0.1234", false },
    { "text/htmlx", false },
    { "xtext/html", false },
    { "text/html x", false },
    { "text /html", false },
    { "\"text/html\"", false },
    { "\"", false },
    { "\"\\", false },
    { "text/html;x=\"", true },
};

START_TEST(prefers)
{
    ck_assert_int_eq(accept_prefers_html(accepts[_i].accept), accepts[_i].html);
}
END_TEST

Suite *suite_accept(void)
{
    Suite *suite = suite_create("accept");
    TCase *tcase = tcase_create("accept");

    tcase_add_loop_test(tcase, prefers, 0, COUNT(accepts));
    suite_add_tcase(suite, tcase);
    return suite;
}
