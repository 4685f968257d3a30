libberth_a_SOURCES += \
	src/events/batch.c src/events/batch.h \
	src/events/block.c src/events/block.h \
	src/events/channel.c src/events/channel.h \
	src/events/character.c src/events/character.h \
	src/events/client.c src/events/client.h \
	src/events/outbox.c src/events/outbox.h \
	src/events/feed.c src/events/feed.h src/events/feed_begin.c \
	src/events/filter.c src/events/filter.h \
	src/events/selection.c src/events/selection.h \
	src/events/subscriber.c src/events/subscriber.h \
	src/events/subscription.c \
	src/events/input.c src/events/input.h \
	src/events/json_number.c src/events/json_number.h \
	src/events/json_text.c src/events/json_text.h \
	src/events/event.c \
	src/events/event.h \
	src/events/checksum.c src/events/checksum.h \
	src/events/journal.c src/events/journal.h \
	src/events/journal_open.c src/events/journal_parts.h \
	src/events/journal_file.c src/events/journal_file.h \
	src/events/journal_place.c src/events/journal_place.h \
	src/events/log.c \
	src/events/log.h \
	src/events/recorder.c src/events/recorder.h \
	src/events/recorder_datagrams.c \
	src/events/recorder_history.c \
	src/events/recorder_parts.h \
	src/events/recorder_turn.c \
	src/events/recorder_workers.c
EXTRA_DIST += src/events/README.md
