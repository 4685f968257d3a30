#include "worker/access_line.h"

#include <limits.h>
#include <string.h>

/* What a line has besides its texts: names of fields, numbers. */
#define FIXED_MAX 256
_Static_assert(ACCESS_USER_MAX + ACCESS_CLIENT_MAX + ACCESS_METHOD_MAX + ACCESS_TARGET_MAX + ACCESS_AGENT_MAX +
                       FIXED_MAX <=
                   ACCESS_LINE_MAX,
               "a line has room for everything");
_Static_assert(ACCESS_LINE_MAX < PIPE_BUF, "a line is one write to a pipe");

#define ADD(line, constant) line_add(line, constant, sizeof(constant) - 1)

/* The pid is not part of it: a user's requests come from many. */
static void make_peer(struct access_style *style, const struct access_entry *entry)
{
    struct line peer = { .bytes = style->peer, .limit = sizeof(style->peer) };

    if (style->format == LOG_FORMAT_JSON) {
        ADD(&peer, "\"user\":");
        line_add_escaped(&peer, entry->user, LINE_JSON, ACCESS_USER_MAX);
        ADD(&peer, ",\"uid\":");
    } else {
        line_add_escaped(&peer, entry->user, LINE_WORD, ACCESS_USER_MAX);
        ADD(&peer, " uid=");
    }
    line_add_number(&peer, entry->uid);
    style->peer_size = peer.size;
    style->uid = entry->uid;
    if (strlen(entry->user) < sizeof(style->user))
        memcpy(style->user, entry->user, strlen(entry->user) + 1);
    else
        style->user[0] = '\0'; /* such a name is never found again, only made */
}

static void add_peer(struct line *line, struct access_style *style, const struct access_entry *entry)
{
    if (style->peer_size == 0 || style->uid != entry->uid || strcmp(style->user, entry->user) != 0)
        make_peer(style, entry);
    line_add(line, style->peer, style->peer_size);
}

static void add_milliseconds(struct line *line, uint64_t nanoseconds)
{
    line_add_number(line, nanoseconds / 1000000);
    ADD(line, ".");
    line_add_padded(line, nanoseconds / 1000 % 1000, 3);
}

static void add_word(struct line *line, const char *text, size_t room)
{
    if (text[0])
        line_add_escaped(line, text, LINE_WORD, room);
    else
        ADD(line, "-");
}

static void add_text_form(struct line *line, struct access_style *style, const struct access_entry *entry)
{
    add_peer(line, style, entry);
    ADD(line, " pid=");
    if (entry->pid > 0)
        line_add_number(line, (uint64_t)entry->pid);
    else
        ADD(line, "-");
    if (entry->client) {
        ADD(line, " client=");
        add_word(line, entry->client, ACCESS_CLIENT_MAX);
    }
    ADD(line, " \"");
    add_word(line, entry->method, ACCESS_METHOD_MAX);
    ADD(line, " ");
    add_word(line, entry->target, ACCESS_TARGET_MAX);
    ADD(line, "\" ");
    if (entry->status > 0)
        line_add_number(line, entry->status);
    else
        ADD(line, "-");
    ADD(line, " ");
    line_add_number(line, entry->bytes);
    ADD(line, " ");
    add_milliseconds(line, entry->nanoseconds);
    ADD(line, "ms ");
    if (entry->user_agent)
        line_add_escaped(line, entry->user_agent, LINE_QUOTED, ACCESS_AGENT_MAX);
    else
        ADD(line, "\"-\"");
    if (!entry->complete)
        ADD(line, " incomplete");
}

static void add_json_text(struct line *line, const char *text, size_t room)
{
    if (text && text[0])
        line_add_escaped(line, text, LINE_JSON, room);
    else
        ADD(line, "null");
}

static void add_json_number(struct line *line, uint64_t number)
{
    if (number > 0)
        line_add_number(line, number);
    else
        ADD(line, "null");
}

static void add_json_form(struct line *line, struct access_style *style, const struct access_entry *entry)
{
    add_peer(line, style, entry);
    ADD(line, ",\"pid\":");
    add_json_number(line, (uint64_t)entry->pid);
    ADD(line, ",\"client\":");
    add_json_text(line, entry->client, ACCESS_CLIENT_MAX);
    ADD(line, ",\"method\":");
    add_json_text(line, entry->method, ACCESS_METHOD_MAX);
    ADD(line, ",\"target\":");
    add_json_text(line, entry->target, ACCESS_TARGET_MAX);
    ADD(line, ",\"status\":");
    add_json_number(line, entry->status);
    ADD(line, ",\"bytes\":");
    line_add_number(line, entry->bytes);
    ADD(line, ",\"milliseconds\":");
    add_milliseconds(line, entry->nanoseconds);
    ADD(line, ",\"user_agent\":");
    add_json_text(line, entry->user_agent, ACCESS_AGENT_MAX);
    if (entry->complete)
        ADD(line, ",\"complete\":true}");
    else
        ADD(line, ",\"complete\":false}");
}

void access_line_add(struct line *line, struct access_style *style, const struct access_entry *entry)
{
    if (style->format == LOG_FORMAT_JSON) {
        ADD(line, "{\"time\":\"");
        line_add_time(line, &style->clock, &entry->time);
        ADD(line, "\",");
        add_json_form(line, style, entry);
    } else {
        line_add_time(line, &style->clock, &entry->time);
        ADD(line, " ");
        add_text_form(line, style, entry);
    }
    ADD(line, "\n");
}

void access_line_add_lost(struct line *line, struct access_style *style, const struct timespec *time, uint64_t lost,
                          const char *role)
{
    if (style->format == LOG_FORMAT_JSON) {
        ADD(line, "{\"time\":\"");
        line_add_time(line, &style->clock, time);
        ADD(line, "\",\"role\":");
        line_add_escaped(line, role, LINE_JSON, ACCESS_USER_MAX);
        ADD(line, ",\"lost\":");
        line_add_number(line, lost);
        ADD(line, "}\n");
    } else {
        line_add_time(line, &style->clock, time);
        ADD(line, " ");
        line_add_escaped(line, role, LINE_PLAIN, ACCESS_USER_MAX);
        ADD(line, ": ");
        line_add_number(line, lost);
        line_add_text(line, lost == 1 ? " line is missing here\n" : " lines are missing here\n");
    }
}
