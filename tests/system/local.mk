# End-to-end tests: scripts against the real program. Each says what a user does and sees; lib.sh has the verbs.
TEST_EXTENSIONS = .sh
SYSTEM_TESTS = \
	tests/system/10-hello.sh \
	tests/system/11-usage.sh \
	tests/system/20-socket-file.sh \
	tests/system/30-activation.sh \
	tests/system/40-crash.sh \
	tests/system/41-hang.sh \
	tests/system/42-reload.sh \
	tests/system/43-drain.sh \
	tests/system/44-signals.sh \
	tests/system/45-notify.sh \
	tests/system/46-idle-exit.sh \
	tests/system/47-max-requests.sh \
	tests/system/48-orphan.sh \
	tests/system/49-init.sh \
	tests/system/49-restart.sh \
	tests/system/50-applications.sh \
	tests/system/51-install.sh \
	tests/system/60-limits.sh \
	tests/system/61-strictness.sh \
	tests/system/62-hostile.sh \
	tests/system/63-quiet.sh \
	tests/system/70-identity.sh \
	tests/system/71-rules.sh \
	tests/system/71-rules-explain.sh \
	tests/system/72-quota.sh \
	tests/system/73-forwarded.sh \
	tests/system/74-doctor.sh \
	tests/system/75-nginx.sh \
	tests/system/75-socat.sh \
	tests/system/76-caddy.sh \
	tests/system/77-apache.sh \
	tests/system/78-units.sh \
	tests/system/79-sockets.sh \
	tests/system/80-hold.sh \
	tests/system/81-api.sh \
	tests/system/82-streams.sh \
	tests/system/83-recorder.sh \
	tests/system/84-events.sh \
	tests/system/85-exactly-once.sh \
	tests/system/86-browser.sh \
	tests/system/87-console.sh \
	tests/system/90-site.sh \
	tests/system/91-status.sh \
	tests/system/92-config.sh \
	tests/system/93-manual.sh \
	tests/system/94-logs.sh
TESTS += $(SYSTEM_TESTS)
EXTRA_DIST += tests/support/listeners.py
EXTRA_DIST += tests/system/lib.sh tests/system/proxy.sh $(SYSTEM_TESTS)

# Their tools: a load generator that tells kinds of failure apart, a strict reader of /metrics, raw bytes, a receiver of
# sd_notify's messages, and an application that misbehaves on request.
check_PROGRAMS += tests/support/load tests/support/metrics tests/support/raw tests/support/receive
tests_support_load_SOURCES = tests/support/load.c
tests_support_metrics_SOURCES = tests/support/metrics.c
tests_support_raw_SOURCES = tests/support/raw.c
tests_support_receive_SOURCES = tests/support/receive.c
check_DATA = tests/support/probe.so tests/support/api.so tests/support/streams.so tests/support/behind.so
tests/support/probe.so tests/support/api.so tests/support/streams.so tests/support/behind.so: include/berth.h
EXTRA_DIST += tests/support/exactly_once.py tests/support/browser.py tests/support/behind.py
EXTRA_DIST += tests/support/probe.c tests/support/api.c tests/support/streams.c tests/support/behind.c
CLEANFILES += tests/support/probe.so tests/support/api.so tests/support/streams.so tests/support/behind.so
# What 87-console leaves to be looked at.
CLEANFILES += tests/system/console-light.png tests/system/console-dark.png tests/system/console-narrow.png \
	tests/system/console-refused.png
