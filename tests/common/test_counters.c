#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/counters.h"

Suite *suite_counters(void);

static struct counters *counters;
static const struct counters_file *file;
static struct counters_snapshot *snapshot;

static struct counters_slot *attach(unsigned int number)
{
    struct counters_slot *slot;

    counters_attach(counters_fd(counters), number, &file, &slot);
    ck_assert_ptr_nonnull(file);
    return slot;
}

static void setup(void)
{
    ck_assert_int_eq(counters_new(&counters), 0);
    attach(1);
    snapshot = malloc(sizeof(*snapshot));
    ck_assert_ptr_nonnull(snapshot);
}

static void teardown(void)
{
    counters_free(counters);
    free(snapshot);
}

static void look(void)
{
    ck_assert_int_eq(counters_read(file, snapshot), 0);
}

static uint64_t requests(void)
{
    uint64_t count = 0;

    for (size_t i = 0; i < COUNTERS_BUCKETS; i++)
        count += snapshot->total.figures[COUNTERS_BUCKET + i];
    return count;
}

static const struct counters_row *find(const char *label)
{
    for (size_t i = COUNTERS_ROW_FIRST; i < snapshot->total.row_count; i++)
        if (strcmp(snapshot->total.rows[i].label, label) == 0)
            return &snapshot->total.rows[i];
    ck_abort_msg("there is no row %s", label);
}

START_TEST(test_request)
{
    struct counters_slot *slot = attach(1);
    unsigned int row = counters_add_row(slot, 0, "GET", "/notes", "/{id}");

    ck_assert_uint_eq(row, COUNTERS_ROW_FIRST);
    counters_admit(counters, 1, 4711);
    counters_request(slot, row, 200, 54, 99999);
    counters_request(slot, row, 404, 10, 100000);
    counters_request(slot, row, 0, 0, 100001);
    counters_request(slot, COUNTERS_ROW_NONE, 400, 1, 20000000000);
    counters_library_error(slot, 414);
    counters_library_error(slot, 999);
    look();
    ck_assert_uint_eq(find("GET /notes/{id}")->classes[2], 1);
    ck_assert_uint_eq(find("GET /notes/{id}")->classes[4], 1);
    ck_assert_uint_eq(find("GET /notes/{id}")->classes[0], 1);
    ck_assert_uint_eq(find("GET /notes/{id}")->nanoseconds, 300000);
    ck_assert_uint_eq(snapshot->total.rows[COUNTERS_ROW_NONE].classes[4], 1);
    ck_assert_uint_eq(snapshot->total.figures[COUNTERS_BUCKET], 2);
    ck_assert_uint_eq(snapshot->total.figures[COUNTERS_BUCKET + 1], 1);
    ck_assert_uint_eq(snapshot->total.figures[COUNTERS_BUCKET + COUNTERS_BUCKETS - 1], 1);
    ck_assert_uint_eq(snapshot->total.figures[COUNTERS_BYTES], 65);
    ck_assert_uint_eq(snapshot->total.figures[COUNTERS_NANOSECONDS], 20000300000);
    ck_assert_uint_eq(snapshot->total.figures[COUNTERS_LIBRARY + 3], 1);
    ck_assert_uint_eq(snapshot->total.figures[COUNTERS_LIBRARY + COUNTERS_LIBRARY_STATUSES - 1], 1);
}
END_TEST

