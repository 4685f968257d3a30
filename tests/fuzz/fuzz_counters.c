/*
 * The counters, with whatever a worker may have written into its slot: the input fills the slot, over and over. What it
 * counted is added up without harm, others' figures are not touched, and the text for Prometheus is one.
 */
#include <stdatomic.h>
#include <stdbool.h>

#include "common/counters.h"
#include "common/metrics.h"

#include "property.h"

static void fill(struct counters_slot *slot, const uint8_t *data, size_t size)
{
    unsigned char *bytes = (unsigned char *)slot;

    for (size_t i = 0; size > 0 && i < sizeof(*slot); i++)
        bytes[i] = data[i % size];
}

/* One line: a comment, or name{labels} number, and nothing that is not to be shown. */
static void check_line(const char *line, size_t size)
{
    const char *blank = memrchr(line, ' ', size);
    bool quoted = false;

    PROPERTY(size > 0 && blank);
    if (line[0] == '#')
        return;
    PROPERTY(strncmp(line, "berth_", 6) == 0);
    for (const char *at = line; at < line + size; at++) {
        PROPERTY((unsigned char)*at >= ' ' && *at != 0x7f);
        if (quoted && *at == '\\')
            PROPERTY(*++at == '\\' || *at == '"');
        else if (*at == '"')
            quoted = !quoted;
    }
    PROPERTY(!quoted);
    PROPERTY(strspn(blank + 1, "0123456789.") == (size_t)(line + size - blank - 1));
}

static void check_text(const struct counters_snapshot *snapshot)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    PROPERTY(stream);
    metrics_write(snapshot, "0", stream);
    PROPERTY(fclose(stream) == 0);
    PROPERTY(strlen(text) == size && text[size - 1] == '\n');
    for (const char *line = text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        check_line(line, (size_t)(end - line));
    }
    free(text);
}

static void check(const struct counters_file *file, struct counters_snapshot *snapshot)
{
    bool found = false;

    PROPERTY(counters_read(file, snapshot) == 0);
    PROPERTY(snapshot->total.row_count <= COUNTERS_LABELS);
    for (size_t i = COUNTERS_ROW_FIRST; i < snapshot->total.row_count; i++)
        if (strcmp(snapshot->total.rows[i].label, "GET /good") == 0)
            found = snapshot->total.rows[i].classes[2] >= 1;
    PROPERTY(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct counters_snapshot snapshot;
    static const struct counters_file *file;
    static struct counters_slot *good, *bad;
    static struct counters *counters;

    if (!counters) {
        PROPERTY(counters_new(&counters) == 0);
        counters_attach(counters_fd(counters), 1, &file, &good);
        counters_attach(counters_fd(counters), 2, &file, &bad);
        counters_request(good, counters_add_row(good, 0, "GET", "", "/good"), 200, 1, 1);
        counters_admit(counters, 1, 1);
    }
    fill(bad, data, size);
    counters_admit(counters, 2, 2);
    check(file, &snapshot);
    check_text(&snapshot);
    counters_retire(counters, 2);
    PROPERTY(atomic_load(&bad->row_count) == 0);
    check(file, &snapshot);
    return 0;
}
