/*
 * The supervisor as a program, with workers that misbehave on request.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socket/scratch.h"
#include "supervisor/supervised.h"

Suite *suite_supervisor(void);

/* ---- start and end ---- */

START_TEST(serves_and_drains)
{
    pid_t worker;

    START("--uds", "s", "--pid", "pid", "--workers", "2", "app.so");
    worker = wait_worker();
    WAIT_FOR(count_in(log_text(), "is ready") == 2);
    ck_assert_str_eq(scratch_list(), "app.so log pid s s.lock ");
    ck_assert(logged("berth listens on s\n"));
    ck_assert(logged("curl --unix-socket s http://localhost/\n"));
    send_signal(SIGTERM);
    ck_assert_int_eq(wait_end(), 0);
    ck_assert(is_gone(worker));
    ck_assert_str_eq(scratch_list(), "app.so log ");
}
END_TEST

static const struct {
    const char *module, *line;
} targets[] = {
    { "try /index", "curl --unix-socket s http://localhost/index\n" },
    { "try /a/b-c_d.e", "curl --unix-socket s http://localhost/a/b-c_d.e\n" },
    { "try index", "curl --unix-socket s http://localhost/\n" },
    { "try /a;reboot", "curl --unix-socket s http://localhost/\n" },
    { "try /\033[2J", "curl --unix-socket s http://localhost/\n" },
};

START_TEST(suggests_what_there_is)
{
    scratch_write("app.so", targets[_i].module);
    START("--uds", "s", "app.so");
    WAIT_FOR(logged("    try: "));
    ck_assert_msg(logged(targets[_i].line), "%s", log_text());
}
END_TEST

START_TEST(leaves_a_pid_file_that_is_not_its_own)
{
    START("--uds", "s", "--pid", "pid", "app.so");
    wait_worker();
    scratch_write("pid", "1\n");
    send_signal(SIGTERM);
    ck_assert_int_eq(wait_end(), 0);
    ck_assert_str_eq(scratch_list(), "app.so log pid ");
}
END_TEST

