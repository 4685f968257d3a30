#include "sockets/listing_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sockets/grid.h"

static void put_headings(struct grid *grid, bool peers)
{
    static const char *const headings[] = { "COMMAND", "PID",   "USER", "FD",   "TYPE", "STATE",
                                            "BACKLOG", "OWNER", "MODE", "PEER", "FILE", "PATH" };

    grid->columns = sizeof(headings) / sizeof(headings[0]) - (peers ? 0 : 1);
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
        if (peers || strcmp(headings[i], "PEER") != 0)
            grid_add(grid, headings[i]);
}

static void put_holder(struct grid *grid, const struct listing *listing, const struct holder *holder,
                       struct people *people)
{
    const struct holding_process *process = holder ? &listing->holders.processes[holder->process] : NULL;
    char pid[16] = "", fd[16] = "";

    if (process) {
        snprintf(pid, sizeof(pid), "%d", (int)process->pid);
        snprintf(fd, sizeof(fd), "%d", holder->fd);
    }
    grid_add(grid, process ? process->command : NULL);
    grid_add(grid, pid);
    grid_add(grid, process ? people_user(people, process->uid) : NULL);
    grid_add(grid, fd);
}

static void put_file(struct grid *grid, const struct place *place, struct people *people)
{
    const char *user = place->has_file ? people_user(people, place->file.st_uid) : NULL;
    const char *group = place->has_file ? people_group(people, place->file.st_gid) : NULL;
    char *owner = NULL, mode[16] = "";

    if (user && group && asprintf(&owner, "%s:%s", user, group) < 0)
        owner = NULL;
    if (place->has_file)
        snprintf(mode, sizeof(mode), "%04o", (unsigned int)(place->file.st_mode & 07777));
    grid_add(grid, owner);
    grid_add(grid, mode);
    free(owner);
}

/* "nginx[12],nginx[13]", or the other end's inode where nobody is seen to hold it. */
static void put_peer(struct grid *grid, const struct listing *listing, uint32_t peer)
{
    size_t count, size;
    const struct holder *items = holders_of(&listing->holders, peer, &count);
    char *text = NULL;
    FILE *stream = peer ? open_memstream(&text, &size) : NULL;

    if (stream) {
        for (size_t i = 0; i < count; i++) {
            const struct holding_process *process = &listing->holders.processes[items[i].process];

            fprintf(stream, "%s%s[%d]", i > 0 ? "," : "", process->command, (int)process->pid);
        }
        if (count == 0)
            fprintf(stream, "inode:%u", peer);
        fclose(stream);
    }
    grid_add(grid, text);
    free(text);
}

static void put_row(struct grid *grid, const struct listing *listing, const struct listed *listed,
                    const struct holder *holder, bool peers, struct people *people)
{
    const struct inspected *socket = &listed->socket;
    char backlog[32] = "";

    if (socket->has_queue)
        snprintf(backlog, sizeof(backlog), "%u/%u", socket->queued, socket->limit);
    put_holder(grid, listing, holder, people);
    grid_add(grid, listed_type(socket));
    grid_add(grid, listed_state(socket));
    grid_add(grid, backlog);
    put_file(grid, &listed->place, people);
    if (peers)
        put_peer(grid, listing, socket->peer);
    grid_add(grid, place_name(listed->place.kind));
    grid_add_words(grid, socket->raw_name_size > 0 ? socket->name : "-", listed->place.now ? listed->place.now : "");
}

int listing_table_print(const struct listing *listing, bool peers, struct people *people, FILE *stream)
{
    struct grid grid = { 0 };
    int r;

    put_headings(&grid, peers);
    for (size_t i = 0; i < listing->count; i++) {
        size_t count;
        const struct holder *items = holders_of(&listing->holders, listing->items[i].socket.inode, &count);

        for (size_t j = 0; j < count || j == 0; j++)
            put_row(&grid, listing, &listing->items[i], count > 0 ? &items[j] : NULL, peers, people);
    }
    r = grid_print(&grid, stream);
    grid_done(&grid);
    return r;
}
