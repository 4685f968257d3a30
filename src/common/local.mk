libberth_a_SOURCES += \
	src/common/contract.h \
	src/common/control.c \
	src/common/error.c src/common/error.h \
	src/common/log.c src/common/log.h \
	src/common/number.c src/common/number.h \
	src/common/settings.h \
	src/common/suggestion.c src/common/suggestion.h
