libberth_a_SOURCES += \
	src/common/account.c src/common/account.h \
	src/common/assignment.c src/common/assignment.h \
	src/common/buffer.c src/common/buffer.h \
	src/common/bytes.c src/common/bytes.h \
	src/common/contract.h \
	src/common/control.c \
	src/common/counters.c src/common/counters.h \
	src/common/error.c src/common/error.h \
	src/common/launch.c \
	src/common/line.c src/common/line.h \
	src/common/log.c src/common/log.h \
	src/common/metrics.c src/common/metrics.h \
	src/common/mistakes.c src/common/mistakes.h \
	src/common/number.c src/common/number.h \
	src/common/option.c src/common/option.h \
	src/common/packet.c src/common/packet.h \
	src/common/settings.c src/common/settings.h \
	src/common/settings_app.c \
	src/common/settings_collect.c \
	src/common/settings_events.c \
	src/common/settings_host.c \
	src/common/settings_file.c \
	src/common/settings_listen.c \
	src/common/settings_pack.c src/common/settings_pack.h \
	src/common/settings_parts.h \
	src/common/settings_rules.c \
	src/common/settings_table.c \
	src/common/signals.c src/common/signals.h \
	src/common/sink.c src/common/sink.h \
	src/common/suggestion.c src/common/suggestion.h \
	src/common/text_list.c src/common/text_list.h \
	src/common/utf8.c src/common/utf8.h
EXTRA_DIST += src/common/README.md
