#include "sockets/listing_filter.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/socket.h>

bool listing_filter_listens(const struct inspected *socket)
{
    return socket->listening || (socket->type == SOCK_DGRAM && socket->raw_name_size > 0 && !socket->connected);
}

static bool path_wanted(const struct text_list *paths, const struct inspected *socket)
{
    for (size_t i = 0; i < paths->count; i++)
        if (socket->raw_name_size > 0 && fnmatch(paths->items[i], socket->name, 0) == 0)
            return true;
    return paths->count == 0;
}

bool listing_filter_socket(const struct listing_filter *filter, const struct inspected *socket)
{
    return (filter->all || listing_filter_listens(socket)) && path_wanted(&filter->paths, socket);
}

/* The kernel cuts a command; so a longer one is wanted by what is left of it. */
static bool command_wanted(const struct text_list *commands, const char *command)
{
    for (size_t i = 0; i < commands->count; i++) {
        size_t length = strlen(commands->items[i]);

        if (strncmp(command, commands->items[i], length < COMMAND_SIZE ? length : COMMAND_SIZE - 1) == 0)
            return true;
    }
    return commands->count == 0;
}

static bool user_wanted(const struct listing_filter *filter, uid_t uid)
{
    for (size_t i = 0; i < filter->user_count; i++)
        if (filter->users[i] == uid)
            return true;
    return filter->user_count == 0;
}

bool listing_filter_holders(const struct listing_filter *filter, const struct holders *holders, uint32_t inode)
{
    size_t count;
    const struct holder *items = holders_of(holders, inode, &count);

    for (size_t i = 0; i < count; i++) {
        const struct holding_process *process = &holders->processes[items[i].process];

        if (command_wanted(&filter->commands, process->command) && user_wanted(filter, process->uid))
            return true;
    }
    return filter->commands.count == 0 && filter->user_count == 0;
}