START_TEST(gives_children_what_the_contract_says)
{
    const char *answer;

    setenv("BERTH_WORKERS", "1", 1);
    setenv("LISTEN_FDNAMES", "x", 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    START("--uds", "s", "--uds", "s2", "--pid", "pid", "--log", "log", "app.so", "/b=app.so");
    wait_worker();
    answer = ask("inherited");
    ck_assert_ptr_nonnull(answer);
    ck_assert_str_eq(answer, "that is all");
    unsetenv("BERTH_WORKERS");
    unsetenv("LISTEN_FDNAMES");
    unsetenv("WATCHDOG_USEC");
}
END_TEST

static const struct {
    const char *module, *app, *option, *value, *line;
    int code;
} refusals[] = {
    { "fail no luck", "app.so", "--backlog", "5", "could not start: no luck", 3 },
    { "exit", "app.so", "--backlog", "5", "exited with status 7 before it was ready", 3 },
    { "never", "app.so", "--worker-timeout", "2s", "was not ready within 2000 ms: it is ended with SIGABRT\n", 3 },
    { "ready", "none.so", "--backlog", "5", "none.so: No such file", 3 },
    { "ready", "none.c", "--backlog", "5", "none.c: No such file", 3 },
    { "ready", "none", "--backlog", "5", "\"none\" is no application", 2 },
    { "ready", "evnets", "--backlog", "5", "; did you mean events?", 2 },
    { "ready", "app.so", "--backlog", "none", "backlog", 2 },
    { "ready", "app.so", "--user", "no such user", "no such user", 2 },
    { "ready", "app.so", "--group", "no such group", "no such group", 2 },
    { "ready", "app.so", "--user", "54321", "nobody has the number 54321, so it has no group: give --group", 2 },
    { "ready", "app.so", "--exit-idle-time", "1s", "--exit-idle-time: only", 2 },
    { "ready", "app.so", "--fd", "55", "fd 55", 2 },
    { "ready", "app.so", "--pid", "no/such/folder", "no/such/folder", 1 },
    { "ready", "app.so", "--uds", "app.so", "app.so", 1 },
    { "ready", "app.so", "--uds", "@x", "--allow-abstract", 2 },
    { "ready", "app.so", "--uds", "folder/", "add the name", 2 },
    { "ready", "app.so", "--socket-group", "no such group", "no such group", 2 },
    { "ready", "app.so", "--log", "no/such/folder", "no/such/folder", 1 },
};

START_TEST(refuses_to_start)
{
    scratch_write("app.so", refusals[_i].module);
    START("--uds", "s", refusals[_i].option, refusals[_i].value, "--workers", "2", refusals[_i].app);
    ck_assert_int_eq(wait_end(), refusals[_i].code);
    ck_assert_msg(logged(refusals[_i].line), "no \"%s\" in: %s", refusals[_i].line, log_text());
    ck_assert_str_eq(scratch_list(), "app.so log ");
}
END_TEST

START_TEST(kills_who_does_not_drain)
{
    long before;

    START("--uds", "s", "--timeout-graceful-shutdown", "100ms", "app.so");
    wait_worker();
    ck_assert_str_eq(ask("deaf"), "what?");
    before = now_ms();
    send_signal(SIGTERM);
    WAIT_FOR(socket_connect(scratch_path("s")) < 0); /* at once, not when it is over */
    ck_assert_int_lt(now_ms() - before, 1500);
    ck_assert_int_eq(wait_end(), 0);
    ck_assert_int_ge(now_ms() - before, 2000);
    ck_assert(logged("did not end in time"));
}
END_TEST

START_TEST(forces_with_a_second_interrupt)
{
    START("--uds", "s", "--timeout-graceful-shutdown", "1h", "app.so");
    wait_worker();
    ck_assert_str_eq(ask("deaf"), "what?");
    send_signal(SIGTERM);
    WAIT_FOR(logged("SIGTERM"));
    send_signal(_i == 0 ? SIGINT : SIGQUIT);
    WAIT_FOR(logged(_i == 0 ? "SIGINT" : "SIGQUIT"));
    send_signal(SIGINT);
    ck_assert_int_eq(wait_end(), 0);
    ck_assert(!logged("did not end in time"));
}
END_TEST

/* While a worker from before a reload keeps it from ending, the generation that serves is gone already. */
START_TEST(is_not_changed_while_it_ends)
{
    static const int signals[] = { SIGUSR1, SIGTTIN, SIGTTOU, SIGHUP, SIGUSR2 };
    pid_t old, serving;

    setenv("MALLOC_PERTURB_", "165", 1); /* what is freed looks like it */
    START("--uds", "s", "--log", "log", "--timeout-graceful-shutdown", "1h", "app.so");
    old = wait_worker();
    ck_assert_str_eq(ask("deaf"), "what?");
    send_signal(SIGHUP);
    WAIT_FOR(logged("reloaded"));
    WAIT_FOR((serving = ask_pid("who")) != old && serving > 0);
    send_signal(SIGTERM);
    WAIT_FOR(is_gone(serving));
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        send_signal(signals[i]);
        WAIT_FOR(count_in(log_text(), ": ignored, berth is ending") == i + 1);
    }
    ck_assert(!is_gone(old));
    send_signal(SIGINT);
    send_signal(SIGINT);
    ck_assert_int_eq(wait_end(), 0);
    ck_assert(is_gone(old));
    unsetenv("MALLOC_PERTURB_");
}
END_TEST

START_TEST(lives_through_an_upgrade_that_it_does_not_know)
{
    START("--uds", "s", "app.so");
    wait_worker();
    send_signal(SIGUSR2);
    WAIT_FOR(logged("SIGUSR2: ignored"));
    ck_assert_int_gt(ask_pid("who"), 0);
    send_signal(SIGTERM);
    ck_assert_int_eq(wait_end(), 0);
    ck_assert_str_eq(scratch_list(), "app.so log ");
}
END_TEST