START_TEST(test_retire)
{
    struct counters_slot *slot = attach(3);
    unsigned int row = counters_add_row(slot, 0, "GET", "", "/a");

    counters_request(slot, row, 200, 7, 1);
    look();
    ck_assert_uint_eq(requests(), 0); /* not before it is ready */
    counters_admit(counters, 3, 4711);
    counters_more(slot, COUNTERS_CONNECTIONS);
    counters_more(slot, COUNTERS_CONNECTIONS);
    counters_fewer(slot, COUNTERS_CONNECTIONS);
    look();
    ck_assert_uint_eq(requests(), 1);
    ck_assert_uint_eq(snapshot->gauges[COUNTERS_CONNECTIONS], 1);
    ck_assert_uint_eq(snapshot->process_count, 2);
    ck_assert_uint_eq(snapshot->processes[1].number, 3);
    ck_assert_int_eq(snapshot->processes[1].pid, 4711);
    ck_assert_int_eq(snapshot->processes[0].pid, getpid());

    counters_retire(counters, 3);
    look();
    ck_assert_uint_eq(requests(), 1);
    ck_assert_uint_eq(find("GET /a")->classes[2], 1);
    ck_assert_uint_eq(snapshot->gauges[COUNTERS_CONNECTIONS], 0);
    ck_assert_uint_eq(snapshot->process_count, 1);

    /* The next of that number begins with nothing, with other routes. */
    slot = attach(3);
    ck_assert_uint_eq(atomic_load(&slot->row_count), 0);
    row = counters_add_row(slot, 0, "GET", "", "/b");
    counters_admit(counters, 3, 4712);
    counters_request(slot, row, 200, 7, 1);
    look();
    ck_assert_uint_eq(requests(), 2);
    ck_assert_uint_eq(find("GET /a")->classes[2], 1);
    ck_assert_uint_eq(find("GET /b")->classes[2], 1);
}
END_TEST

/* One that ended before it was ready may have answered already. */
START_TEST(test_never_ready)
{
    struct counters_slot *slot = attach(1);

    counters_request(slot, counters_add_row(slot, 0, "GET", "", "/a"), 200, 0, 1);
    counters_retire(counters, 1);
    look();
    ck_assert_uint_eq(requests(), 1);
    ck_assert_uint_eq(find("GET /a")->classes[2], 1);
}
END_TEST

START_TEST(test_routes_at_most)
{
    struct counters_slot *slot = attach(1);
    unsigned int row = 0;
    char path[16];

    for (int i = COUNTERS_ROW_FIRST; i <= COUNTERS_ROUTES; i++) {
        snprintf(path, sizeof(path), "/%d", i);
        row = counters_add_row(slot, row, "GET", "", path);
        ck_assert_uint_eq(row, (unsigned int)i);
        counters_request(slot, row, 200, 0, 1);
        row++;
    }
    counters_admit(counters, 1, 1);
    look();
    ck_assert_uint_eq(snapshot->total.row_count, COUNTERS_ROUTES);
    snprintf(path, sizeof(path), "GET /%d", COUNTERS_ROUTES - 1);
    ck_assert_uint_eq(find(path)->classes[2], 1);
    ck_assert_uint_eq(snapshot->total.rows[COUNTERS_ROW_OTHER].classes[2], 1);
}
END_TEST

/* Answers one request on each of as many routes as there are. */
static void use_all_routes(unsigned int number, const char *mount)
{
    struct counters_slot *slot = attach(number);
    char path[16];

    for (unsigned int row = COUNTERS_ROW_FIRST; row < COUNTERS_ROUTES; row++) {
        snprintf(path, sizeof(path), "/%u", row);
        counters_add_row(slot, row, "GET", mount, path);
        counters_request(slot, row, 200, 0, 1);
    }
    counters_admit(counters, number, 1);
}

/* The rows of the total are used up by one generation after the other. What was shown below a label stays there. */
START_TEST(test_labels_at_most)
{
    char mount[16];
    uint64_t others = 0;

    for (int worker = 0; worker < 6; worker++) {
        snprintf(mount, sizeof(mount), "/%d", worker);
        use_all_routes(1, mount);
        look();
        ck_assert_uint_ge(snapshot->total.rows[COUNTERS_ROW_OTHER].classes[2], others);
        others = snapshot->total.rows[COUNTERS_ROW_OTHER].classes[2];
        counters_retire(counters, 1);
        look();
        ck_assert_uint_eq(snapshot->total.rows[COUNTERS_ROW_OTHER].classes[2], others);
        ck_assert_uint_eq(requests(), (unsigned int)(worker + 1) * (COUNTERS_ROUTES - COUNTERS_ROW_FIRST));
    }
    ck_assert_uint_eq(snapshot->total.row_count, COUNTERS_LABELS);
    ck_assert_uint_eq(others, requests() - (COUNTERS_LABELS - COUNTERS_ROW_FIRST));
}
END_TEST

