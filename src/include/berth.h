/*
 * berth.h: what an application may use, from top to bottom in the order in which you meet it.
 *
 *   1. An application and its routes
 *   2. The request
 *   3. The reply
 *   4. The peer: who calls
 *   5. Replying later: hold, offload, timers, the loop
 *   6. Replies that go on: streams
 *   7. Events
 *   8. Settings and the log
 *   9. The server about itself
 *
 * An application is one shared object, or one C file that berth compiles by itself (`berth serve --uds PATH x.c`).
 * It includes this header and links nothing: its calls resolve in the program that loads it, as do those of jansson and
 * libuv. Other libraries are for it to link; where berth compiles the source, the variable LDLIBS names them ("-lm").
 *
 * Threads. Everything here is called on the worker's loop thread, and calls you back there: an application needs no
 * locks. The one exception is the `work` function of berth_offload, which runs on another thread and may call
 * nothing of this header. A handler that blocks, blocks its worker: past --worker-timeout the worker is replaced.
 *
 * Errors. Functions that can fail return 0 or a negative errno and leave their ret_ parameters untouched on failure.
 *
 * Text. What is read from a request is NUL-terminated, never contains another NUL, and was percent-decoded exactly
 * once (RFC 3986 section 2.4) where it was encoded. It belongs to the request and lives as long as the request does:
 * until the handler returns, or, when the reply is held, until it is sent or the client is gone.
 */
#ifndef BERTH_H
#define BERTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BERTH_PUBLIC                            __attribute__((visibility("default")))
#define BERTH_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))

struct berth_request;
struct berth_reply;
struct berth_settings;
struct json_t;    /* <jansson.h>; include it yourself if you use JSON */
struct uv_loop_s; /* <uv.h>, uv_loop_t; include it yourself if you use the loop */

/* ---- 1. An application and its routes ------------------------------------------------------------------------- */

/*
 * Grows when a change to this header breaks applications that were compiled against an older one. A module with
 * another number is refused when it is loaded, with a message that names both; none of its hooks and handlers is run.
 */
#define BERTH_ABI 2

/*
 * Answers one request, on the loop thread. Answer with exactly one of chapter 3's functions, or keep the request open
 * with one of chapter 5's. Return 0 when that worked.
 *
 * Any other return value is answered for you: a negative errno by its nearest status (EINVAL 400, EACCES and EPERM
 * 403, ENOENT 404, EEXIST and EBUSY 409, EMSGSIZE 413, EUSERS 429, ENOSPC 507, ENOSYS 501, EAGAIN and ENOMEM 503,
 * ETIMEDOUT 504, anything else 500), a number from 400 to 599 as that status. So `return r;` is the right thing after a
 * failed call: what the failed function had to say (which parameter, which position) is in the body that the client
 * gets. Returning 0 without having answered is a 500 and a line in the log.
 */
typedef int berth_handler(struct berth_request *request, struct berth_reply *reply);

/*
 * Takes a request body piece by piece as it arrives, for a route with `.body`. Called once per piece, before the
 * route's handler, which runs when the body is complete. Keep what you need between pieces with
 * berth_request_set_data. Return 0 to go on; anything else refuses the rest, answered as a handler's return value is.
 * The bytes belong to berth and are valid for this call only.
 */
typedef int berth_body_handler(struct berth_request *request, const void *bytes, size_t size);

struct berth_route {
    /* An HTTP method token such as "GET" (RFC 9110 section 9.1). GET answers HEAD as well; OPTIONS is answered by
     * berth unless there is a route for it. */
    const char *method;
    /*
     * "/notes"; or "/notes/{id}", where {id} matches one segment that is not empty; or a path whose last segment is *,
     * which matches all the rest. A fixed segment beats {name}, which beats *. The path is below the application's
     * mount.
     */
    const char *path;
    berth_handler *handler;
    /* Optional: take the body in pieces. Without it the body is collected, and berth_request_body returns it. */
    berth_body_handler *body;
    /* The longest body this route takes, in bytes. 0: what --limit-request-body says. More is 413. */
    uint64_t body_limit;
    /* Only for the server's own user and root, as berth_peer_is_self has it, unless the application has rules in the
     * configuration: then those alone decide, here as elsewhere. Others get a 403. */
    bool self_only;
};

