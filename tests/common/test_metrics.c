#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/metrics.h"

Suite *suite_metrics(void);

static struct counters_snapshot snapshot;

static void setup(void)
{
    memset(&snapshot, 0, sizeof(snapshot));
    counters_total_init(&snapshot.total);
    snapshot.process_count = 1;
}

static char *text_new(void)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(stream);
    metrics_write(&snapshot, "1.2.3", stream);
    ck_assert_int_eq(fclose(stream), 0);
    return text;
}

static void expect(const char *line)
{
    char *text = text_new();

    ck_assert_msg(strstr(text, line), "there is no %s in\n%s", line, text);
    free(text);
}

static const struct {
    const char *label, *line;
} labels[] = {
    { "GET /notes/{id}", "\nberth_requests_total{method=\"GET\",route=\"/notes/{id}\",class=\"2xx\"} 7\n" },
    { "GET /a b", "{method=\"GET\",route=\"/a b\",class=\"2xx\"} 7\n" },
    { "GET /\"\\", "{method=\"GET\",route=\"/\\\"\\\\\",class=\"2xx\"} 7\n" },
    { "GET /a\nb 1", "{method=\"GET\",route=\"/a?b 1\",class=\"2xx\"} 7\n" },
    { "GET /\x7f\x01", "{method=\"GET\",route=\"/??\",class=\"2xx\"} 7\n" },
    { "GET /\xc3\xa4", "{method=\"GET\",route=\"/\xc3\xa4\",class=\"2xx\"} 7\n" },
    { "GET /\xc3", "{method=\"GET\",route=\"/?\",class=\"2xx\"} 7\n" },
    { "GET /\xc0\xaf/\xed\xa0\x80/\xf5z", "{method=\"GET\",route=\"/??"
                                          "/???"
                                          "/?z\",class=\"2xx\"} 7\n" },
    { "GET /\xf0\x9f\x98\x80", "{method=\"GET\",route=\"/\xf0\x9f\x98\x80\",class=\"2xx\"} 7\n" },
    { "GET", "{method=\"GET\",route=\"\",class=\"2xx\"} 7\n" },
    { "", "{method=\"\",route=\"\",class=\"2xx\"} 7\n" },
};

START_TEST(test_label)
{
    struct counters_row *row = &snapshot.total.rows[snapshot.total.row_count++];

    snprintf(row->label, sizeof(row->label), "%s", labels[_i].label);
    row->classes[2] = 7;
    expect(labels[_i].line);
}
END_TEST

START_TEST(test_rows_of_nobody)
{
    snapshot.total.rows[COUNTERS_ROW_NONE].classes[4] = 1;
    snapshot.total.rows[COUNTERS_ROW_OTHER].classes[0] = 2;
    expect("\nberth_requests_total{method=\"none\",route=\"none\",class=\"4xx\"} 1\n");
    expect("\nberth_requests_total{method=\"other\",route=\"other\",class=\"none\"} 2\n");
}
END_TEST

START_TEST(test_histogram)
{
    for (size_t i = 0; i < COUNTERS_BUCKETS; i++)
        snapshot.total.figures[COUNTERS_BUCKET + i] = i + 1;
    snapshot.total.figures[COUNTERS_NANOSECONDS] = 1500000000;
    expect("\nberth_request_duration_seconds_bucket{le=\"0.0001\"} 1\n");
    expect("\nberth_request_duration_seconds_bucket{le=\"0.00025\"} 3\n");
    expect("\nberth_request_duration_seconds_bucket{le=\"10\"} 136\n");
    expect("\nberth_request_duration_seconds_bucket{le=\"+Inf\"} 153\n");
    expect("\nberth_request_duration_seconds_count 153\n");
    expect("\nberth_request_duration_seconds_sum 1.500000000\n");
}
END_TEST

START_TEST(test_processes)
{
    snapshot.process_count = 3;
    snapshot.processes[0].resident = 4096;
    snapshot.processes[1] = (struct counters_process){ .number = 7, .resident = 8192, .proportional = 1024 };
    expect("\nberth_workers 2\n");
    expect("\nberth_resident_memory_bytes{process=\"supervisor\"} 4096\n");
    expect("\nberth_resident_memory_bytes{process=\"worker 7\"} 8192\n");
    expect("\nberth_proportional_memory_bytes{process=\"worker 7\"} 1024\n");
}
END_TEST

START_TEST(test_rest)
{
    snapshot.started_at = 1700000000123456789;
    snapshot.restarts[COUNTERS_RESTART_TIMEOUT] = 3;
    snapshot.reloads[0] = 4;
    snapshot.total.figures[COUNTERS_LIBRARY + 3] = 5;
    snapshot.total.figures[COUNTERS_DENIED + COUNTERS_DENIAL_RATE] = 7;
    snapshot.total.figures[COUNTERS_LIBRARY + COUNTERS_LIBRARY_STATUSES - 1] = 6;
    expect("\nberth_info{version=\"1.2.3\"} 1\n");
    expect("\nberth_start_time_seconds 1700000000.123\n");
    expect("\nberth_worker_restarts_total{reason=\"timeout\"} 3\n");
    expect("\nberth_reloads_total{result=\"failed\"} 4\n");
    expect("\nberth_library_errors_total{status=\"414\"} 5\n");
    expect("\nberth_denials_total{reason=\"rule\"} 0\n");
    expect("\nberth_denials_total{reason=\"user-rate\"} 7\n");
    expect("\nberth_library_errors_total{status=\"other\"} 6\n");
}
END_TEST

START_TEST(test_users)
{
    snapshot.user_count = 2;
    snapshot.users[0] = (struct counters_user){ .uid = 1000, .name = "al\"ice", .connections = 3 };
    snapshot.users[1] = (struct counters_user){ .uid = 4294967294, .connections = 1 };
    expect("\nberth_connections_by_user{uid=\"1000\",user=\"al\\\"ice\"} 3\n"
           "berth_connections_by_user{uid=\"4294967294\"} 1\n#");
    snapshot.other_users = 5;
    expect("\nberth_connections_by_user{uid=\"other\"} 5\n");
}
END_TEST

START_TEST(test_route_times)
{
    struct counters_row *row = &snapshot.total.rows[snapshot.total.row_count++];

    snprintf(row->label, sizeof(row->label), "GET /a");
    row->nanoseconds = 1500000000;
    expect("\nberth_route_seconds_total{method=\"GET\",route=\"/a\"} 1.500000000\n");
}
END_TEST

Suite *suite_metrics(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tcase = tcase_create("metrics");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_loop_test(tcase, test_label, 0, sizeof(labels) / sizeof(labels[0]));
    tcase_add_test(tcase, test_rows_of_nobody);
    tcase_add_test(tcase, test_histogram);
    tcase_add_test(tcase, test_processes);
    tcase_add_test(tcase, test_users);
    tcase_add_test(tcase, test_route_times);
    tcase_add_test(tcase, test_rest);
    suite_add_tcase(suite, tcase);
    return suite;
}