/* Where labels are scarce, a worker that comes later takes none from one that has them. */
START_TEST(test_labels_stay)
{
    use_all_routes(9, "/9");
    use_all_routes(8, "/8");
    use_all_routes(7, "/7");
    use_all_routes(6, "/6");
    use_all_routes(5, "/5");
    look();
    ck_assert_uint_eq(find("GET /9/9")->classes[2], 1);
    ck_assert_uint_eq(find("GET /6/9")->classes[2], 1);
    use_all_routes(1, "/1");
    look();
    ck_assert_uint_eq(find("GET /9/9")->classes[2], 1);
    ck_assert_uint_eq(find("GET /6/9")->classes[2], 1);
}
END_TEST

static uint64_t connections_of(uid_t uid)
{
    for (size_t i = 0; i < snapshot->user_count; i++)
        if (snapshot->users[i].uid == uid)
            return snapshot->users[i].connections;
    return 0;
}

START_TEST(test_users)
{
    struct counters_slot *one = attach(1), *two = attach(2);
    unsigned int root = counters_user_enter(one, 0), alice = counters_user_enter(one, 1000);

    ck_assert_uint_eq(counters_user_enter(one, 1000), alice);
    counters_user_enter(two, 1000);
    counters_user_enter(two, 4294967294);
    look();
    ck_assert_uint_eq(snapshot->user_count, 0); /* not before they are ready */
    counters_admit(counters, 1, 4711);
    counters_admit(counters, 2, 4712);
    look();
    ck_assert_uint_eq(snapshot->user_count, 3);
    ck_assert_uint_eq(connections_of(0), 1);
    ck_assert_uint_eq(connections_of(1000), 3);
    ck_assert_uint_eq(connections_of(4294967294), 1);
    ck_assert_str_eq(snapshot->users[0].name, "");

    /* A place is free with its last connection. A user who comes back has one place, not two. */
    counters_user_leave(one, root);
    counters_user_leave(one, alice);
    ck_assert_uint_eq(counters_user_enter(one, 1000), alice);
    ck_assert_uint_eq(counters_user_enter(one, 7), root);
    counters_retire(counters, 2);
    look();
    ck_assert_uint_eq(snapshot->user_count, 2);
    ck_assert_uint_eq(connections_of(1000), 2);
    ck_assert_uint_eq(connections_of(7), 1);
}
END_TEST

START_TEST(test_users_at_most)
{
    struct counters_slot *one = attach(1), *two = attach(2);
    unsigned int other;

    for (uid_t uid = 0; uid < COUNTERS_USERS; uid++) {
        ck_assert_uint_gt(counters_user_enter(one, uid), 0);
        counters_user_enter(two, 5000 + uid);
    }
    other = counters_user_enter(one, 9999);
    ck_assert_uint_eq(other, 0);
    ck_assert_uint_eq(counters_user_enter(one, 9998), 0);
    counters_user_enter(one, COUNTERS_USERS - 1);
    counters_user_leave(one, other);
    counters_admit(counters, 1, 4711);
    look();
    ck_assert_uint_eq(snapshot->user_count, COUNTERS_USERS);
    ck_assert_uint_eq(connections_of(COUNTERS_USERS - 1), 2);
    ck_assert_uint_eq(snapshot->other_users, 1);
    counters_admit(counters, 2, 4712);
    look();
    ck_assert_uint_eq(snapshot->user_count, COUNTERS_USERS);
    ck_assert_uint_eq(snapshot->other_users, 1 + COUNTERS_USERS);
}
END_TEST

START_TEST(test_long_label)
{
    struct counters_slot *slot = attach(1);
    char path[2 * COUNTERS_LABEL_SIZE];

    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    counters_request(slot, counters_add_row(slot, 0, "GET", "", path), 200, 0, 1);
    counters_admit(counters, 1, 1);
    look();
    ck_assert_uint_eq(strlen(snapshot->total.rows[COUNTERS_ROW_FIRST].label), COUNTERS_LABEL_SIZE - 1);
    ck_assert_uint_eq(snapshot->total.rows[COUNTERS_ROW_FIRST].classes[2], 1);
}
END_TEST

/* Numbers without a slot are served as well; they are not counted. */
static const unsigned int no_slots[] = { 0, COUNTERS_SLOTS + 1, 1000000 };

