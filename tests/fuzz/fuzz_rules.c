/* Rules: what is refused says why; what is taken decides the same each time, and refuses whom it does not name. The
 * input is a rule, without "allow" or "deny". */
#include "access/rules.h"

#include <stdbool.h>

#include "property.h"

static const char *const targets[] = { "/", "/a", "/a/", "/a/b", "/status/x", "/x/y/z" };
static const char *const methods[] = { "GET", "HEAD", "POST", "X-Y" };

static const gid_t groups[] = { 7, 65534 };

static const struct berth_peer peers[] = {
    { .uid = 1000, .gid = 1000, .groups = groups, .group_count = 2 },
    { .uid = 1000, .gid = 1000, .groups = groups, .group_count = 2, .proxied = true },
    { .uid = 65534, .gid = 65534 },
};

/* Names would be looked up, in what is not for a fuzzer to know; numbers are not. */
static bool asks_for_names(const char *rule)
{
    return strstr(rule, "user:") || strstr(rule, "group:") || strstr(rule, "proxied:");
}

static void check_decisions(const struct rules *allow, const struct rules *deny, const char *rule)
{
    struct target target;
    struct arena arena;
    const char *reason;
    size_t index;

    for (size_t t = 0; t < sizeof(targets) / sizeof(targets[0]); t++) {
        arena_init(&arena);
        PROPERTY(target_parse(targets[t], strlen(targets[t]), &arena, &target, &reason) == 0);
        for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++)
            for (size_t p = 0; p < sizeof(peers) / sizeof(peers[0]); p++) {
                struct caller caller = { .peer = &peers[p], .listener = p == 0 ? "admin" : "" };
                bool allowed = rules_allow(allow, &caller, methods[m], &target, &index);

                PROPERTY(index == (allowed ? 0 : 1));
                PROPERTY(!rules_allow(deny, &caller, methods[m], &target, &index));
                PROPERTY(index == (allowed ? 0 : 1));
                /* Somebody with an overflow uid can only be anybody, or have come by a listener or a proxy. */
                PROPERTY(!allowed || p != 2 || strstr(rule, "any"));
            }
        arena_reset(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *rule = text_new(data, size), *allow, *deny;
    struct text_list texts = { .count = 1 };
    struct rules *allowing, *denying;
    struct error error = { "" };
    int r;

    if (asprintf(&allow, "allow %s", rule) < 0 || asprintf(&deny, "deny %s", rule) < 0)
        abort();
    r = rule_check(allow, &error);
    PROPERTY((r < 0) == (error.text[0] != '\0'));
    PROPERTY(r == rule_check(deny, NULL));
    if (r == 0 && !asks_for_names(rule)) {
        texts.items = &allow;
        PROPERTY(rules_new("", &texts, &allowing, &error) == 0);
        texts.items = &deny;
        PROPERTY(rules_new("", &texts, &denying, &error) == 0);
        check_decisions(allowing, denying, rule);
        rules_free(allowing);
        rules_free(denying);
    }
    free(deny);
    free(allow);
    free(rule);
    return 0;
}
