if HAVE_CHECK
tests_unit_SOURCES += \
	tests/doctor/test_answer.c \
	tests/doctor/test_report.c \
	tests/doctor/test_visitor.c \
	tests/doctor/test_walk.c
endif
