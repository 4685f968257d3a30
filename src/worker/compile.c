#include "worker/compile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/contract.h"
#include "common/log.h"

extern char **environ;

enum { WORDS_MAX = 256, REMOVE_TRIES = 100 };

unsigned int compile_limit_ms = COMPILE_LIMIT_SECONDS * 1000;

/* The compiler's command line. Its words point into the copies and into the paths of compile_source. */
struct command_line {
    char *words[WORDS_MAX + 1];
    size_t count;
    char *cc, *cflags, *ldlibs;
};

static int add_word(struct command_line *line, char *word)
{
    if (line->count == WORDS_MAX)
        return -E2BIG;
    line->words[line->count++] = word;
    return 0;
}

/* At blanks, as make(1) would: no shell, no quotes. */
static int add_words(struct command_line *line, char *text)
{
    char *rest = NULL;

    for (char *word = strtok_r(text, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
        if (add_word(line, word) < 0)
            return -E2BIG;
    return 0;
}

static const char *variable(const char *name, const char *fallback)
{
    const char *value = getenv(name);

    return !value || value[strspn(value, " \t\n")] == '\0' ? fallback : value;
}

/* berth.h lies beside the program, in ../include, built as well as installed; else where it was configured to go. */
static const char *find_include(char *path, size_t size)
{
    char program[PATH_MAX], header[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    char *slash;

    if (length < 0)
        return BERTH_INCLUDEDIR;
    program[length] = '\0';
    slash = strrchr(program, '/');
    if (!slash)
        return BERTH_INCLUDEDIR;
    *slash = '\0';
    if ((size_t)snprintf(path, size, "%s/../include", program) >= size ||
        (size_t)snprintf(header, sizeof(header), "%s/berth.h", path) >= sizeof(header) || access(header, R_OK) < 0)
        return BERTH_INCLUDEDIR;
    return path;
}

static void command_line_done(struct command_line *line)
{
    free(line->cc);
    free(line->cflags);
    free(line->ldlibs);
}

static int command_line_init(struct command_line *line, char *source, char *output)
{
    static char include_option[] = "-I", shared[] = "-shared", pic[] = "-fPIC", output_option[] = "-o";
    static char include_buffer[PATH_MAX], include[PATH_MAX];
    char *const rest[] = { include_option, include, shared, pic, output_option, output, source };
    int r;

    memset(line, 0, sizeof(*line));
    snprintf(include, sizeof(include), "%s", find_include(include_buffer, sizeof(include_buffer)));
    line->cc = strdup(variable("CC", "cc"));
    line->cflags = strdup(variable("CFLAGS", "-O2 -g"));
    line->ldlibs = strdup(variable("LDLIBS", ""));
    if (!line->cc || !line->cflags || !line->ldlibs)
        return -ENOMEM;
    r = add_words(line, line->cc);
    if (r == 0)
        r = add_words(line, line->cflags);
    for (size_t i = 0; r == 0 && i < sizeof(rest) / sizeof(rest[0]); i++)
        r = add_word(line, rest[i]);
    /* Behind the source, since a static library gives only what was missed before it. */
    return r == 0 ? add_words(line, line->ldlibs) : r;
}

/* ---- running it ---- */

/* What a compiler that was killed leaves lies here as well, since the folder is its TMPDIR. One of its programs may be
 * about to add to it still: then once more. */
static void remove_folder(const char *folder)
{
    int tries = 0;

    do {
        DIR *dir = opendir(folder);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)))
            unlinkat(dirfd(dir), entry->d_name, 0); /* fails for . and .. */
        if (dir)
            closedir(dir);
        if (rmdir(folder) == 0)
            return;
    } while (errno == ENOTEMPTY && ++tries < REMOVE_TRIES);
    log_warning("%s is left behind: %s", folder, strerror(errno));
}

static sigset_t watched_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGHUP);
    return set;
}

