/*
 * Replies: what berth.h's berth_reply_… functions make, until libmicrohttpd has it.
 */
#ifndef BERTH_HTTP_REPLY_H
#define BERTH_HTTP_REPLY_H

#include <microhttpd.h>

#include <berth.h>

/* How many fields an application may add to one reply. */
#define REPLY_FIELDS_MAX 64

void reply_init(struct berth_reply *reply);

/* Gives back the response. */
void reply_release(struct berth_reply *reply);

/* Whether nothing more can be said: it was answered, or offloaded work will answer. */
bool reply_is_answered(const struct berth_reply *reply);

/* Drops what berth_reply_header added: it was meant for another reply. */
void reply_forget_fields(struct berth_reply *reply);

/*
 * Answers with `response`, of `size` bytes, which it takes, also when it fails: with the type, if there is one, the
 * application's fields, and `Connection: close` where the connection shall end. On a held request, sends. The errors of
 * chapter 3 of berth.h; NULL is -ENOMEM.
 */
int reply_take(struct berth_reply *reply, unsigned int status, const char *type, struct MHD_Response *response,
               uint64_t size);

/* Whether it was answered: nothing more can be said. */
bool reply_is_answered(const struct berth_reply *reply);

/* The same with bytes that stay where they are until the request is over (the request's arena, or constants). */
int reply_take_bytes(struct berth_reply *reply, unsigned int status, const char *type, const void *bytes, size_t size);

/* Whether the application added such a field. */
bool reply_has_field(const struct berth_reply *reply, const char *name);

/* Whether the connection shall end behind this reply. */
bool reply_closes(const struct berth_reply *reply);

/* Answers with a prepared reply's response, which stays the prepared reply's; this takes one use of it. */
int reply_take_prepared(struct berth_reply *reply, unsigned int status, struct MHD_Response *response, uint64_t size,
                        struct berth_prepared *prepared);

/* Whether an application may add the field. */
size_t reply_field_size(const char *name, const char *value); /* in the reply's head */
bool reply_field_valid(const char *name, const char *value);

/* Frees what constants of this process prepared. */
void constants_done(void);

#endif