START_TEST(workers_end_when_it_is_killed)
{
    pid_t worker;

    START("--uds", "s", "app.so");
    worker = wait_worker();
    kill(supervisor, SIGKILL);
    waitpid(supervisor, NULL, 0);
    WAIT_FOR(is_gone(worker));
    START("--uds", "s", "app.so");
    ck_assert_int_ne(wait_worker(), worker);
}
END_TEST

START_TEST(reaps_strangers)
{
    pid_t orphan;

    START("--uds", "s", "app.so");
    wait_worker();
    orphan = ask_pid("orphan");
    ck_assert_int_gt(orphan, 0);
    WAIT_FOR(is_gone(orphan));
}
END_TEST

/* A copy of the program in a folder that nobody but root may enter. */
static void use_private_program(void)
{
    char command[8192], *path = strdup(scratch_path("private/berth"));

    ck_assert_int_eq(mkdir(scratch_path("private"), 0700), 0);
    snprintf(command, sizeof(command), "cp '%s' '%s'", stand_in_program(), path);
    ck_assert_int_eq(system(command), 0);
    setenv("STAND_IN", path, 1);
    free(path);
}

/* Also where whoever it becomes cannot go to the program, or nobody can any more. */
START_TEST(becomes_another_user)
{
    const char *answer;
    char expected[32];
    pid_t worker;

    if (_i == 1)
        use_private_program();
    START("--uds", "s", "--user", "54321", "--group", "54322", "app.so");
    worker = wait_worker();
    if (_i == 1) {
        unlink(scratch_path("private/berth"));
        rmdir(scratch_path("private"));
        unsetenv("STAND_IN");
        ask("crash");
        WAIT_FOR(ask_pid("who") > 0 && is_gone(worker));
    }
    answer = ask("who");
    snprintf(expected, sizeof(expected), " %d ready", SOMEBODY);
    ck_assert_ptr_nonnull(strstr(answer, expected));
}
END_TEST

/* ---- replacing ---- */

static const struct {
    const char *command, *line;
} ends[] = {
    { "crash", "was ended by SIGSEGV: it is replaced at once" },
    { "offend", "sent what no worker may send" },
    { "hang", "did not answer within 2000 ms: it is ended with SIGABRT and replaced" },
    { "hang up", "was ended by SIGKILL: it is replaced at once" },
};

/* Whatever happens to one, its sibling goes on. */
START_TEST(replaces_a_worker_alone)
{
    pid_t pids[2], now[2];

    START("--uds", "s", "--uds", "t", "--worker-timeout", "2s", "--workers", "2", "app.so");
    WAIT_FOR(count_in(log_text(), "is ready") == 2);
    pids[0] = wait_worker();
    WAIT_FOR((pids[1] = ask_pid("who")) != pids[0] && pids[1] > 0);
    ask(ends[_i].command);
    WAIT_FOR(logged(ends[_i].line));
    WAIT_FOR(count_in(log_text(), "is ready") == 3);
    WAIT_FOR(is_gone(pids[0]) || is_gone(pids[1]));
    ck_assert(!is_gone(pids[0]) || !is_gone(pids[1]));
    now[0] = wait_worker();
    WAIT_FOR((now[1] = ask_pid("who")) != now[0] && now[1] > 0);
    ck_assert_uint_eq(count_in(log_text(), "replaced"), _i == 1 ? 0 : 1);
}
END_TEST

static bool is_zombie(pid_t pid)
{
    char path[64], state = ' ';
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = ' ';
    fclose(file);
    return state == 'Z';
}

