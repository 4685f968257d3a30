if HAVE_CHECK
tests_unit_SOURCES += \
	tests/supervisor/supervised.c \
	tests/supervisor/supervised.h \
	tests/supervisor/test_sockets.c \
	tests/supervisor/test_supervisor.c

# berth with a worker that misbehaves on request; test_supervisor.c starts it.
check_PROGRAMS += tests/supervisor/stand_in
tests_supervisor_stand_in_SOURCES = tests/supervisor/stand_in.c
tests_supervisor_stand_in_LDADD = libberth.a $(BERTH_LIBS)
endif
