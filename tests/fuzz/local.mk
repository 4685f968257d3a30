# Fuzz targets: one for each parser of bytes from outside, tests/fuzz/fuzz_NAME.c with its corpus in
# tests/fuzz/corpus/NAME. `make check` replays the corpora; `make fuzz` looks for more, for $FUZZ_SECONDS each.
# A new target is three lines here.
fuzz_targets = \
	tests/fuzz/fuzz_accept \
	tests/fuzz/fuzz_accept_encoding \
	tests/fuzz/fuzz_access_line \
	tests/fuzz/fuzz_activation \
	tests/fuzz/fuzz_answer \
	tests/fuzz/fuzz_control \
	tests/fuzz/fuzz_counters \
	tests/fuzz/fuzz_cookie \
	tests/fuzz/fuzz_etag \
	tests/fuzz/fuzz_event_log \
	tests/fuzz/fuzz_event_channel \
	tests/fuzz/fuzz_event_input \
	tests/fuzz/fuzz_event_query \
	tests/fuzz/fuzz_forwarded \
	tests/fuzz/fuzz_holders \
	tests/fuzz/fuzz_host \
	tests/fuzz/fuzz_http_date \
	tests/fuzz/fuzz_inspect \
	tests/fuzz/fuzz_journal \
	tests/fuzz/fuzz_launch \
	tests/fuzz/fuzz_origin \
	tests/fuzz/fuzz_query \
	tests/fuzz/fuzz_range \
	tests/fuzz/fuzz_router \
	tests/fuzz/fuzz_rules \
	tests/fuzz/fuzz_settings \
	tests/fuzz/fuzz_stream_event \
	tests/fuzz/fuzz_target \
	tests/fuzz/fuzz_unix_table

if FUZZERS
fuzz_main =
fuzz_link = -fsanitize=fuzzer
else
fuzz_main = tests/fuzz/replay.c
fuzz_link =
TESTS += $(fuzz_targets)
endif
fuzz_libs = libberth.a $(BERTH_LIBS)
EXTRA_DIST += tests/fuzz/corpus
check_PROGRAMS += $(fuzz_targets)

tests_fuzz_fuzz_accept_SOURCES = tests/fuzz/fuzz_accept.c $(fuzz_main)
tests_fuzz_fuzz_accept_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_accept_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_accept_encoding_SOURCES = tests/fuzz/fuzz_accept_encoding.c $(fuzz_main)
tests_fuzz_fuzz_accept_encoding_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_accept_encoding_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_access_line_SOURCES = tests/fuzz/fuzz_access_line.c $(fuzz_main)
tests_fuzz_fuzz_access_line_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_access_line_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_activation_SOURCES = tests/fuzz/fuzz_activation.c $(fuzz_main)
tests_fuzz_fuzz_activation_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_activation_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_answer_SOURCES = tests/fuzz/fuzz_answer.c $(fuzz_main)
tests_fuzz_fuzz_answer_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_answer_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(fuzz_main)
tests_fuzz_fuzz_control_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_control_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_cookie_SOURCES = tests/fuzz/fuzz_cookie.c $(fuzz_main)
tests_fuzz_fuzz_cookie_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_cookie_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_counters_SOURCES = tests/fuzz/fuzz_counters.c $(fuzz_main)
tests_fuzz_fuzz_counters_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_counters_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_etag_SOURCES = tests/fuzz/fuzz_etag.c $(fuzz_main)
tests_fuzz_fuzz_etag_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_etag_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_event_channel_SOURCES = tests/fuzz/fuzz_event_channel.c $(fuzz_main)
tests_fuzz_fuzz_event_channel_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_event_channel_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_event_input_SOURCES = tests/fuzz/fuzz_event_input.c $(fuzz_main)
tests_fuzz_fuzz_event_input_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_event_input_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_event_query_SOURCES = tests/fuzz/fuzz_event_query.c $(fuzz_main)
tests_fuzz_fuzz_event_query_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_event_query_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_event_log_SOURCES = tests/fuzz/fuzz_event_log.c $(fuzz_main)
tests_fuzz_fuzz_event_log_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_event_log_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_forwarded_SOURCES = tests/fuzz/fuzz_forwarded.c $(fuzz_main)
tests_fuzz_fuzz_forwarded_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_forwarded_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_host_SOURCES = tests/fuzz/fuzz_host.c $(fuzz_main)
tests_fuzz_fuzz_host_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_host_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_http_date_SOURCES = tests/fuzz/fuzz_http_date.c $(fuzz_main)
tests_fuzz_fuzz_http_date_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_http_date_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz_journal.c $(fuzz_main)
tests_fuzz_fuzz_journal_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_journal_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_launch_SOURCES = tests/fuzz/fuzz_launch.c $(fuzz_main)
tests_fuzz_fuzz_launch_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_launch_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_origin_SOURCES = tests/fuzz/fuzz_origin.c $(fuzz_main)
tests_fuzz_fuzz_origin_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_origin_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_query_SOURCES = tests/fuzz/fuzz_query.c $(fuzz_main)
tests_fuzz_fuzz_query_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_query_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_range_SOURCES = tests/fuzz/fuzz_range.c $(fuzz_main)
tests_fuzz_fuzz_range_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_range_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_router_SOURCES = tests/fuzz/fuzz_router.c $(fuzz_main)
tests_fuzz_fuzz_router_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_router_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_rules_SOURCES = tests/fuzz/fuzz_rules.c $(fuzz_main)
tests_fuzz_fuzz_rules_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_rules_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz_settings.c $(fuzz_main)
tests_fuzz_fuzz_settings_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_settings_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_stream_event_SOURCES = tests/fuzz/fuzz_stream_event.c $(fuzz_main)
tests_fuzz_fuzz_stream_event_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_stream_event_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_target_SOURCES = tests/fuzz/fuzz_target.c $(fuzz_main)
tests_fuzz_fuzz_target_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_target_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_holders_SOURCES = tests/fuzz/fuzz_holders.c $(fuzz_main)
tests_fuzz_fuzz_holders_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_holders_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_inspect_SOURCES = tests/fuzz/fuzz_inspect.c $(fuzz_main)
tests_fuzz_fuzz_inspect_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_inspect_LDFLAGS = $(fuzz_link)

tests_fuzz_fuzz_unix_table_SOURCES = tests/fuzz/fuzz_unix_table.c $(fuzz_main)
tests_fuzz_fuzz_unix_table_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_unix_table_LDFLAGS = $(fuzz_link)

fuzz:
	$(AM_V_at)$(MKDIR_P) fuzz && cd fuzz && \
	{ test -f config.status || $(abs_srcdir)/configure -q --enable-fuzzers CC=clang CFLAGS='-g -O1'; } && \
	$(MAKE) $(fuzz_targets) && FUZZ_TARGETS='$(fuzz_targets)' $(abs_srcdir)/tests/fuzz/run
EXTRA_DIST += tests/fuzz/run tests/fuzz/property.h
