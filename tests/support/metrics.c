/*
 * Reads /metrics as strictly as its format is written (Prometheus text, version 0.0.4), and says what is wrong with it.
 *
 *     metrics [-w] SOCKET
 *
 * With -w it looks all the time, until SIGTERM, and tells when a counter has fallen or vanished since it looked last;
 * "running" is printed after the first reading, their number at the end. A reading that was lost with the worker that
 * was killed is tried again. Exit code 0: nothing was wrong.
 */
#include <ctype.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_SERIES 4096
#define MOST_BYTES  (4 * 1024 * 1024)

struct series {
    char *name; /* with its labels */
    double value;
    bool counts; /* may not fall */
};

struct reading {
    size_t count;
    struct series series[MOST_SERIES];
};

/* What the lines of one metric have in common. */
struct family {
    char name[128], type[16];
    bool seen, histogram_open;
    double last_bound, last_bucket;
};

static volatile sig_atomic_t over;
static struct family families[256];
static size_t family_count;

static void stop(int signal_number)
{
    over = 1;
}

static void wrong(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void wrong(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

/* ---- HTTP ---- */

/* The whole reply, NUL-terminated; NULL: it was cut off. */
static char *fetch(const char *path)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static char bytes[MOST_BYTES + 1];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t size = 0;
    ssize_t n = -1;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(request) - 1)
        while ((n = recv(fd, bytes + size, MOST_BYTES - size, 0)) > 0)
            size += (size_t)n;
    close(fd);
    bytes[size] = '\0';
    return n == 0 && size > 0 ? bytes : NULL;
}

static char *body_of(char *reply)
{
    char *end = strstr(reply, "\r\n\r\n");
    const char *length;

    if (!end || strncmp(reply, "HTTP/1.1 200 ", 13) != 0)
        wrong("this is no reply to read: %.80s", reply);
    *end = '\0';
    if (!strstr(reply, "\r\nContent-Type: text/plain; version=0.0.4"))
        wrong("the type is another: %s", reply);
    length = strstr(reply, "\r\nContent-Length: ");
    if (!length)
        wrong("there is no length: %s", reply);
    return strtoul(length + 18, NULL, 10) == strlen(end + 4) ? end + 4 : NULL;
}

/* ---- the format ---- */

static size_t name_length(const char *at, bool colons)
{
    size_t length = 0;

    while (isalpha((unsigned char)at[length]) || at[length] == '_' || (colons && at[length] == ':') ||
           (length > 0 && isdigit((unsigned char)at[length])))
        length++;
    return length;
}

static struct family *family_find(const char *name, size_t length)
{
    for (size_t i = 0; i < family_count; i++)
        if (strlen(families[i].name) == length && strncmp(families[i].name, name, length) == 0)
            return &families[i];
    return NULL;
}

static void take_comment(const char *line)
{
    size_t length = name_length(line + 7, true);
    struct family *family = family_find(line + 7, length);

    if (length == 0 || line[7 + length] != ' ' || length >= sizeof(family->name))
        wrong("no name: %s", line);
    if (strncmp(line, "# HELP ", 7) == 0) {
        if (family || family_count == sizeof(families) / sizeof(families[0]))
            wrong("a second time: %s", line);
        memset(&families[family_count], 0, sizeof(families[0]));
        memcpy(families[family_count++].name, line + 7, length);
        for (const char *at = line; (at = strchr(at, '\\')); at += 2)
            if (at[1] != '\\' && at[1] != 'n')
                wrong("no escape: %s", line);
    } else if (strncmp(line, "# TYPE ", 7) == 0) {
        if (!family || family != &families[family_count - 1] || family->type[0] || family->seen)
            wrong("out of place: %s", line);
        snprintf(family->type, sizeof(family->type), "%s", line + 8 + length);
        if (strcmp(family->type, "counter") != 0 && strcmp(family->type, "gauge") != 0 &&
            strcmp(family->type, "histogram") != 0)
            wrong("no type: %s", line);
    } else
        wrong("no comment of ours: %s", line);
}

/* {name="value",…}; what follows it. */
static const char *skip_labels(const char *at, const char *line)
{
    if (*at != '{')
        return at;
    do {
        size_t length = name_length(++at, false);

        at += length;
        if (length == 0 || at[0] != '=' || at[1] != '"')
            wrong("no label: %s", line);
        for (at += 2; *at != '"'; at++)
            if (*at == '\0' || (*at == '\\' && !strchr("\\\"n", *++at)))
                wrong("no value of a label: %s", line);
        at++;
    } while (*at == ',');
    if (*at != '}')
        wrong("no end of the labels: %s", line);
    return at + 1;
}

