/*
 * Notes in memory: JSON in and out, path parameters, and state that lives as long as the worker.
 *
 *     curl --unix-socket PATH http://localhost/notes --json '{"text": "buy milk"}'
 *     curl --unix-socket PATH http://localhost/notes/1
 *
 * Each worker has notes of its own: run it with one (--workers 1, the default).
 * Its section of berth.conf may set how many it keeps: `most = 100`.
 */
#include <berth.h>

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define MOST_NOTES 1000
#define MOST_TEXT  4096

struct notes {
    json_t *by_id; /* {"1": {"id": 1, "text": "…"}, …} */
    uint64_t last_id;
    size_t most;
};

struct id_text {
    char text[24];
};

static struct id_text id_to_text(uint64_t id)
{
    struct id_text key;

    snprintf(key.text, sizeof(key.text), "%" PRIu64, id);
    return key;
}

static json_t *notes_find(const struct notes *notes, uint64_t id)
{
    return json_object_get(notes->by_id, id_to_text(id).text);
}

/* GET /notes: all of them, oldest first. */
static int list_notes(struct berth_request *request, struct berth_reply *reply)
{
    struct notes *notes = berth_request_state(request);
    json_t *list = json_array(), *note;
    const char *id;
    int r;

    json_object_foreach(notes->by_id, id, note)
        json_array_append(list, note);
    r = berth_reply_json(reply, 200, list);
    json_decref(list);
    return r;
}

/* POST /notes {"text": "…"}: 201, with the new note and its place. */
static int add_note(struct berth_request *request, struct berth_reply *reply)
{
    struct notes *notes = berth_request_state(request);
    char place[64];
    const char *text;
    json_t *body, *note;
    size_t size;
    uint64_t id;
    int r = berth_request_json(request, &body);

    if (r < 0)
        return r; /* becomes a 400 that says at which line and column */
    if (json_unpack(body, "{s:s%}", "text", &text, &size) < 0 || size == 0 || size > MOST_TEXT)
        return berth_reply_error(reply, 400, "a note is {\"text\": \"…\"} of 1 to %d bytes", MOST_TEXT);
    if (json_object_size(notes->by_id) >= notes->most)
        return berth_reply_error(reply, 507, "there are %zu notes already; delete one first", notes->most);

    id = ++notes->last_id;
    note = json_pack("{s:I, s:s%}", "id", (json_int_t)id, "text", text, size);
    if (json_object_set_new(notes->by_id, id_to_text(id).text, note) < 0)
        return -ENOMEM;
    snprintf(place, sizeof(place), "%s/notes/%" PRIu64, berth_request_root(request), id);
    r = berth_reply_header(reply, "Location", place);
    return r < 0 ? r : berth_reply_json(reply, 201, note);
}

/* GET /notes/{id} */
static int show_note(struct berth_request *request, struct berth_reply *reply)
{
    struct notes *notes = berth_request_state(request);
    uint64_t id;
    int r = berth_request_param_u64(request, "id", &id);

    if (r < 0)
        return r; /* becomes a 400 that names the parameter */
    if (!notes_find(notes, id))
        return berth_reply_error(reply, 404, "there is no note %" PRIu64, id);
    return berth_reply_json(reply, 200, notes_find(notes, id));
}

/* DELETE /notes/{id} */
static int delete_note(struct berth_request *request, struct berth_reply *reply)
{
    struct notes *notes = berth_request_state(request);
    uint64_t id;
    int r = berth_request_param_u64(request, "id", &id);

    if (r < 0)
        return r;
    if (json_object_del(notes->by_id, id_to_text(id).text) < 0)
        return berth_reply_error(reply, 404, "there is no note %" PRIu64, id);
    return berth_reply_bytes(reply, 204, NULL, NULL, 0);
}

static int start(const struct berth_settings *settings, void **ret_state)
{
    struct notes *notes;
    uint64_t most;
    int r = berth_setting_u64(settings, "most", MOST_NOTES, 1, MOST_NOTES, &most);

    if (r < 0)
        return r; /* the log has said what is wrong with it */
    notes = calloc(1, sizeof(*notes));
    if (!notes)
        return -ENOMEM;
    notes->most = most;
    notes->by_id = json_object();
    *ret_state = notes;
    return 0;
}

static void stop(void *state)
{
    struct notes *notes = state;

    json_decref(notes->by_id);
    free(notes);
}

static const struct berth_route routes[] = {
    { "GET", "/notes", list_notes },
    { "POST", "/notes", add_note },
    { "GET", "/notes/{id}", show_note },
    { "DELETE", "/notes/{id}", delete_note },
    { 0 },
};

BERTH_APP("notes", .routes = routes, .start = start, .stop = stop);