START_TEST(test_no_slot)
{
    struct counters_slot *slot = attach(no_slots[_i]);

    counters_admit(counters, no_slots[_i], 1);
    counters_request(slot, COUNTERS_ROW_NONE, 200, 0, 1);
    look();
    ck_assert_uint_eq(requests(), 0);
    counters_retire(counters, no_slots[_i]);
    look();
    ck_assert_uint_eq(requests(), 0);
}
END_TEST

START_TEST(test_last_slot)
{
    struct counters_slot *slot = attach(COUNTERS_SLOTS);

    counters_admit(counters, COUNTERS_SLOTS, 1);
    counters_request(slot, COUNTERS_ROW_NONE, 200, 0, 1);
    look();
    ck_assert_uint_eq(requests(), 1);
}
END_TEST

START_TEST(test_no_file)
{
    const struct counters_file *none = file;
    struct counters_slot *slot = NULL;

    counters_attach(-1, 1, &none, &slot);
    ck_assert_ptr_null(none);
    ck_assert_ptr_nonnull(slot);
    counters_request(slot, COUNTERS_ROW_NONE, 200, 0, 1);
    ck_assert_uint_eq(counters_started_at(none), 0);
}
END_TEST

START_TEST(test_sealed)
{
    ck_assert_int_lt(ftruncate(counters_fd(counters), 0), 0);
    ck_assert_int_lt(ftruncate(counters_fd(counters), 1 << 30), 0);
}
END_TEST

/* A worker may write anything into its slot; what the others counted stays right. */
static const int scribbles[] = { 0x01, 0x20, 0x41, 0x7f, 0x80, 0xff };

START_TEST(test_scribble)
{
    struct counters_slot *slot = attach(1), *good = attach(2);
    unsigned int row = counters_add_row(good, 0, "GET", "", "/good");

    counters_admit(counters, 1, 1);
    counters_admit(counters, 2, 2);
    memset(slot, scribbles[_i], sizeof(*slot));
    counters_request(good, row, 200, 0, 1);
    look();
    ck_assert_uint_eq(find("GET /good")->classes[2], 1);
    counters_retire(counters, 1);
    counters_retire(counters, 2);
    look();
    ck_assert_uint_eq(find("GET /good")->classes[2], 1);
}
END_TEST

START_TEST(test_sums_saturate)
{
    for (int i = 0; i < 3; i++) {
        struct counters_slot *slot = attach(1);

        atomic_store(&slot->figures[COUNTERS_BYTES], UINT64_MAX / 2 + 1);
        counters_retire(counters, 1);
    }
    look();
    ck_assert_uint_eq(snapshot->total.figures[COUNTERS_BYTES], UINT64_MAX);
}
END_TEST

START_TEST(test_events)
{
    counters_restarted(counters, COUNTERS_RESTART_SIGNAL);
    counters_restarted(counters, COUNTERS_RESTART_RETIRED);
    counters_restarted(counters, COUNTERS_RESTART_RETIRED);
    counters_reloaded(counters, true);
    look();
    ck_assert_uint_eq(snapshot->restarts[COUNTERS_RESTART_SIGNAL], 1);
    ck_assert_uint_eq(snapshot->restarts[COUNTERS_RESTART_RETIRED], 2);
    ck_assert_uint_eq(snapshot->reloads[0], 0);
    ck_assert_uint_eq(snapshot->reloads[1], 1);
}
END_TEST

/* ---- with processes that are killed ---- */

/* Until it is killed. Says when it has begun. */
static void work(unsigned int number, int begun)
{
    struct counters_slot *slot = attach(number);
    unsigned int row = counters_add_row(slot, 0, "GET", "", "/work");

    counters_request(slot, row, 200, 1, 1);
    if (write(begun, "", 1) != 1)
        _exit(1);
    for (;;)
        counters_request(slot, row, 200, 1, 1);
}

