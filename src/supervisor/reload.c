/*
 * The next generation: at the start, and again for each HUP. Up to its last worker's READY everything can be taken
 * back; then it takes over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/log.h"
#include "supervisor/callers.h"
#include "supervisor/default_set.h"
#include "supervisor/internal.h"

static int check_idle(const struct supervisor *supervisor, const struct settings *settings, struct error *error)
{
    if (settings->exit_idle_ms == 0 || sockets_only_handed(&supervisor->sockets, settings))
        return 0;
    return error_set(error, -EINVAL,
                     "--exit-idle-time: only for sockets that were handed over (LISTEN_FDS, --fd): "
                     "nobody would listen at ours when we are gone");
}

/* Datagrams that are handed over are events, although the settings do not say so. */
static int check_idle_events(const struct supervisor *supervisor, const struct settings *settings, struct error *error)
{
    if (settings->exit_idle_ms == 0 || settings->event_log || !sockets_have_handed_events(&supervisor->sockets))
        return 0;
    return error_set(
        error, -EINVAL,
        "--exit-idle-time: events come by the datagram socket that was handed over, and their log would be "
        "gone with berth: say --event-log FILE");
}

static bool same_texts(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

/* What only the first settings can say. */
static int settle(struct supervisor *supervisor, const struct settings *settings, struct error *error)
{
    if (supervisor->current) {
        if (!same_texts(&settings->fds, &supervisor->current->settings.fds))
            return error_set(error, -EINVAL, "--fd: what was handed over cannot change while berth runs; restart it");
        return settings->log_file ? log_try(settings->log_file, error) : 0;
    }
    log_init(settings->log_level, "berth");
    log_use_json(settings->log_format == LOG_FORMAT_JSON);
    if (settings->log_file) {
        int r = log_open(settings->log_file, error);

        if (r < 0)
            return r;
    }
    return sockets_take_numbers(&supervisor->sockets, settings, error);
}

/* All that is wrong with the settings themselves. */
static int examine(struct supervisor *supervisor, const struct settings *settings, struct identity *ret_identity,
                   struct error *error)
{
    int r = settle(supervisor, settings, error);

    if (r == 0)
        r = modules_check(settings, error);
    if (r == 0)
        r = check_idle(supervisor, settings, error);
    if (r == 0)
        r = check_idle_events(supervisor, settings, error);
    if (r == 0)
        r = identity_resolve(settings->user, settings->group, ret_identity, error);
    return r;
}

static int prepare_sockets(struct supervisor *supervisor, const struct settings *settings, struct error *error)
{
    int r = sockets_prepare(&supervisor->sockets, settings, error);

    if (r == 0 && !supervisor->current && settings->pid_file) {
        r = report_pid(supervisor, settings->pid_file, error);
        if (r < 0)
            sockets_revert(&supervisor->sockets);
    }
    return r;
}

static void adopt(struct supervisor *supervisor, struct generation *generation)
{
    generation->next = supervisor->generations;
    supervisor->generations = generation;
    supervisor->next = generation;
    generation_start(generation);
}

static int load_settings(struct supervisor *supervisor, struct settings *ret_settings, struct mistakes *mistakes)
{
    int r = settings_load(ret_settings, supervisor->argc, supervisor->argv, mistakes);

    if (r < 0 || ret_settings->app_count > 0)
        return r;
    settings_done(ret_settings);
    mistakes_done(mistakes); /* the warnings come again */
    return default_set_load(ret_settings, supervisor->argc, supervisor->argv, supervisor->program.path, mistakes);
}

/* Of what only the system knows, this alone has a place to be told with; the rest is found where it is used. */
static int judge_callers(struct settings *settings, struct mistakes *mistakes)
{
    settings_judge_all(settings, callers_judge, mistakes);
    if (mistakes->r < 0)
        settings_done(settings);
    return mistakes->r;
}

/* One mistake is told by whoever calls; of several each has its line in the log before. */
static int load(struct supervisor *supervisor, struct settings *ret_settings, struct error *error)
{
    struct mistakes mistakes = { 0 };
    int r = load_settings(supervisor, ret_settings, &mistakes);
    size_t wrong;

    if (r == 0)
        r = judge_callers(ret_settings, &mistakes);
    wrong = mistakes.left_out;
    for (size_t i = 0; i < mistakes.count; i++)
        wrong += !mistakes.items[i].warning;
    for (size_t i = 0; i < mistakes.count; i++) {
        const struct mistake *mistake = &mistakes.items[i];

        if (mistake->warning)
            log_warning("%s", mistake->text);
        else if (wrong == 1)
            error_set(error, r, "%s", mistake->text);
        else
            log_error("%s", mistake->text);
    }
    if (wrong > 1)
        error_set(error, r, "there are %zu mistakes in the settings", wrong);
    mistakes_done(&mistakes);
    return r;
}

/* What only other settings can mend is wrong configuration. A place that is taken, a file that is not there yet, and
 * memory may be otherwise the next time. */
int reload_exit_code(int r)
{
    return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
}

/* What came through a pipe came once: now it would be waited for, or nothing would come, and that would be settings
 * like any other. */
static int check_config(const struct supervisor *supervisor, struct error *error)
{
    const char *config = supervisor->current ? supervisor->current->settings.config : NULL;
    struct stat status;

    if (!config || stat(config, &status) < 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
        return 0;
    return error_set(error, -EINVAL, "--config: \"%s\" is no file that can be read again; a reload needs one", config);
}

int reload_begin(struct supervisor *supervisor, struct error *error)
{
    struct generation *generation;
    struct settings settings;
    struct identity identity = { .change = false };
    int r;

    if (check_config(supervisor, error) < 0 || load(supervisor, &settings, error) < 0)
        return EXIT_USAGE;
    r = settings_rewrite_all(&settings, callers_resolve, error);
    if (r == 0)
        r = examine(supervisor, &settings, &identity, error);
    if (r < 0) {
        settings_done(&settings);
        return reload_exit_code(r);
    }
    r = prepare_sockets(supervisor, &settings, error);
    if (r < 0) {
        settings_done(&settings);
        identity_done(&identity);
        return reload_exit_code(r);
    }
    r = generation_new(supervisor, &settings, &identity, &generation);
    if (r < 0) {
        sockets_revert(&supervisor->sockets);
        error_set(error, r, "cannot prepare the workers: %s", strerror(-r));
        return EXIT_FAILURE;
    }
    r = generation_open_access_log(generation, error);
    if (r < 0) {
        generation_free(generation);
        sockets_revert(&supervisor->sockets);
        return reload_exit_code(r);
    }
    r = modules_open(&generation->modules, &generation->settings, &supervisor->program, &generation->identity, error);
    if (r < 0) {
        generation_free(generation);
        sockets_revert(&supervisor->sockets);
        return EXIT_APPLICATION;
    }
    r = supervisor->current ? 0 : recording_begin(supervisor->recording, generation, error);
    if (r < 0) {
        generation_free(generation);
        sockets_revert(&supervisor->sockets);
        return EXIT_FAILURE;
    }
    adopt(supervisor, generation);
    return 0;
}

/* ---- the outcome ---- */

static void finish_reload(struct supervisor *supervisor)
{
    report_state(supervisor, "READY=1"); /* also after one that failed: it is over, and we serve */
    supervisor_on_activity(supervisor);
    if (supervisor->reload_again) {
        supervisor->reload_again = false;
        reload_request(supervisor);
    }
}

/* What is compiled is no longer what is asked for, and may never end. */
static void give_up_compiling(struct supervisor *supervisor)
{
    struct generation *generation = supervisor->next;

    log_info("reloading from the beginning: what was being compiled is given up");
    supervisor->next = NULL;
    sockets_revert(&supervisor->sockets);
    generation_abort(generation);
}

void reload_request(struct supervisor *supervisor)
{
    struct error error = { .text = "" };

    if (supervisor->stopping)
        return;
    if (supervisor->next && (supervisor->next->state != GENERATION_COMPILING || !supervisor->current)) {
        supervisor->reload_again = true;
        return;
    }
    if (supervisor->next)
        give_up_compiling(supervisor);
    else
        log_info("reloading");
    notify_reloading(supervisor->notify);
    if (reload_begin(supervisor, &error) != 0)
        reload_fail(supervisor, error.text);
}

void reload_commit(struct supervisor *supervisor)
{
    struct generation *before = supervisor->current;

    supervisor->current = supervisor->next;
    supervisor->next = NULL;
    sockets_commit(&supervisor->sockets);
    if (before) {
        counters_reloaded(supervisor->counters, true);
        log_init(supervisor->current->settings.log_level, "berth");
        log_use_json(supervisor->current->settings.log_format == LOG_FORMAT_JSON);
        if (supervisor->current->settings.log_file)
            supervisor_reopen_logs(supervisor);
        log_info("reloaded: the new settings are in force, workers: %u", supervisor->current->wanted);
        generation_drain(before);
    }
    finish_reload(supervisor);
}

void reload_fail(struct supervisor *supervisor, const char *reason)
{
    struct generation *failed = supervisor->next;

    log_error("the reload failed, everything stays as it was: %s", reason);
    counters_reloaded(supervisor->counters, false);
    supervisor->next = NULL;
    if (failed) {
        sockets_revert(&supervisor->sockets);
        generation_abort(failed);
    }
    finish_reload(supervisor);
}
