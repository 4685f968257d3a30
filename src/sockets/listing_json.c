#include "sockets/listing_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

json_t *listing_json_text(const char *bytes, size_t size, bool *ret_exact)
{
    static const char replacement[] = "\xef\xbf\xbd";
    char *text = malloc((sizeof(replacement) - 1) * size + 1);
    size_t made = 0;
    json_t *value;
    bool exact = true;

    for (size_t at = 0; text && at < size;) {
        size_t length = bytes[at] == '\0' ? 1 : utf8_size(bytes + at, size - at);

        memcpy(text + made, length ? bytes + at : replacement, length ? length : sizeof(replacement) - 1);
        made += length ? length : sizeof(replacement) - 1;
        at += length ? length : 1;
        exact = exact && length > 0;
    }
    value = text ? json_stringn(text, made) : NULL;
    free(text);
    if (value)
        *ret_exact = exact;
    return value;
}

static json_t *text_json(const char *text)
{
    bool exact;

    return text ? listing_json_text(text, strlen(text), &exact) : json_null();
}

static json_t *hex_json(const char *bytes, size_t size)
{
    char hex[2 * sizeof(((struct inspected *)NULL)->raw_name) + 1];

    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
    return json_stringn(hex, 2 * size);
}

/* The name as "path" or "abstract"; its bytes as "path_hex" or "abstract_hex" where they are no text. */
static void put_name(json_t *object, const struct inspected *socket)
{
    bool abstract = socket->raw_name_size > 0 && socket->raw_name[0] == '\0', exact = true;
    const char *bytes = socket->raw_name + abstract;
    size_t size = socket->raw_name_size - abstract;

    if (socket->raw_name_size == 0) {
        json_object_set_new(object, "path", json_null());
        return;
    }
    json_object_set_new(object, abstract ? "abstract" : "path", listing_json_text(bytes, size, &exact));
    if (!exact)
        json_object_set_new(object, abstract ? "abstract_hex" : "path_hex", hex_json(bytes, size));
}

static json_t *holders_json(const struct holders *holders, uint32_t inode, struct people *people)
{
    size_t count;
    const struct holder *items = holders_of(holders, inode, &count);
    json_t *array = json_array();

    for (size_t i = 0; array && i < count; i++) {
        const struct holding_process *process = &holders->processes[items[i].process];

        json_array_append_new(array, json_pack("{so si so sI si}", "command", text_json(process->command), "pid",
                                               (int)process->pid, "user", text_json(people_user(people, process->uid)),
                                               "uid", (json_int_t)process->uid, "fd", items[i].fd));
    }
    return array;
}

static void put_place(json_t *object, const struct place *place, struct people *people)
{
    const struct stat *file = &place->file;
    char mode[16];

    snprintf(mode, sizeof(mode), "%04o", (unsigned int)(file->st_mode & 07777));
    json_object_set_new(object, "file", text_json(place_name(place->kind)));
    if (place->now)
        json_object_set_new(object, "renamed_to", text_json(place->now));
    json_object_set_new(object, "owner", text_json(place->has_file ? people_user(people, file->st_uid) : NULL));
    json_object_set_new(object, "group", text_json(place->has_file ? people_group(people, file->st_gid) : NULL));
    json_object_set_new(object, "mode", text_json(place->has_file ? mode : NULL));
}

static void put_queues(json_t *object, const struct inspected *socket)
{
    json_object_set_new(object, "backlog",
                        socket->has_queue ? json_pack("{sI sI}", "queued", (json_int_t)socket->queued, "limit",
                                                      (json_int_t)socket->limit)
                                          : json_null());
    if (socket->has_bytes) {
        json_object_set_new(object, "unread", json_integer(socket->unread));
        json_object_set_new(object, "unsent", json_integer(socket->unsent));
    }
}

static json_t *listed_json(const struct listing *listing, const struct listed *listed, struct people *people)
{
    const struct inspected *socket = &listed->socket;
    json_t *object = json_object(), *peer;

    if (!object)
        return NULL;
    put_name(object, socket);
    json_object_set_new(object, "type", json_string(listed_type(socket)));
    json_object_set_new(object, "state", json_string(listed_state(socket)));
    json_object_set_new(object, "inode", json_integer(socket->inode));
    json_object_set_new(object, "uid", socket->has_uid ? json_integer(socket->uid) : json_null());
    json_object_set_new(object, "holders", holders_json(&listing->holders, socket->inode, people));
    put_place(object, &listed->place, people);
    put_queues(object, socket);
    peer = socket->peer ? json_pack("{sI so}", "inode", (json_int_t)socket->peer, "holders",
                                    holders_json(&listing->holders, socket->peer, people))
                        : json_null();
    json_object_set_new(object, "peer", peer);
    return object;
}

json_t *listing_json(const struct listing *listing, struct people *people)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < listing->count; i++)
        if (json_array_append_new(array, listed_json(listing, &listing->items[i], people)) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}
