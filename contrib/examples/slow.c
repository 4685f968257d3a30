/*
 * Slow work without blocking anybody: counting primes on the thread pool, while the loop serves the others.
 *
 *     curl --unix-socket PATH http://localhost/primes/5000000
 */
#include <berth.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define HIGHEST 50000000

struct task {
    uint64_t limit, count;
    bool out_of_memory;
};

/* Runs on another thread: it may touch its task, and nothing of berth.h. */
static void count_primes(void *data)
{
    struct task *task = data;
    char *composite = calloc(task->limit + 1, 1);

    if (!composite) {
        task->out_of_memory = true;
        return;
    }
    for (uint64_t n = 2; n <= task->limit; n++) {
        if (composite[n])
            continue;
        task->count++;
        for (uint64_t multiple = n * n; multiple <= task->limit; multiple += n)
            composite[multiple] = 1;
    }
    free(composite);
}

/* Runs on the loop again. The client may have gone away meanwhile: then there is nobody to answer. */
static int tell(struct berth_request *request, struct berth_reply *reply, void *data)
{
    struct task *task = data;
    int r = 0;

    if (!reply)
        berth_log(BERTH_LOG_INFO, "nobody waits for the primes up to %" PRIu64 " any more", task->limit);
    else if (task->out_of_memory)
        r = -ENOMEM;
    else
        r = berth_reply_text(reply, 200, "there are %" PRIu64 " primes up to %" PRIu64 "\n", task->count, task->limit);
    free(task);
    return r;
}

/* GET /primes/{n} */
static int primes(struct berth_request *request, struct berth_reply *reply)
{
    struct task *task;
    uint64_t limit;
    int r = berth_request_param_u64(request, "n", &limit);

    if (r < 0)
        return r;
    if (limit > HIGHEST)
        return berth_reply_error(reply, 400, "n may be at most %d", HIGHEST);
    task = calloc(1, sizeof(*task));
    if (!task)
        return -ENOMEM;
    task->limit = limit;
    r = berth_offload(reply, count_primes, tell, task);
    if (r < 0)
        free(task);
    return r;
}

static const struct berth_route routes[] = {
    { "GET", "/primes/{n}", primes },
    { 0 },
};

BERTH_APP("slow", .routes = routes);