/* What a module exports under the name `berth_app`; write it with BERTH_APP. */
struct berth_app {
    uint32_t abi;                     /* BERTH_ABI, as it was when the module was compiled */
    const char *name;                 /* shown in logs; letters, digits, '-' and '_' */
    const struct berth_route *routes; /* ends with an entry of zeroes */
    /*
     * Optional. Called once in each worker before it accepts. Store what the handlers shall share in *ret_state. It has
     * as long as --worker-timeout says.
     * Anything but 0 refuses: at start-up berth exits with 3, on a reload the old applications keep serving. Say why
     * with berth_log, free what you have made (`stop` is not called then), and return a negative errno. `settings` is
     * valid until `stop` has returned.
     */
    int (*start)(const struct berth_settings *settings, void **ret_state);
    /* Optional. Called once in each worker that ends in an orderly way, after the last reply and the last offloaded
     * work and after `gone` was called for each reply that was still held. Free the state here. Not called when
     * --timeout-graceful-shutdown is over while work still runs, nor after a `start` that failed. */
    void (*stop)(void *state);
};

/* BERTH_APP("hello", .routes = routes, .start = start, .stop = stop); once in each module. (Applications that are
 * linked into a program, several of them, define BERTH_APP_SYMBOL before they include this header.) */
#ifndef BERTH_APP_SYMBOL
#define BERTH_APP_SYMBOL berth_app
#endif
#define BERTH_APP(app_name, ...)                                                                                       \
    BERTH_PUBLIC extern const struct berth_app BERTH_APP_SYMBOL;                                                       \
    const struct berth_app BERTH_APP_SYMBOL = { .abi = BERTH_ABI, .name = app_name, __VA_ARGS__ }

/* ---- 2. The request ------------------------------------------------------------------------------------------- */

/* The method, as sent: "GET", "HEAD", "POST", … Never NULL. */
BERTH_PUBLIC const char *berth_request_method(const struct berth_request *request);

/* The request target as it was sent, undecoded, with its query (RFC 9112 section 3.2). An absolute-form target is
 * reduced to its path and query. Never NULL. For logs and signatures; decide by the path and the parameters. */
BERTH_PUBLIC const char *berth_request_target(const struct berth_request *request);

/* The decoded path, mount included. Never NULL. --root-path is not part of it: a proxy that shows this server below
 * that path strips it from each request. */
BERTH_PUBLIC const char *berth_request_path(const struct berth_request *request);

/* Where clients find this application: --root-path followed by the application's mount, "" when both are at the root.
 * A trusted proxy's X-Forwarded-Prefix takes the place of --root-path. Put it before the paths of links and redirects.
 * Never NULL. */
BERTH_PUBLIC const char *berth_request_root(const struct berth_request *request);

/* A path parameter by its name in the route ("id" for "/notes/{id}", "*" for the rest), decoded; NULL if the route
 * has none of that name. The rest keeps its slashes. */
BERTH_PUBLIC const char *berth_request_param(struct berth_request *request, const char *name);

/* The same as a number in decimal digits. -EINVAL if it is not one or out of range (the 400 that you get by
 * returning it names the parameter and the value). */
BERTH_PUBLIC int berth_request_param_u64(struct berth_request *request, const char *name, uint64_t *ret_value);
BERTH_PUBLIC int berth_request_param_i64(struct berth_request *request, const char *name, int64_t *ret_value);

/* The index-th value (from 0) of a query parameter, decoded as application/x-www-form-urlencoded ('+' is a space);
 * "" for a name without a value; NULL when there are no more. Names compare exactly. */
BERTH_PUBLIC const char *berth_request_query(struct berth_request *request, const char *name, size_t index);

/* The first value of a query parameter as a number; `fallback` where the parameter is absent. -EINVAL as above. */
BERTH_PUBLIC int berth_request_query_u64(struct berth_request *request, const char *name, uint64_t fallback,
                                         uint64_t *ret_value);

/* The index-th (from 0) value of a header field, names compared without case; NULL when there are no more. */
BERTH_PUBLIC const char *berth_request_header(struct berth_request *request, const char *name, size_t index);

/* Calls each(data, name, value) for every header field, in the order in which they came, until it returns something
 * other than 0; returns that, or 0. One walk for who looks at several fields, or passes all of them on. */
BERTH_PUBLIC int berth_request_each_header(struct berth_request *request,
                                           int (*each)(void *data, const char *name, const char *value), void *data);

/* The value of a cookie (RFC 6265 section 5.4), undecoded, without surrounding quotes; NULL when there is none. */
BERTH_PUBLIC const char *berth_request_cookie(struct berth_request *request, const char *name);

/* The whole body of a route without `.body`: its bytes, followed by a NUL that *ret_size does not count. Never NULL:
 * an absent body is empty. A body may contain NULs of its own. */
BERTH_PUBLIC const char *berth_request_body(struct berth_request *request, size_t *ret_size);