/* The offence is found behind so many messages that the end is noticed first. */
START_TEST(signals_nobody_who_is_reaped)
{
    pid_t worker;

    START("--uds", "s", "app.so");
    wait_worker();
    worker = ask_pid("part");
    ck_assert_int_gt(worker, 0);
    WAIT_FOR(is_zombie(worker));
    send_signal(SIGCONT);
    WAIT_FOR(logged("sent what no worker may send"));
    ck_assert_msg(!logged("it is killed"), "%s", log_text());
    WAIT_FOR(ask_pid("who") > 0);
}
END_TEST

/* Right after it has answered, which is when finding out takes longest. */
START_TEST(takes_no_longer_than_the_timeout)
{
    long before, took;

    START("--uds", "s", "--worker-timeout", "2s", "app.so");
    wait_worker();
    ck_assert_str_eq(ask("hang next"), "soon");
    WAIT_FOR(logged(" hangs\n"));
    before = now_ms();
    WAIT_FOR(logged("did not answer within 2000 ms: it is ended with SIGABRT and replaced\n"));
    took = now_ms() - before;
    ck_assert_int_ge(took, 1400);
    ck_assert_int_le(took, 2400);
    WAIT_FOR(ask_pid("who") > 0);
}
END_TEST

START_TEST(backs_off_from_who_does_not_live_long)
{
    long before = now_ms();

    scratch_write("app.so", "brief");
    START("--uds", "s", "app.so");
    WAIT_FOR(logged("SIGSEGV: it is replaced in 400 ms"));
    ck_assert_int_ge(now_ms() - before, 300);
    ck_assert_uint_eq(count_in(log_text(), "replaced at once"), 1);
    ck_assert_uint_eq(count_in(log_text(), "replaced in 100 ms"), 1);
    ck_assert_uint_eq(count_in(log_text(), "replaced in 200 ms"), 1);
    send_signal(SIGTERM);
    ck_assert_int_eq(wait_end(), 0);
}
END_TEST

START_TEST(replaces_with_what_was_loaded)
{
    pid_t worker;

    START("--uds", "s", "app.so");
    worker = wait_worker();
    if (_i == 0)
        ck_assert_int_eq(unlink(scratch_path("app.so")), 0);
    else
        scratch_write("app.so", "ready b"); /* into the same file */
    ask("crash");
    WAIT_FOR(ask_pid("who") > 0 && is_gone(worker));
    ck_assert(answers_with("ready a"));
}
END_TEST

START_TEST(retires)
{
    pid_t worker;

    START("--uds", "s", "app.so");
    wait_worker();
    worker = ask_pid("retire");
    WAIT_FOR(is_gone(worker));
    ck_assert_int_gt(ask_pid("who"), 0); /* the other was there before it went */
    ck_assert_uint_eq(count_in(log_text(), "is ready"), 2);
}
END_TEST

START_TEST(counts_up_and_down)
{
    pid_t first;

    START("--uds", "s", "app.so");
    first = wait_worker();
    send_signal(SIGTTIN);
    WAIT_FOR(count_in(log_text(), "is ready") == 2);
    send_signal(SIGTTOU);
    WAIT_FOR(logged("one too many"));
    WAIT_FOR(ask_pid("who") == first);
    send_signal(SIGTTOU);
    send_signal(SIGTTIN);
    WAIT_FOR(count_in(log_text(), "workers from now on: 2") >= 2);
    ck_assert_uint_eq(count_in(log_text(), "workers from now on: 0"), 0);
}
END_TEST

/* ---- reloading ---- */

START_TEST(reloads)
{
    pid_t worker;

    START("--uds", "s", "--workers", "2", "app.so");
    worker = wait_worker();
    WAIT_FOR(count_in(log_text(), "is ready") == 2);
    scratch_write("new", "ready b");
    ck_assert_int_eq(rename(scratch_path("new"), scratch_path("app.so")), 0);
    send_signal(SIGHUP);
    WAIT_FOR(is_gone(worker));
    WAIT_FOR(!answers_with("ready a"));
    ck_assert(answers_with("ready b"));
    ck_assert(logged("in force, workers: 2"));
}
END_TEST

