#include "http/accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The weights that matter, in thousandths. */
struct weights {
    int html, json;
};

/* The end of what begins at `at`: the next byte of `ends` outside of quotes, or the end of the text. */
static const char *skip_to(const char *at, const char *ends)
{
    bool quoted = false;

    for (; *at != '\0'; at++) {
        if (quoted && *at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && strchr(ends, *at))
            break;
    }
    return at;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* RFC 9110 section 12.4.2; 0 for what is none, so that junk is never preferred. */
static int weight_parse(const char *text)
{
    int weight = (*text - '0') * 1000;

    if (*text != '0' && *text != '1')
        return 0;
    text++;
    if (*text == '.') {
        text++;
        for (int digit = 100; digit > 0 && *text >= '0' && *text <= '9'; digit /= 10)
            weight += (*text++ - '0') * digit;
    }
    text = skip_blanks(text);
    if (weight > 1000 || (*text != '\0' && *text != ',' && *text != ';'))
        return 0;
    return weight;
}

/* The weight among the parameters that begin at `at`, which is a ';' or the entry's end. */
static int entry_weight(const char *at)
{
    while (*at == ';') {
        at = skip_blanks(at + 1);
        if ((*at == 'q' || *at == 'Q') && at[1] == '=')
            return weight_parse(at + 2);
        at = skip_to(at, ",;");
    }
    return 1000;
}

static void entry_weigh(const char *begin, const char *end, struct weights *weights)
{
    static const struct {
        const char *range;
        bool html;
    } ranges[] = {
        { "text/html", true },
        { "application/problem+json", false },
        { "application/json", false },
        { "application/*", false },
        { "*/*", false },
    };
    size_t size = strcspn(begin, " \t,;");
    int weight = entry_weight(end);

    if (skip_blanks(begin + size) != end)
        return;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        int *best = ranges[i].html ? &weights->html : &weights->json;

        if (strlen(ranges[i].range) == size && strncasecmp(begin, ranges[i].range, size) == 0 && weight > *best)
            *best = weight;
    }
}

bool accept_prefers_html(const char *accept)
{
    struct weights weights = { 0 };

    while (accept && *accept != '\0') {
        const char *end;

        accept = skip_blanks(accept);
        end = skip_to(accept, ",;");
        entry_weigh(accept, end, &weights);
        accept = skip_to(end, ",");
        accept += *accept == ',';
    }
    return weights.html > weights.json;
}