/* The body parsed as JSON (RFC 8259), once, whatever its Content-Type says; the request owns the value: json_incref it
 * to keep it. -EINVAL if it is not JSON, an object has a key twice, or a text contains \u0000 (returning it gives a
 * 400 with line and column); -ENOMEM. */
BERTH_PUBLIC int berth_request_json(struct berth_request *request, struct json_t **ret_json);

/* Who calls. Never NULL; the same for all requests of one connection. Chapter 4. */
BERTH_PUBLIC const struct berth_peer *berth_request_peer(const struct berth_request *request);

/*
 * What the client asked for, as far as it is known: from what a trusted proxy says (--trust-proxy; X-Forwarded-For,
 * -Proto and -Host, or Forwarded, RFC 7239), else from the request itself. Never NULL; valid as long as the request.
 *
 * The address is the client's as the proxy saw it, "203.0.113.7" or "2001:db8::7", without a port; "" where there is no
 * proxy, or it did not say. The scheme is "http" or "https"; "http" where nobody said. The host is that of the Host
 * field, with its port; "" where there is none. Of lists the last entry counts, malformed values are none, and where
 * Forwarded contradicts the others all of them are none.
 *
 * Only trusted proxies' requests still have those header fields, X-Real-IP, and whatever else begins with X-Forwarded-:
 * berth_request_header and berth_request_each_header do not show those of others.
 */
BERTH_PUBLIC const char *berth_request_client(const struct berth_request *request);
BERTH_PUBLIC const char *berth_request_scheme(const struct berth_request *request);
BERTH_PUBLIC const char *berth_request_host(const struct berth_request *request);

/* What `start` stored; NULL without `start`. */
BERTH_PUBLIC void *berth_request_state(const struct berth_request *request);

/* Something of your own for the length of this request; `destroy`, if not NULL, is called with it when the request
 * ends, however it ends. Setting it again destroys what was there. */
BERTH_PUBLIC void berth_request_set_data(struct berth_request *request, void *data, void (*destroy)(void *data));
BERTH_PUBLIC void *berth_request_data(const struct berth_request *request);

/* ---- 3. The reply --------------------------------------------------------------------------------------------- */

/*
 * Each function below that takes a status answers the request: one of them, once. On a held reply (chapter 5) it also
 * sends it. They copy what they are given. Status is 200 to 599. They return 0; -EALREADY if the request has been
 * answered; -EBADMSG for a status, a type or a field that cannot be sent, which is the handler's mistake and not the
 * client's (returning it is a 500 and a line in the log); -E2BIG for fields that take more room than the connection
 * has for them, which is at least 1 KiB; -ENOMEM.
 */

/* Text (text/plain; charset=utf-8), formatted as printf does. */
BERTH_PUBLIC int berth_reply_text(struct berth_reply *reply, unsigned int status, const char *format, ...)
    BERTH_PRINTF(3, 4);

/* HTML (text/html; charset=utf-8), sent as it is: no format, so that nothing is put into a page without escaping. */
BERTH_PUBLIC int berth_reply_html(struct berth_reply *reply, unsigned int status, const char *html);

/* A JSON value (application/json), in compact form with a newline at its end. `json` stays yours. -EBADMSG for NULL. */
BERTH_PUBLIC int berth_reply_json(struct berth_reply *reply, unsigned int status, const struct json_t *json);

/* Bytes with a content type of your own. size 0 with type NULL: a reply without a body, such as 204. */
BERTH_PUBLIC int berth_reply_bytes(struct berth_reply *reply, unsigned int status, const char *type, const void *bytes,
                                   size_t size);

/* A regular file from now to its present end, sent by the kernel (sendfile(2)); the path is yours to have checked.
 * -errno of open(2), so that `return` makes a 404 of a missing file; -EACCES for what is not a regular file. */
BERTH_PUBLIC int berth_reply_file(struct berth_reply *reply, unsigned int status, const char *type, const char *path);

/* A part of an open regular file, sent by the kernel (sendfile(2)): `size` bytes from `offset`. The fd passes to berth,
 * which closes it, also on failure. A file that meanwhile became shorter ends the connection, so that the cut shows. */
BERTH_PUBLIC int berth_reply_fd(struct berth_reply *reply, unsigned int status, const char *type, int fd,
                                uint64_t offset, uint64_t size);

/*
 * `size` bytes that `read` produces as they are sent: it puts up to `room` bytes from `offset` on into `buffer` and
 * returns how many, at least one; or a negative errno, which ends the connection. It must not block for long. `done`,
 * if not NULL, is called with `data` once, when nothing will be read any more, also on failure.
 */
