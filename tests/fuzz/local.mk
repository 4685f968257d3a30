# Fuzz targets: one for each parser of bytes from outside, tests/fuzz/fuzz_NAME.c with its corpus in
# tests/fuzz/corpus/NAME. `make check` replays the corpora; `make fuzz` looks for more, for $FUZZ_SECONDS each.
# A new target is three lines here.
FUZZ_TARGETS =

if FUZZERS
FUZZ_MAIN =
FUZZ_LDFLAGS = -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_LDFLAGS =
TESTS += $(FUZZ_TARGETS)
endif
FUZZ_LDADD = libberth.a $(BERTH_LIBS)
EXTRA_DIST += tests/fuzz/corpus
check_PROGRAMS += $(FUZZ_TARGETS)

fuzz:
	$(AM_V_at)$(MKDIR_P) fuzz && cd fuzz && \
	{ test -f config.status || $(abs_srcdir)/configure -q --enable-fuzzers CC=clang CFLAGS='-g -O1'; } && \
	$(MAKE) $(FUZZ_TARGETS) && FUZZ_TARGETS='$(FUZZ_TARGETS)' $(abs_srcdir)/tests/fuzz/run
EXTRA_DIST += tests/fuzz/run