static const struct {
    const char *module, *line; /* NULL: no file */
} failures[] = {
    { "fail no luck", "the reload failed, everything stays as it was: no luck" },
    { "exit", "exited with status 7 before it was ready" },
    { "never", "was not ready within 2000 ms: it is ended with SIGABRT\n" },
    { NULL, "the reload failed, everything stays as it was: app.so: No such file" },
};

START_TEST(survives_a_reload_that_fails)
{
    pid_t worker;

    scratch_write("conf", "[berth]\nuds = s\n");
    START("--config", "conf", "--worker-timeout", "2s", "app.so");
    worker = wait_worker();
    scratch_write("conf", "[berth]\nuds = t\n");
    ck_assert_int_eq(unlink(scratch_path("app.so")), 0);
    if (failures[_i].module != NULL)
        scratch_write("app.so", failures[_i].module);
    send_signal(SIGHUP);
    WAIT_FOR(logged(failures[_i].line));
    WAIT_FOR(logged("the reload failed"));
    ck_assert_int_eq(ask_pid("who"), worker);
    ck_assert_int_eq(socket_connect(scratch_path("t")), -ENOENT);
    unlink(scratch_path("app.so"));
    scratch_write("app.so", "ready c"); /* and the next one works */
    send_signal(SIGHUP);
    WAIT_FOR(logged("reloaded"));
    ck_assert_ptr_nonnull(ask_at(scratch_path("t"), "who"));
}
END_TEST

START_TEST(changes_its_sockets)
{
    pid_t worker;

    scratch_write("conf", "[berth]\nuds = s\nuds = t\n");
    START("--config", "conf", "app.so");
    worker = wait_worker();
    ck_assert_ptr_nonnull(ask_at(scratch_path("t"), "who"));
    scratch_write("conf", "[berth]\nuds = s\nuds = u\n");
    send_signal(SIGHUP);
    WAIT_FOR(is_gone(worker));
    ck_assert_ptr_nonnull(ask_at(scratch_path("s"), "who"));
    ck_assert_ptr_nonnull(ask_at(scratch_path("u"), "who"));
    ck_assert_int_eq(socket_connect(scratch_path("t")), -ENOENT);
    scratch_write("conf", "[berth]\nuds = s\nnonsense = 1\n");
    send_signal(SIGHUP);
    WAIT_FOR(logged("the reload failed"));
    ck_assert(logged("nonsense"));
    ck_assert_ptr_nonnull(ask_at(scratch_path("u"), "who"));
}
END_TEST

START_TEST(ends_during_a_reload)
{
    START("--uds", "s", "app.so");
    wait_worker();
    unlink(scratch_path("app.so"));
    scratch_write("app.so", "never");
    send_signal(SIGHUP);
    send_signal(SIGHUP);
    WAIT_FOR(logged("reloading"));
    send_signal(SIGINT);
    WAIT_FOR(logged("SIGINT"));
    send_signal(SIGINT);
    ck_assert_int_eq(wait_end(), 0);
    ck_assert_str_eq(scratch_list(), "app.so log ");
}
END_TEST

/* ---- compiling: with a compiler that copies ---- */

static void write_compiler(const char *script)
{
    scratch_write("cc", script);
    ck_assert_int_eq(chmod(scratch_path("cc"), 0755), 0);
    setenv("CC", scratch_path("cc"), 1);
    setenv("CFLAGS", "-DSOME  -DFLAGS", 1);
    setenv("TMPDIR", scratch_path(""), 1);
}

#define COPYING                                                                                                        \
    "#!/bin/sh\necho \"flags $*\" >&2\n"                                                                               \
    "while [ $# -gt 1 ]; do if [ \"$1\" = -o ]; then out=$2; fi; shift; done\n"                                        \
    "echo partial >\"$TMPDIR/left-behind\"\n"

