if HAVE_CHECK
tests_unit_SOURCES += \
	tests/sockets/test_holders.c \
	tests/sockets/test_listing.c \
	tests/sockets/test_place.c
endif