BERTH_PUBLIC int berth_reply_reader(struct berth_reply *reply, unsigned int status, const char *type, uint64_t size,
                                    ssize_t (*read)(void *data, uint64_t offset, void *buffer, size_t room),
                                    void (*done)(void *data), void *data);

/* A redirect (301, 302, 303, 307 or 308; RFC 9110 section 15.4) to a location that is sent as it is. */
BERTH_PUBLIC int berth_reply_redirect(struct berth_reply *reply, unsigned int status, const char *location);

/* An error (400 to 599) as problem+json (RFC 9457), or as a small page for a browser that asks for one. The
 * formatted detail is for the client to read: say what was wrong and what would be right, nothing of the server. 429
 * and 503 get a Retry-After of a second, unless you have added one. */
BERTH_PUBLIC int berth_reply_error(struct berth_reply *reply, unsigned int status, const char *format, ...)
    BERTH_PRINTF(3, 4);

/*
 * A reply that never changes, prepared once per worker: the fastest there is, nothing is allocated for a request.
 *
 *     static struct berth_constant page = BERTH_CONSTANT(200, "text/html; charset=utf-8", "<h1>Hello</h1>\n");
 *     … return berth_reply_constant(reply, &page);
 *
 * The bytes must outlive the application (a string literal, or what `start` built and `stop` frees). Headers that
 * berth_reply_header added are left out: a constant reply is sent as it was prepared.
 */
struct berth_constant {
    unsigned int status;
    const char *type;
    const void *bytes;
    size_t size;
    void *prepared[2]; /* berth's; zeroes at first */
};
/* clang-format off */
#define BERTH_CONSTANT(status, type, literal) { (status), (type), (literal), sizeof(literal) - 1, { 0, 0 } }
/* clang-format on */

/* Answers with it; the errors of this chapter. */
BERTH_PUBLIC int berth_reply_constant(struct berth_reply *reply, struct berth_constant *constant);

/*
 * The same for what is known only while the server runs, such as a file that was read: a reply that is prepared once,
 * sent as often as you like, and freed when you no longer want it. Replies that are still being sent keep what they
 * need of it. Unlike a constant it has header fields of its own; those that berth_reply_header added to a reply are
 * left out. Sent with status 304 it has the fields that RFC 9110 section 15.4.5 gives one, and no body.
 */
struct berth_prepared;

/* From bytes, which must stay until release(data) is called (NULL: for ever): once, when it is freed and the last
 * reply with them is sent; also on failure. -ENOMEM. */
BERTH_PUBLIC int berth_prepared_bytes(const char *type, const void *bytes, size_t size, void (*release)(void *data),
                                      void *data, struct berth_prepared **ret_prepared);

/* From a part of an open regular file, as berth_reply_fd: the fd passes to berth, also on failure. -ENOMEM. */
BERTH_PUBLIC int berth_prepared_fd(const char *type, int fd, uint64_t offset, uint64_t size,
                                   struct berth_prepared **ret_prepared);

/* Adds a header field; before it is first sent (then -EALREADY). Other errors as of berth_reply_header, which
 * follows. */
BERTH_PUBLIC int berth_prepared_header(struct berth_prepared *prepared, const char *name, const char *value);

/* Answers with it. Errors as above; -ENOMEM also where a descriptor is lacking. */
BERTH_PUBLIC int berth_reply_prepared(struct berth_reply *reply, unsigned int status, struct berth_prepared *prepared);

/* NULL is allowed. */
BERTH_PUBLIC void berth_prepared_free(struct berth_prepared *prepared);

/* Adds a header field to the reply that follows (RFC 9110 section 5); one that berth makes because the handler failed
 * is sent without it. Content-Type, Content-Length, Transfer-Encoding, Connection and Date are berth's own: -EBADMSG,
 * as for a name that is no token or a value with control characters. -E2BIG past 64 fields. */
BERTH_PUBLIC int berth_reply_header(struct berth_reply *reply, const char *name, const char *value);

/* ---- 4. The peer: who calls ----------------------------------------------------------------------------------- */

/*
 * Filled by the kernel when the connection was made (unix(7): SO_PEERCRED, SO_PEERGROUPS), and by
 * nothing else. They are the credentials of whoever *connected*, as they were then: behind a proxy, the proxy's; and a
 * connection that was handed on to another process still carries its maker's.
 */
struct berth_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;           /* for showing only: a pid may since have become another process; 0 where unknown */
    const gid_t *groups; /* all supplementary groups at the time of connect(2) */
    size_t group_count;
    bool proxied; /* it is a trusted proxy (--trust-proxy): what it sends is somebody else's, whom nobody vouches for */
    /* berth's own */
    int berth_fd, berth_pidfd;
    struct peer_names *berth_names;
};