START_TEST(compiles_a_source)
{
    pid_t worker;

    write_compiler(COPYING "grep -v broken \"$1\" | tr -d '\\n' >\"$out\" && ! grep broken \"$1\" >&2\n");
    scratch_write("x.c", "ready compiled");
    START("--uds", "s", "x.c");
    worker = wait_worker();
    ck_assert(answers_with("ready compiled"));
    ck_assert(logged("flags -DSOME -DFLAGS -I"));
    ck_assert_str_eq(scratch_list(), "app.so cc log s s.lock x.c ");
    scratch_write("x.c", "broken");
    send_signal(SIGHUP);
    WAIT_FOR(logged("the reload failed, everything stays as it was: x.c was not compiled"));
    ck_assert_int_eq(ask_pid("who"), worker);
    ask("crash");
    WAIT_FOR(is_gone(worker) && answers_with("ready compiled")); /* not compiled again */
    scratch_write("x.c", "ready again");
    send_signal(SIGHUP);
    WAIT_FOR(answers_with("ready again"));
    ck_assert_uint_eq(count_in(log_text(), "flags"), 3);
    ck_assert_str_eq(scratch_list(), "app.so cc log s s.lock x.c ");
}
END_TEST

START_TEST(gives_up_without_a_compiler)
{
    write_compiler("");
    setenv("CC", "berth-no-such-compiler", 1);
    scratch_write("x.c", "ready");
    START("--uds", "s", "x.c");
    ck_assert_int_eq(wait_end(), 3);
    ck_assert(logged("there is no compiler \"berth-no-such-compiler\": install one"));
    ck_assert_str_eq(scratch_list(), "app.so cc log x.c ");
}
END_TEST

/* Requests and signals are served while a compiler takes its time, and nothing is left of it. */
START_TEST(ends_while_compiling)
{
    write_compiler(COPYING
                   "if grep slow \"$1\" >/dev/null; then echo compiling >&2; sleep 1000; fi\ncp \"$1\" \"$out\"\n");
    scratch_write("x.c", "ready");
    START("--uds", "s", "x.c");
    wait_worker();
    scratch_write("x.c", "slow");
    send_signal(SIGHUP);
    WAIT_FOR(logged("compiling\n"));
    ck_assert_int_gt(ask_pid("who"), 0);
    send_signal(_i == 0 ? SIGTERM : SIGINT);
    ck_assert_int_eq(wait_end(), 0);
    ck_assert_str_eq(scratch_list(), "app.so cc log x.c ");
}
END_TEST

/* What asks for the compilation may have been mended meanwhile. */
START_TEST(compiles_anew_when_told_again)
{
    write_compiler(COPYING
                   "if grep slow \"$1\" >/dev/null; then echo compiling >&2; sleep 1000; fi\ncp \"$1\" \"$out\"\n");
    scratch_write("x.c", "ready");
    START("--uds", "s", "x.c");
    wait_worker();
    scratch_write("x.c", "slow");
    send_signal(SIGHUP);
    WAIT_FOR(logged("compiling\n"));
    scratch_write("x.c", "ready again");
    send_signal(SIGHUP);
    WAIT_FOR(answers_with("ready again"));
    ck_assert_uint_eq(count_in(log_text(), "what was being compiled is given up"), 1);
    ck_assert_uint_eq(count_in(log_text(), "reload failed"), 0);
    WAIT_FOR(strcmp(scratch_list(), "app.so cc log s s.lock x.c ") == 0);
}
END_TEST

START_TEST(ends_a_compiler_that_hangs)
{
    write_compiler(COPYING "sleep 1000\n");
    setenv("COMPILE_LIMIT_MS", "1000", 1);
    scratch_write("x.c", "ready");
    START("--uds", "s", "x.c");
    ck_assert_int_eq(wait_end(), 3);
    unsetenv("COMPILE_LIMIT_MS");
    ck_assert_msg(logged("was not done within 1 s: it is ended"), "%s", log_text());
    ck_assert(logged("could not start: x.c was not compiled: see above\n"));
    ck_assert_str_eq(scratch_list(), "app.so cc log x.c ");
}
END_TEST