static pid_t fork_worker(unsigned int number)
{
    int begun[2];
    char byte;
    pid_t pid;

    ck_assert_int_eq(pipe(begun), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        work(number, begun[1]);
    ck_assert_int_eq((int)read(begun[0], &byte, 1), 1);
    close(begun[0]);
    close(begun[1]);
    return pid;
}

static void kill_and_wait(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}

/* Looks until it is killed; exits with 1 if a figure falls, with 2 if there is no reading. */
static void watch(void)
{
    uint64_t before = 0, bytes = 0, rows = 0;

    for (;;) {
        uint64_t sum = 0;

        if (counters_read(file, snapshot) < 0)
            _exit(2);
        for (size_t i = 0; i < snapshot->total.row_count; i++)
            sum += snapshot->total.rows[i].classes[2];
        if (requests() < before || snapshot->total.figures[COUNTERS_BYTES] < bytes || sum < rows)
            _exit(1);
        before = requests();
        bytes = snapshot->total.figures[COUNTERS_BYTES];
        rows = sum;
    }
}

static pid_t fork_watcher(void)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        watch();
    return pid;
}

START_TEST(test_killed_workers)
{
    pid_t watchers[3];

    for (size_t i = 0; i < 3; i++)
        watchers[i] = fork_watcher();
    for (unsigned int round = 0; round < 200; round++) {
        unsigned int number = 1 + round % 2;
        pid_t worker = fork_worker(number);
        uint64_t before, counted;

        look();
        before = requests();
        counters_admit(counters, number, worker);
        for (unsigned int i = 0; i < round % 7; i++)
            look();
        kill_and_wait(worker);
        look();
        counted = requests(); /* and nothing is added to it any more */
        ck_assert_uint_gt(counted, before);
        counters_retire(counters, number);
        look();
        ck_assert_uint_eq(requests(), counted);
    }
    for (size_t i = 0; i < 3; i++)
        kill_and_wait(watchers[i]);
}
END_TEST

/* As a supervisor does, with one worker after the other that has counted ten requests of one byte. */
static void supervise(void)
{
    struct counters_slot *slot = attach(5);

    for (;;) {
        unsigned int row = counters_add_row(slot, 0, "GET", "", "/work");

        for (int i = 0; i < 10; i++)
            counters_request(slot, row, 200, 1, 1);
        counters_admit(counters, 5, 1);
        counters_retire(counters, 5);
    }
}

/* Killed in the midst of a fold, it leaves figures that are whole. */
START_TEST(test_killed_supervisor)
{
    uint64_t before = 0;

    for (int round = 0; round < 100; round++) {
        pid_t watcher, pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            supervise();
        watcher = fork_watcher();
        for (int i = 0; i < round % 10 + 1; i++)
            look();
        kill_and_wait(pid);
        look();
        ck_assert_uint_eq(requests() % 10, 0);
        ck_assert_uint_eq(requests(), snapshot->total.figures[COUNTERS_BYTES]);
        if (requests() > 0)
            ck_assert_uint_eq(find("GET /work")->classes[2], requests());
        kill_and_wait(watcher);
        before = requests() > before ? requests() : before;
        teardown();
        setup();
    }
    ck_assert_uint_gt(before, 0);
}
END_TEST

Suite *suite_counters(void)
{
    Suite *suite = suite_create("counters");
    TCase *tcase = tcase_create("counters");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_request);
    tcase_add_test(tcase, test_retire);
    tcase_add_test(tcase, test_never_ready);
    tcase_add_test(tcase, test_routes_at_most);
    tcase_add_test(tcase, test_labels_at_most);
    tcase_add_test(tcase, test_labels_stay);
    tcase_add_test(tcase, test_users);
    tcase_add_test(tcase, test_users_at_most);
    tcase_add_test(tcase, test_long_label);
    tcase_add_loop_test(tcase, test_no_slot, 0, sizeof(no_slots) / sizeof(no_slots[0]));
    tcase_add_test(tcase, test_last_slot);
    tcase_add_test(tcase, test_no_file);
    tcase_add_test(tcase, test_sealed);
    tcase_add_loop_test(tcase, test_scribble, 0, sizeof(scribbles) / sizeof(scribbles[0]));
    tcase_add_test(tcase, test_sums_saturate);
    tcase_add_test(tcase, test_events);
    tcase_add_test(tcase, test_killed_workers);
    tcase_add_test(tcase, test_killed_supervisor);
    suite_add_tcase(suite, tcase);
    return suite;
}