/* A descriptor that refers to that very process (pidfd_open(2), SO_PEERPIDFD), asked of the kernel at the first call
 * and closed by berth when the connection ends. -ENOPROTOOPT where the kernel has none, -ESRCH if the process is gone.
 */
BERTH_PUBLIC int berth_peer_pidfd(const struct berth_peer *peer);

/* The name of the peer's user, or group, from the system's databases (NSS, nsswitch.conf(5)); its number as text where
 * it has none, or where the database does not answer within a second. Never NULL, and never blocks: handlers run when
 * the names have been looked up. (In a `.body` handler, which may run before that, it can still be the number.) */
BERTH_PUBLIC const char *berth_peer_user(const struct berth_peer *peer);
BERTH_PUBLIC const char *berth_peer_group(const struct berth_peer *peer);

/* Whether a group is among the peer's, primary or supplementary. The overflow gid (65534) never is; nor is any group
 * where the peer is a trusted proxy. */
BERTH_PUBLIC bool berth_peer_in_gid(const struct berth_peer *peer, gid_t gid);

/* The same by the group's name, or its number as text. The name is looked up in the system's databases at the first
 * call in this worker, which may block, and then remembered: ask once in `start` for each that your handlers ask for.
 * A name that nobody has is nobody's group. */
BERTH_PUBLIC bool berth_peer_in_group(const struct berth_peer *peer, const char *group);

/* Whether the peer is the server's own user or root, and no trusted proxy: the only ones for whom closed defaults open.
 */
BERTH_PUBLIC bool berth_peer_is_self(const struct berth_peer *peer);

/* ---- 5. Replying later ---------------------------------------------------------------------------------------- */

/*
 * Keeps the request open after the handler has returned 0; request and reply stay valid. Answer later, from a timer
 * or any other callback on the loop, with one of chapter 3's functions, called exactly once: that sends the reply.
 * If it fails, nothing was sent and the reply is still held, since there is nobody to return the error to: answer with
 * berth_reply_error, or with another of them.
 *
 * `gone` is called once, at once, if the client goes away first or the server must stop: from then on request and
 * reply are invalid, and must not be used. It is called, too, if the handler holds but then returns an error. It is not
 * called after the reply was sent. May be NULL only if nothing of yours will touch the reply later.
 * -EALREADY if the request was answered or is held already.
 */
BERTH_PUBLIC int berth_reply_hold(struct berth_reply *reply, void (*gone)(void *data), void *data);

/*
 * Runs work(data) on a thread of the pool, then done(request, reply, data) on the loop, which answers as a handler
 * does; the request is held meanwhile, and nobody else can answer it (-EALREADY). `done` is called exactly once, before
 * `stop`: if the client went away in the meantime, with NULL for request and reply; then free what is to be freed and
 * return 0. It may hold or offload once more. Work cannot be interrupted; four run at a time unless UV_THREADPOOL_SIZE
 * says otherwise. A worker that drains waits for it; only where the worker must end at once, or its time to drain is
 * over, does the process end with work running, and then neither `done` nor `stop` is called.
 * Errors as berth_reply_hold's, and -ENOMEM; then neither function is called.
 */
typedef int berth_offload_done(struct berth_request *request, struct berth_reply *reply, void *data);
BERTH_PUBLIC int berth_offload(struct berth_reply *reply, void (*work)(void *data), berth_offload_done *done,
                               void *data);

/*
 * Calls fire(data) after delay_ms milliseconds, then every repeat_ms milliseconds (0: just once). The timer is yours:
 * berth_timer_stop frees it, also from within `fire`, also after it fired its last; stop what is left in your `stop`
 * hook. It may be started in `start` already. -ENOMEM.
 */
struct berth_timer;
BERTH_PUBLIC int berth_timer_start(uint64_t delay_ms, uint64_t repeat_ms, void (*fire)(void *data), void *data,
                                   struct berth_timer **ret_timer);
BERTH_PUBLIC void berth_timer_stop(struct berth_timer *timer); /* NULL is allowed */

/* The worker's libuv loop, for handles of your own. Valid from `start` on; close your handles in `stop`. */
BERTH_PUBLIC struct uv_loop_s *berth_loop(void);

/* ---- 6. Replies that go on: streams ---------------------------------------------------------------------------- */

/*
 * A reply whose end is not known when it begins. The head goes out at once, with Cache-Control: no-store and
 * X-Accel-Buffering: no, which tells nginx not to collect it; the body is chunked (RFC 9112 section 7.1), so that one
 * that was cut off shows as such. A stream belongs to berth and is valid until `gone` was called.
 *
 * Nothing here blocks. What the client does not take at once is kept, up to a limit; what happens beyond it is for the
 * application to choose:
 */