/* Of a process, as /proc lists them. */
static unsigned int count_children(pid_t pid)
{
    char path[64];
    unsigned int count = 0;
    FILE *list;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    list = fopen(path, "re");
    ck_assert_ptr_nonnull(list);
    while (fscanf(list, "%*d") != EOF)
        count++;
    fclose(list);
    return count;
}

/* Whoever kills what runs the compiler: neither that nor its folder is left. */
START_TEST(leaves_nothing_of_a_compilation_that_was_killed)
{
    int compiler, runner;
    const char *said;

    write_compiler(COPYING "echo \"pids: $$ $PPID\" >&2\nsleep 1000 &\nwait\n");
    scratch_write("x.c", "ready");
    START("--uds", "s", "x.c");
    WAIT_FOR((said = strstr(log_text(), "pids: ")) != NULL && strchr(said, '\n') != NULL);
    ck_assert_int_eq(sscanf(said, "pids: %d %d", &compiler, &runner), 2);
    WAIT_FOR(count_children(runner) == 2); /* the compiler, and what sees to it */
    ck_assert_int_eq(kill(runner, SIGKILL), 0);
    ck_assert_int_eq(wait_end(), 3);
    ck_assert(logged("x.c was not compiled: what was to compile it was ended by SIGKILL\n"));
    WAIT_FOR(is_gone(compiler));
    WAIT_FOR(strcmp(scratch_list(), "app.so cc log x.c ") == 0);
}
END_TEST

/* ---- what others hear ---- */

START_TEST(reopens_its_log)
{
    pid_t worker;

    START("--uds", "s", "--log", "log", "app.so");
    worker = wait_worker();
    ck_assert_int_eq(rename(scratch_path("log"), scratch_path("old")), 0);
    send_signal(SIGUSR1);
    WAIT_FOR(strstr(scratch_list(), "log ") != NULL);
    WAIT_FOR(ask("log") != NULL && logged("was here"));
    ask("crash");
    WAIT_FOR(logged("SIGSEGV"));
    WAIT_FOR(is_gone(worker));
}
END_TEST

static int notifications = -1;
static char heard[65536]; /* all notifications so far, each with a newline at its end */

/* Whether this line has come. */
static bool notified(const char *line)
{
    ssize_t size;
    size_t used = strlen(heard);

    while ((size = recv(notifications, heard + used, sizeof(heard) - used - 2, MSG_DONTWAIT)) > 0) {
        used += (size_t)size;
        heard[used++] = '\n';
        heard[used] = '\0';
    }
    return strstr(heard, line) != NULL;
}

START_TEST(notifies)
{
    notifications = socket_bound(scratch_path("n"), SOCK_DGRAM, -1);
    setenv("NOTIFY_SOCKET", scratch_path("n"), 1);
    setenv("WATCHDOG_USEC", "300000", 1);
    START("--uds", "s", "--timeout-graceful-shutdown", "100ms", "app.so");
    WAIT_FOR(notified("READY=1\nSTATUS=workers: 1"));
    ck_assert_ptr_nonnull(ask("who")); /* it is true */
    WAIT_FOR(notified("WATCHDOG=1\nWATCHDOG=1\nWATCHDOG=1"));
    ck_assert(!logged("berth listens"));
    heard[0] = '\0';
    send_signal(SIGHUP);
    WAIT_FOR(notified("RELOADING=1\nMONOTONIC_USEC="));
    WAIT_FOR(notified("READY=1"));
    unlink(scratch_path("app.so"));
    heard[0] = '\0';
    send_signal(SIGHUP);
    WAIT_FOR(notified("RELOADING=1") && notified("READY=1"));
    ck_assert(!notified("STOPPING=1"));
    ck_assert_str_eq(ask("deaf"), "what?");
    send_signal(SIGTERM);
    WAIT_FOR(notified("STOPPING=1\n") && notified("EXTEND_TIMEOUT_USEC="));
    ck_assert_int_eq(wait_end(), 0);
    ck_assert(notified("EXTEND_TIMEOUT_USEC=5000000\nSTATUS=workers: 0, draining: 1"));
    close(notifications);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
}
END_TEST

