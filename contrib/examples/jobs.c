/*
 * A long job that tells how far it is, a line of JSON at a time, and that its client can abandon: the checksum of a
 * file, as cksum(1) counts it.
 *
 *     curl --no-buffer --unix-socket PATH -X POST 'http://localhost/jobs?from=NAME'
 *
 * NAME is a file in the folder where berth was started, or in the one that its section of berth.conf names:
 * `folder = /srv/files`.
 */
#include <berth.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So much at a time: about ten milliseconds of work, and then a line. */
#define PIECE (4 * 1024 * 1024)
#define BLOCK 65536

/* The polynomial of POSIX' cksum. */
#define POLYNOMIAL 0x04c11db7u

struct jobs {
    int folder;
    uint32_t table[256];
};

/* Belongs to its stream, or, once that is gone, to the piece of work that still runs. */
struct job {
    struct jobs *jobs;
    struct berth_stream *stream;
    bool working; /* a piece is on the thread pool */
    int fd, r;
    uint64_t done, total; /* the work's, while it runs */
    uint64_t told, size;  /* what the client knows; and of the file at first */
    uint32_t sum;
    char name[NAME_MAX + 1];
};

static void job_free(struct job *job)
{
    close(job->fd);
    free(job);
}

static uint32_t add_byte(const struct jobs *jobs, uint32_t sum, unsigned int byte)
{
    return sum << 8 ^ jobs->table[(sum >> 24 ^ byte) & 255];
}

/* The file's length, in as few bytes as it takes, belongs to the sum. */
static uint32_t finish_sum(const struct jobs *jobs, uint32_t sum, uint64_t size)
{
    for (; size > 0; size >>= 8)
        sum = add_byte(jobs, sum, size & 255);
    return ~sum;
}

/* Runs on another thread: it may touch its job, and nothing of berth.h. */
static void work_on_piece(void *data)
{
    struct job *job = data;
    uint64_t end = job->done + PIECE;
    unsigned char block[BLOCK];
    ssize_t n = 0;

    while (job->done < end && (n = pread(job->fd, block, sizeof(block), (off_t)job->done)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            job->sum = add_byte(job->jobs, job->sum, block[i]);
        job->done += (uint64_t)n;
    }
    if (n < 0)
        job->r = -errno;
    else if (n == 0) /* it may have become shorter, or longer, meanwhile */
        job->total = job->done;
}

/* Takes the line. -EAGAIN when the client does not read: then `on_room` goes on. */
static int tell(struct job *job, json_t *line)
{
    int r = line ? berth_stream_json(job->stream, line) : -ENOMEM;

    json_decref(line);
    return r;
}

static void on_piece(struct berth_stream *stream, void *data);

static void go_on(struct job *job)
{
    bool ended = job->r < 0 || job->done == job->total;
    int r;

    job->told = job->done;
    if (job->r < 0)
        r = tell(job, json_pack("{s:s, s:s}", "status", "failed", "error", strerror(-job->r)));
    else if (ended)
        r = tell(job,
                 json_pack("{s:s, s:s, s:I, s:I}", "status", "done", "from", job->name, "size", (json_int_t)job->total,
                           "cksum", (json_int_t)finish_sum(job->jobs, job->sum, job->total)));
    else
        r = tell(job, json_pack("{s:s, s:I, s:I}", "status", "working", "current", (json_int_t)job->done, "total",
                                (json_int_t)job->total));
    if (r == -EAGAIN)
        return;
    if (r == 0 && ended)
        berth_stream_end(job->stream);
    else if (r == 0)
        r = berth_stream_offload(job->stream, work_on_piece, on_piece, job);
    if (r < 0)
        berth_stream_cut(job->stream);
    else
        job->working = !ended;
}

/* Runs on the loop again. The client may have gone meanwhile: then the work ends here. */
static void on_piece(struct berth_stream *stream, void *data)
{
    struct job *job = data;

    job->working = false;
    if (stream)
        go_on(job);
    else
        job_free(job);
}

static void on_room(struct berth_stream *stream, void *data)
{
    go_on(data);
}

static void on_gone(struct berth_stream *stream, int r, void *data)
{
    struct job *job = data;

    if (r < 0)
        berth_log(BERTH_LOG_INFO, "%s: the job was abandoned after %" PRIu64 " of %" PRIu64 " bytes", job->name,
                  job->told, job->size);
    if (!job->working)
        job_free(job);
}

/* A regular file of the folder, or a negative errno. */
static int open_file(const struct jobs *jobs, const char *name, struct stat *ret_file)
{
    int fd = openat(jobs->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return errno == ELOOP ? -EACCES : -errno;
    if (fstat(fd, ret_file) == 0 && S_ISREG(ret_file->st_mode))
        return fd;
    close(fd);
    return -EACCES;
}

/* Takes the descriptor. */
static struct job *job_new(struct jobs *jobs, const char *name, int fd, uint64_t size)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job) {
        close(fd);
        return NULL;
    }
    job->jobs = jobs;
    job->fd = fd;
    job->total = job->size = size;
    snprintf(job->name, sizeof(job->name), "%s", name);
    return job;
}

/* POST /jobs?from=NAME */
static int start_job(struct berth_request *request, struct berth_reply *reply)
{
    static const struct berth_stream_events events = { .room = on_room, .gone = on_gone };
    struct jobs *jobs = berth_request_state(request);
    const char *name = berth_request_query(request, "from", 0);
    struct stat file;
    struct job *job;
    int fd, r;

    if (!name || strchr(name, '/') || strlen(name) > NAME_MAX)
        return berth_reply_error(reply, 400, "say which file: ?from=NAME, without a slash");
    fd = open_file(jobs, name, &file);
    if (fd < 0)
        return fd;
    job = job_new(jobs, name, fd, (uint64_t)file.st_size);
    if (!job)
        return -ENOMEM;
    r = berth_reply_stream(reply, "application/x-ndjson", &job->stream);
    if (r < 0) {
        job_free(job);
        return r;
    }
    berth_stream_watch(job->stream, &events, job);
    go_on(job);
    return 0;
}

static int start(const struct berth_settings *settings, void **ret_state)
{
    const char *folder = berth_setting(settings, "folder", ".");
    struct jobs *jobs = calloc(1, sizeof(*jobs));
    int r;

    if (!jobs)
        return -ENOMEM;
    jobs->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (jobs->folder < 0) {
        r = -errno;
        berth_log(BERTH_LOG_ERROR, "jobs: folder: %s: %s", folder, strerror(-r));
        free(jobs);
        return r;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte << 24;

        for (int bit = 0; bit < 8; bit++)
            sum = sum << 1 ^ (sum & 0x80000000u ? POLYNOMIAL : 0);
        jobs->table[byte] = sum;
    }
    *ret_state = jobs;
    return 0;
}

static void stop(void *state)
{
    struct jobs *jobs = state;

    close(jobs->folder);
    free(jobs);
}

static const struct berth_route routes[] = {
    { "POST", "/jobs", start_job },
    { 0 },
};

BERTH_APP("jobs", .routes = routes, .start = start, .stop = stop);