/* In a process group of its own, so that the programs that it runs end with it. */
static int spawn(struct command_line *line, pid_t *ret_pid)
{
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int r;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    r = posix_spawnp(ret_pid, line->words[0], NULL, &attributes, line->words, environ);
    posix_spawnattr_destroy(&attributes);
    return -r;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Waits for the compiler. A signal to us ends it, and -EINTR says so; it is -ETIMEDOUT at the end of our patience. */
static int await(pid_t pid, int *ret_status)
{
    uint64_t deadline = now_ms() + compile_limit_ms;
    sigset_t watched = watched_signals();
    int status, r = 0;

    while (waitpid(pid, &status, WNOHANG) != pid) {
        uint64_t now = now_ms(), left = now < deadline ? deadline - now : 0;
        struct timespec pause = { .tv_sec = (time_t)(left / 1000), .tv_nsec = (long)(left % 1000) * 1000000 };
        int number = r == 0 ? sigtimedwait(&watched, NULL, &pause) : sigwaitinfo(&watched, NULL);

        if (number == SIGCHLD || (number < 0 && errno != EAGAIN))
            continue;
        kill(-pid, SIGKILL);
        r = number < 0 ? -ETIMEDOUT : -EINTR;
    }
    if (r == 0)
        *ret_status = status;
    return r;
}

/* Does what remains to be done when we are killed: ends the compiler and all that it runs, and removes the folder.
 * Signals that are for us reach it, too, by way of a process group; it only looks whether we are there. */
static void guard(pid_t parent, pid_t compiler, const char *folder) __attribute__((noreturn));
static void guard(pid_t parent, pid_t compiler, const char *folder)
{
    sigset_t watched = watched_signals();

    close(CONTRACT_OUTPUT_FD);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    while (getppid() == parent)
        sigwaitinfo(&watched, NULL);
    kill(-compiler, SIGKILL);
    remove_folder(folder);
    _exit(EXIT_SUCCESS);
}

/* Without one the compiler runs all the same; as it does if we are killed in the instant before this. */
static pid_t start_guard(pid_t compiler, const char *folder)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        guard(parent, compiler, folder);
    return pid;
}

static void end_guard(pid_t pid)
{
    if (pid < 0)
        return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int watch_compiler(pid_t compiler, const char *folder, int *ret_status)
{
    pid_t guard_pid = start_guard(compiler, folder);
    int r = await(compiler, ret_status);

    end_guard(guard_pid);
    return r;
}

static int run_compiler(struct command_line *line, const char *source, const char *folder)
{
    int status, r;
    pid_t pid;

    r = spawn(line, &pid);
    if (r == -ENOENT)
        log_error("%s: there is no compiler \"%s\": install one (Debian: apt install gcc), or name one in CC, or serve "
                  "a module compiled elsewhere",
                  source, line->words[0]);
    else if (r < 0)
        log_error("%s: cannot run the compiler \"%s\": %s", source, line->words[0], strerror(-r));
    if (r == 0)
        r = watch_compiler(pid, folder, &status);
    if (r == -ETIMEDOUT)
        log_error("%s: \"%s\" was not done within %u s: it is ended", source, line->words[0], compile_limit_ms / 1000);
    if (r == 0 && status != 0) {
        log_error("%s: \"%s\" refused it", source, line->words[0]);
        r = -ENOEXEC;
    }
    return r;
}

/* ---- its result ---- */

static int copy_out(const char *path)
{
    char buffer[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
    ssize_t size = 1;

    if (fd < 0)
        return -errno;
    while (r == 0 && size > 0) {
        size = read(fd, buffer, sizeof(buffer));
        r = size < 0 ? -errno : output_write(CONTRACT_OUTPUT_FD, buffer, (size_t)size);
    }
    close(fd);
    return r;
}

static int compile_in(const char *folder, char *source)
{
    struct command_line line;
    char output[PATH_MAX];
    int r;

    if ((size_t)snprintf(output, sizeof(output), "%s/module.so", folder) >= sizeof(output))
        return -ENAMETOOLONG;
    if (setenv("TMPDIR", folder, 1) < 0)
        return -errno;
    r = command_line_init(&line, source, output);
    if (r < 0) {
        log_error("%s: cannot make a command line of CC, CFLAGS and LDLIBS: %s", source, strerror(-r));
    } else {
        r = run_compiler(&line, source, folder);
        if (r == 0) {
            r = copy_out(output);
            if (r < 0)
                log_error("%s: cannot take over what was compiled: %s", source, strerror(-r));
        }
    }
    command_line_done(&line);
    return r;
}

static int compile_source(char *source)
{
    char folder[PATH_MAX];
    int r;

    if ((size_t)snprintf(folder, sizeof(folder), "%s/berth-XXXXXX", variable("TMPDIR", "/tmp")) >= sizeof(folder)) {
        log_error("TMPDIR is too long");
        return -ENAMETOOLONG;
    }
    if (!mkdtemp(folder)) {
        r = -errno;
        log_error("%s: cannot make a folder to compile in: %s; set TMPDIR", folder, strerror(-r));
        return r;
    }
    r = compile_in(folder, source);
    remove_folder(folder);
    return r;
}

int compile_main(int argc, char **argv)
{
    sigset_t watched = watched_signals();

    prctl(PR_SET_NAME, "berth compile");
    log_init(BERTH_LOG_INFO, "berth compile");
    if (argc != 2 || fcntl(CONTRACT_OUTPUT_FD, F_SETFD, FD_CLOEXEC) < 0) {
        log_error("this is for berth serve to run: compile SOURCE, with descriptor %d open for the result",
                  CONTRACT_OUTPUT_FD);
        return EXIT_APPLICATION;
    }
    /* Blocked, and looked at in await: every path removes the folder. */
    sigprocmask(SIG_BLOCK, &watched, NULL);
    return compile_source(argv[1]) == 0 ? EXIT_SUCCESS : EXIT_APPLICATION;
}