struct berth_stream;

enum berth_stream_full {
    BERTH_STREAM_WAIT,  /* the write takes nothing and returns -EAGAIN; `room` is called when it may be tried again */
    BERTH_STREAM_DROP,  /* the write takes nothing, returns 0, and is counted: berth_stream_dropped */
    BERTH_STREAM_CLOSE, /* the stream is cut, `gone` is called, and the write returns -EPIPE */
};

/* What is kept for a client that does not read, unless berth_stream_limit says otherwise. */
#define BERTH_STREAM_LIMIT 65536

/*
 * Answers with a stream of the given content type and status 200. For text/event-stream and application/x-ndjson a
 * stream on which nothing was written for --heartbeat gets a comment, or an empty line, so that no proxy takes it for
 * dead and a client that is gone is found. Errors of chapter 3, and -EUSERS for one stream more than the peer's user
 * may have at a time (--limit-user-streams; returning it gives a 429 that says so). The stream may be written to at
 * once: what is written before the head is out is kept. A handler that then returns an error is answered with that, and
 * `gone` is called. To HEAD the head alone is sent: writes do nothing, and `gone` follows.
 */
BERTH_PUBLIC int berth_reply_stream(struct berth_reply *reply, const char *type, struct berth_stream **ret_stream);

/* The same as text/event-stream (Server-Sent Events, HTML Living Standard section 9.2). */
BERTH_PUBLIC int berth_reply_events(struct berth_reply *reply, struct berth_stream **ret_stream);

/*
 * What you want to be told; each function may be NULL, and gets `data`.
 *   room   after a write that returned -EAGAIN: half of the limit, at least, is free again
 *   drain  the server is about to end or to be replaced: a last word may be written; after it the stream is ended for
 *          you, unless you want to end it yourself before --timeout-graceful-shutdown is over and return true
 *   gone   once, when the stream is over, for whatever reason: the client left, berth_stream_end was called and done,
 *          the stream was cut. Free what is yours; the stream is invalid from then on. `r` is 0 when all was sent, or
 *          -EPIPE. Its timers are stopped.
 * All are called from the loop, `room` and `gone` never from within a function of this chapter: so any of these
 * functions may be called in any of them. A second call of berth_stream_watch replaces what the first said; NULL for
 * `events`: nothing more is told.
 */
struct berth_stream_events {
    void (*room)(struct berth_stream *stream, void *data);
    bool (*drain)(struct berth_stream *stream, void *data);
    void (*gone)(struct berth_stream *stream, int r, void *data);
};
BERTH_PUBLIC void berth_stream_watch(struct berth_stream *stream, const struct berth_stream_events *events, void *data);

/* The limit in bytes, at least 1, and what to do beyond it; BERTH_STREAM_LIMIT and BERTH_STREAM_WAIT at first. */
BERTH_PUBLIC void berth_stream_limit(struct berth_stream *stream, size_t bytes, enum berth_stream_full full);

/* How many writes were dropped since the stream began (BERTH_STREAM_DROP). */
BERTH_PUBLIC uint64_t berth_stream_dropped(const struct berth_stream *stream);

/*
 * Writes all of it, or nothing: what one write says is never cut in two by the limit. A write that is longer than the
 * limit is taken where nothing else waits. 0; -EAGAIN and -EPIPE as the limit's choice has it; -EPIPE also after
 * berth_stream_end or when the client is gone (`gone` is called from the loop, not from within the write); -ENOMEM.
 */
BERTH_PUBLIC int berth_stream_write(struct berth_stream *stream, const void *bytes, size_t size);

/* One line of JSON, compact (NDJSON): errors as above, and -EBADMSG for NULL. `json` stays yours. */
BERTH_PUBLIC int berth_stream_json(struct berth_stream *stream, const struct json_t *json);

/* One Server-Sent Event. Fields that are NULL or 0 are left out; `data` may have several lines (\n, \r\n or \r between
 * them). -EBADMSG for a line break in `id` or `event`. */
struct berth_stream_event {
    const char *id, *event, *data;
    unsigned int retry_ms;
};
BERTH_PUBLIC int berth_stream_event(struct berth_stream *stream, const struct berth_stream_event *event);

/* A comment in a text/event-stream, which clients ignore; one line, or -EBADMSG. */
BERTH_PUBLIC int berth_stream_comment(struct berth_stream *stream, const char *text);