static void take_bucket(struct family *family, const char *line, double value)
{
    const char *le = strstr(line, "le=\"");
    double bound = le ? strtod(le + 4, NULL) : NAN;

    if (!le || (family->histogram_open && (bound <= family->last_bound || value < family->last_bucket)))
        wrong("no order of buckets: %s", line);
    family->histogram_open = true;
    family->last_bound = bound;
    family->last_bucket = value;
}

/* The family that a line belongs to: by its name, or, of a histogram, by what its name begins with. */
static struct family *family_of(const char *line, size_t length, double value)
{
    static const char *const suffixes[] = { "_bucket", "_sum", "_count" };
    struct family *family = family_find(line, length);

    if (family && strcmp(family->type, "histogram") != 0)
        return family;
    for (size_t i = 0; i < 3; i++) {
        size_t suffix = strlen(suffixes[i]);

        if (length <= suffix || strncmp(line + length - suffix, suffixes[i], suffix) != 0)
            continue;
        family = family_find(line, length - suffix);
        if (!family || strcmp(family->type, "histogram") != 0)
            break;
        if (i == 0)
            take_bucket(family, line, value);
        if (i == 2 && (!isinf(family->last_bound) || value != family->last_bucket))
            wrong("not the last bucket: %s", line);
        return family;
    }
    wrong("of no metric: %s", line);
}

static void take_sample(const char *line, struct reading *reading)
{
    size_t length = name_length(line, true);
    const char *at = skip_labels(line + length, line);
    struct series *series = &reading->series[reading->count];
    struct family *family;
    char *end;

    if (length == 0 || *at != ' ' || reading->count == MOST_SERIES)
        wrong("no sample: %s", line);
    series->name = strndup(line, (size_t)(at - line));
    series->value = strtod(at + 1, &end);
    if (at[1] == '\0' || isspace((unsigned char)at[1]) || *end != '\0')
        wrong("no value: %s", line);
    family = family_of(line, length, series->value);
    if (family != &families[family_count - 1] || !family->type[0])
        wrong("out of place: %s", line);
    family->seen = true;
    series->counts = strcmp(family->type, "gauge") != 0;
    if (strcmp(family->type, "counter") == 0 &&
        (length < 6 || strncmp(line + length - 6, "_total", 6) != 0 || series->value < 0))
        wrong("no counter: %s", line);
    for (size_t i = 0; i < reading->count; i++)
        if (strcmp(reading->series[i].name, series->name) == 0)
            wrong("twice: %s", line);
    reading->count++;
}

static void parse(char *text, struct reading *reading)
{
    family_count = 0;
    reading->count = 0;
    if (*text == '\0')
        wrong("there is nothing");
    for (char *line = text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        if (!end || end == line)
            wrong("an empty line, or no end of one: %.80s", line);
        *end = '\0';
        if (*line == '#')
            take_comment(line);
        else
            take_sample(line, reading);
    }
}

/* ---- looking again ---- */

static const struct series *find(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->count; i++)
        if (strcmp(reading->series[i].name, name) == 0)
            return &reading->series[i];
    return NULL;
}

static void compare(const struct reading *before, const struct reading *now)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct series *old = &before->series[i], *new = find(now, old->name);

        if (old->counts && !new)
            wrong("%s has vanished: it was %.17g", old->name, old->value);
        if (old->counts && new->value < old->value)
            wrong("%s fell from %.17g to %.17g", old->name, old->value, new->value);
    }
}

static void forget(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        free(reading->series[i].name);
    reading->count = 0;
}

int main(int argc, char **argv)
{
    static struct reading readings[2];
    bool watch = argc == 3 && strcmp(argv[1], "-w") == 0;
    unsigned long count = 0, lost = 0;

    if (!watch && argc != 2)
        return 2;
    signal(SIGTERM, stop);
    do {
        char *reply = fetch(argv[argc - 1]), *text = reply ? body_of(reply) : NULL;
        struct reading *now = &readings[count % 2], *before = &readings[(count + 1) % 2];

        if (!text) {
            if (!watch)
                wrong("there is no reply");
            lost++;
            continue;
        }
        parse(text, now);
        compare(before, now);
        forget(before);
        if (count++ == 0 && watch) {
            puts("running");
            fflush(stdout);
        }
    } while (watch && !over);
    if (watch)
        printf("readings %lu\nlost %lu\n", count, lost);
    forget(&readings[0]);
    forget(&readings[1]);
    return EXIT_SUCCESS;
}
