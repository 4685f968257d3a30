/*
 * Says who calls, as the kernel knows it: nothing that a client sends can change the answer.
 *
 *     curl --unix-socket PATH http://localhost/who
 */
#include <berth.h>

#include <jansson.h>

static int who(struct berth_request *request, struct berth_reply *reply)
{
    const struct berth_peer *peer = berth_request_peer(request);

    return berth_reply_text(reply, 200, "hello %s (uid %u)\n", berth_peer_user(peer), peer->uid);
}

/* All that is known, for programs. */
static int who_json(struct berth_request *request, struct berth_reply *reply)
{
    const struct berth_peer *peer = berth_request_peer(request);
    json_t *groups = json_array(), *all;
    int r;

    for (size_t i = 0; i < peer->group_count; i++)
        json_array_append_new(groups, json_integer(peer->groups[i]));
    all = json_pack("{s:s, s:i, s:s, s:i, s:o, s:i}", "user", berth_peer_user(peer), "uid", (int)peer->uid, "group",
                    berth_peer_group(peer), "gid", (int)peer->gid, "groups", groups, "pid", (int)peer->pid);
    r = berth_reply_json(reply, 200, all);
    json_decref(all);
    return r;
}

/* Only for the server's own user and root: a return value from 400 to 599 is answered as that status. */
static int secret(struct berth_request *request, struct berth_reply *reply)
{
    if (!berth_peer_is_self(berth_request_peer(request)))
        return 403;
    return berth_reply_text(reply, 200, "you are at home here\n");
}

static const struct berth_route routes[] = {
    { "GET", "/who", who },
    { "GET", "/who.json", who_json },
    { "GET", "/secret", secret },
    { 0 },
};

BERTH_APP("who", .routes = routes);
