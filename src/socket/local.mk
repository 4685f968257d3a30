libberth_a_SOURCES += \
	src/socket/activation.c \
	src/socket/activation.h \
	src/socket/activation_names.c \
	src/socket/activation_names.h \
	src/socket/address.c \
	src/socket/address.h \
	src/socket/inspect.c \
	src/socket/inspect.h \
	src/socket/listener.c \
	src/socket/listener.h \
	src/socket/lock.c \
	src/socket/lock.h \
	src/socket/names.c \
	src/socket/names.h \
	src/socket/notify.c \
	src/socket/notify.h \
	src/socket/peer.c \
	src/socket/peer.h \
	src/socket/probe.c \
	src/socket/probe.h \
	src/socket/unix_table.c \
	src/socket/unix_table.h
EXTRA_DIST += src/socket/README.md
