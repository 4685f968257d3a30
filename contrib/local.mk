# The example applications: shared objects that link nothing, as anybody's application is built.
EXAMPLES = contrib/examples/hello.so contrib/examples/who.so contrib/examples/notes.so contrib/examples/slow.so \
	contrib/examples/temperature.so contrib/examples/jobs.so
example_files = contrib/examples/hello.c contrib/examples/who.c contrib/examples/notes.c contrib/examples/slow.c \
	contrib/examples/temperature.c contrib/examples/jobs.c
noinst_DATA = $(EXAMPLES)
EXTRA_DIST += contrib/quickstart contrib/examples/berth.conf $(example_files)
CLEANFILES += $(EXAMPLES)

SUFFIXES = .so
.c.so:
	$(AM_V_CCLD)$(MKDIR_P) $(@D) && \
	$(CC) -shared -fPIC $(BERTH_CFLAGS) $(CFLAGS) -Iinclude $(JANSSON_CFLAGS) $(UV_CFLAGS) -o $@ $<
$(EXAMPLES): include/berth.h

# What reads all of the project rather than one program of it.
EXTRA_DIST += .ci/run .clang-format contrib/debian13 tests/lint-allows \
	src/common/README.md
lint:
	$(AM_V_at)cd $(srcdir) && CC='$(CC)' BERTH='$(abs_builddir)/bin/berth' tests/lint
.PHONY: lint