/* Calls fire(stream, data) every `ms` milliseconds until the stream is over, the first time at once, on the loop's next
 * turn. One such timer a stream: a second call changes it, from then on and not at once, and 0 stops it. -ENOMEM;
 * -EPIPE for a stream that has ended. */
BERTH_PUBLIC int berth_stream_every(struct berth_stream *stream, uint64_t ms,
                                    void (*fire)(struct berth_stream *stream, void *data), void *data);

/*
 * For a long job that tells how far it is: runs work(data) on a thread of the pool, then done(stream, data) on the
 * loop, which may write, end, or begin the next piece. `done` is called exactly once, before `stop`; with NULL for the
 * stream if that is over, `gone` having been called: then free what is to be freed. -EALREADY while other work of this
 * stream runs, -EPIPE for one that has ended, -ENOMEM; then neither is called. Otherwise as berth_offload.
 */
BERTH_PUBLIC int berth_stream_offload(struct berth_stream *stream, void (*work)(void *data),
                                      void (*done)(struct berth_stream *stream, void *data), void *data);

/* No more writes: what is kept is still sent, then the reply is complete; `gone` follows. A client that takes nothing
 * of the rest for a minute is cut. */
BERTH_PUBLIC void berth_stream_end(struct berth_stream *stream);

/* At once, so that the client sees a reply that was cut off. `gone` follows, on the loop. */
BERTH_PUBLIC void berth_stream_cut(struct berth_stream *stream);

/* ---- 7. Events ------------------------------------------------------------------------------------------------- */

/*
 * The server has one log of events, which all workers and applications share. Every event has a number; numbers only
 * grow. The log keeps the last --event-log-size bytes, outlives workers, reloads and, with --event-log FILE or a
 * service manager that keeps it, the server. A reader can begin at any number and is told how many it missed.
 *
 * As text an event is one line of JSON, the same everywhere:
 *
 *   {"id":1700000000000001,"time":1700000000.123456,"type":"deploy","peer":{"uid":1000,"user":"alice","pid":4242},
 *    "data":{"v":2}}
 *
 * What came through a trusted proxy has its client in the peer as well, {"uid":33,"user":"www-data","pid":4242,
 * "client":"203.0.113.7"}; null where the proxy did not say.
 */
struct berth_event {
    uint64_t id;
    uint64_t time_us; /* since 1970; never less than that of the event before */
    const char *type; /* NUL-terminated */
    const char *data; /* JSON text, data_size bytes, not NUL-terminated */
    size_t data_size;
    const char *text; /* the whole line, without its line break, text_size bytes */
    size_t text_size;
};

/* Of type and data together, as compact JSON text; more is -EMSGSIZE. */
#define BERTH_EVENT_SIZE_MAX 65536
/* Of an event's type: 1 to so many of A-Z a-z 0-9 . _ : / -. Those that begin with "berth." are berth's own. */
#define BERTH_EVENT_TYPE_MAX 100

/*
 * Says that this application uses events, so that all is ready before it is asked; call it in `start`. Without it the
 * first publication or subscription brings the recorder up, which takes some milliseconds. -ENOMEM.
 */
BERTH_PUBLIC int berth_events_open(void);

/*
 * Publishes one event; `event` is its data, may be NULL for null, and stays yours. Its peer is the request's, or, where
 * request is NULL, this server. stored(data, r, id) is called on the loop, later, once: r is 0 when the event is in the
 * log under `id`, -ENOSPC when there is no room on the disk for it, -EIO when its storing failed or nobody knows what
 * became of it. `stored` may be NULL. -EINVAL for a type that is none (returning it gives a 400 that says why), -EPERM
 * for one of berth's own, -EMSGSIZE, -EAGAIN when too much is waiting already, -ENOMEM; then `stored` is not called.
 */
BERTH_PUBLIC int berth_event_publish(const struct berth_request *request, const char *type, const struct json_t *event,
                                     void (*stored)(void *data, int r, uint64_t id), void *data);

/*
 * Publishes what a request brought: one event {"type": …, "data": …} as JSON, or one a line (NDJSON), all or none;
 * `type` is "message" where it is not given. Answers the request by itself when they are stored: 201 with {"ids": […]},
 * 400 naming the line, 413, 507. 0, or an error to return.
 */
BERTH_PUBLIC int berth_reply_publish(struct berth_request *request, struct berth_reply *reply, bool many);

/*
 * Which events: a selection. Zeroes: all that are new from now on. An id of 0 stands for the log's beginning. Where
 * both an id and a time are given to begin with, the later place counts. Up to 64 types.
 */