START_TEST(ends_when_idle)
{
    int listener = socket_bound(scratch_path("s"), SOCK_STREAM, 16);
    long before;

    start_with(listener, "--fd", "9", "--exit-idle-time", "300ms", "app.so", NULL);
    wait_worker();
    ck_assert_str_eq(ask("busy"), "busy");
    before = now_ms();
    while (now_ms() - before < 600) /* twice its time */
        ck_assert_int_gt(ask_pid("who"), 0);
    ck_assert_str_eq(ask("idle"), "idle");
    before = now_ms();
    ck_assert_int_eq(wait_end(), 0);
    ck_assert_int_ge(now_ms() - before, 250);
    ck_assert_str_eq(scratch_list(), "app.so log s ");
    start_with(listener, "--fd", "9", "app.so", NULL); /* the same socket, the next time */
    wait_worker();
    close(listener);
}
END_TEST

Suite *suite_supervisor(void)
{
    Suite *suite = suite_create("supervisor");
    TCase *tcase = tcase_create("supervisor");

    tcase_add_checked_fixture(tcase, supervised_setup, supervised_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, serves_and_drains);
    tcase_add_loop_test(tcase, suggests_what_there_is, 0, sizeof(targets) / sizeof(targets[0]));
    tcase_add_test(tcase, leaves_a_pid_file_that_is_not_its_own);
    tcase_add_test(tcase, gives_children_what_the_contract_says);
    tcase_add_loop_test(tcase, refuses_to_start, 0, sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(tcase, kills_who_does_not_drain);
    tcase_add_loop_test(tcase, forces_with_a_second_interrupt, 0, 2);
    tcase_add_test(tcase, is_not_changed_while_it_ends);
    tcase_add_test(tcase, lives_through_an_upgrade_that_it_does_not_know);
    tcase_add_test(tcase, workers_end_when_it_is_killed);
    tcase_add_test(tcase, reaps_strangers);
    if (root_for(tcase, "supervisor"))
        tcase_add_loop_test(tcase, becomes_another_user, 0, 2);
    tcase_add_loop_test(tcase, replaces_a_worker_alone, 0, sizeof(ends) / sizeof(ends[0]));
    tcase_add_test(tcase, signals_nobody_who_is_reaped);
    tcase_add_test(tcase, takes_no_longer_than_the_timeout);
    tcase_add_test(tcase, backs_off_from_who_does_not_live_long);
    tcase_add_loop_test(tcase, replaces_with_what_was_loaded, 0, 2);
    tcase_add_test(tcase, retires);
    tcase_add_test(tcase, counts_up_and_down);
    tcase_add_test(tcase, reloads);
    tcase_add_loop_test(tcase, survives_a_reload_that_fails, 0, sizeof(failures) / sizeof(failures[0]));
    tcase_add_test(tcase, changes_its_sockets);
    tcase_add_test(tcase, ends_during_a_reload);
    tcase_add_test(tcase, compiles_a_source);
    tcase_add_test(tcase, gives_up_without_a_compiler);
    tcase_add_loop_test(tcase, ends_while_compiling, 0, 2);
    tcase_add_test(tcase, compiles_anew_when_told_again);
    tcase_add_test(tcase, ends_a_compiler_that_hangs);
    tcase_add_test(tcase, leaves_nothing_of_a_compilation_that_was_killed);
    tcase_add_test(tcase, reopens_its_log);
    tcase_add_test(tcase, notifies);
    tcase_add_test(tcase, ends_when_idle);
    suite_add_tcase(suite, tcase);
    return suite;
}
