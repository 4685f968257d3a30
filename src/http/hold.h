/*
 * Replies that come later: berth_reply_hold, berth_offload.
 */
#ifndef BERTH_HTTP_HOLD_H
#define BERTH_HTTP_HOLD_H

#include <berth.h>

/* Nobody will answer later any more: `gone` is called if there is one, offloaded work forgets the request. */
void reply_unhold(struct berth_reply *reply);

#endif