struct berth_event_query {
    bool since_id_given;
    uint64_t since_id;        /* those with a greater id */
    uint64_t since_us;        /* those of this time or later; 0: not given */
    uint64_t until_us;        /* those before this time, and then the end; 0: not given */
    bool past_only;           /* what is there now, and then the end */
    const char *const *types; /* "deploy", or "job.*" for all that begin with "job."; any of them */
    size_t type_count;        /* 0: every type */
};

/*
 * Answers with the log's events from a place on, as they are stored: NDJSON, or Server-Sent Events with their numbers
 * as `id`. The past and what is new join without a gap or a repeat. A client that reads too slowly and falls out of the
 * log, or asks for what is not there any more, gets one line {"type":"berth.missed","data":{"missed":N}}, N null where
 * nobody knows, and goes on. This reply is not chunked and ends with its connection: numbers tell what is complete.
 * Costs next to nothing while nothing happens. It counts as a stream of the peer's user. Errors of berth_reply_stream;
 * -EINVAL for what no type can be, -E2BIG for too
 * many.
 */
BERTH_PUBLIC int berth_reply_event_log(struct berth_reply *reply, const struct berth_event_query *query,
                                       bool server_sent);

/*
 * Calls take(data, event) on the loop for each event of the query, with the same guarantees; `event` is valid during
 * the call, and is of type "berth.missed" where some are missing. After the last one of a query that ends, with NULL.
 * The subscription is yours: berth_event_unsubscribe frees it, also from within `take`; end what is left in `stop`.
 * -EINVAL and -E2BIG as above, -ENOMEM.
 */
struct berth_event_subscription;
BERTH_PUBLIC int berth_event_subscribe(const struct berth_event_query *query,
                                       void (*take)(void *data, const struct berth_event *event), void *data,
                                       struct berth_event_subscription **ret_subscription);
BERTH_PUBLIC void berth_event_unsubscribe(struct berth_event_subscription *subscription); /* NULL is allowed */

/* ---- 8. Settings and the log ---------------------------------------------------------------------------------- */

/* A setting of this application: a key of its section in berth.conf, `[app /mount]`, or `[app /]` for one at the root.
 * `fallback` where there is none. */
BERTH_PUBLIC const char *berth_setting(const struct berth_settings *settings, const char *key, const char *fallback);

/* The same as a number in decimal digits, from `min` to `max`; `fallback`, which is not checked, where there is none.
 * -EINVAL for anything else, with a line in the log that names key and value: `return` it from `start`. */
BERTH_PUBLIC int berth_setting_u64(const struct berth_settings *settings, const char *key, uint64_t fallback,
                                   uint64_t min, uint64_t max, uint64_t *ret_value);

/* One line for whoever runs the server, on its standard error; control characters are escaped. */
enum berth_log_level { BERTH_LOG_ERROR = 3, BERTH_LOG_WARNING = 4, BERTH_LOG_INFO = 6, BERTH_LOG_DEBUG = 7 };
BERTH_PUBLIC void berth_log(enum berth_log_level level, const char *format, ...) BERTH_PRINTF(2, 3);

/* ---- 9. The server about itself -------------------------------------------------------------------------------- */

/*
 * What the built-in application `status` shows, for one of your own that shows it in another form or to others. All of
 * it is for the handlers of an application, from its `start` on; who may see it is for them to decide.
 */

/* The figures of all workers since the server was started, as Prometheus reads them (text exposition format 0.0.4,
 * "text/plain; version=0.0.4"): no counter ever falls. free(3) the text. -ENOMEM; -EAGAIN when workers come and go so
 * fast that no moment was quiet enough; -ENODATA in a worker that has no counters. */
BERTH_PUBLIC int berth_server_metrics(char **ret_text);

/* {"version": "…", "abi": 2, "libraries": {"libmicrohttpd": "…", "libuv": "…", "jansson": "…"}, "kernel": "…",
 * "started": "2026-01-31T12:00:00Z"}: of this server, the libraries that it runs with, and when it was started (RFC
 * 3339). The value is yours. -ENOMEM. */
BERTH_PUBLIC int berth_server_version(struct json_t **ret_json);

/* {"applications": [{"name": "…", "app": "./x.so", "mount": "/x", "routes": [{"method": "GET", "path": "/x/…"}]}]}, as
 * this worker serves them. The value is yours. -ENOMEM. */
BERTH_PUBLIC int berth_server_routes(struct json_t **ret_json);

/* Whether this worker accepts no more connections, because the server ends or a reload has replaced it: a client that
 * asks over a connection that it kept should make a new one. */
BERTH_PUBLIC bool berth_server_is_draining(void);

#ifdef __cplusplus
}
#endif

#endif
