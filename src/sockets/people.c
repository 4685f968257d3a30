#include "sockets/people.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes `name`, if it is not NULL. */
static const char *person_add(struct person **people, size_t *count, id_t id, char *name)
{
    struct person *grown = name ? reallocarray(*people, *count + 1, sizeof(**people)) : NULL;

    if (!grown) {
        free(name);
        return NULL;
    }
    *people = grown;
    grown[(*count)++] = (struct person){ .id = id, .name = name };
    return name;
}

static const char *person_find(const struct person *people, size_t count, id_t id)
{
    for (size_t i = 0; i < count; i++)
        if (people[i].id == id)
            return people[i].name;
    return NULL;
}

static char *name_new(const char *name, id_t id)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", (unsigned int)id);
    return strdup(name ? name : number);
}

const char *people_user(struct people *people, uid_t uid)
{
    const char *name = person_find(people->users, people->user_count, uid);
    const struct passwd *entry = name ? NULL : getpwuid(uid);

    return name ? name
                : person_add(&people->users, &people->user_count, uid, name_new(entry ? entry->pw_name : NULL, uid));
}

const char *people_group(struct people *people, gid_t gid)
{
    const char *name = person_find(people->groups, people->group_count, gid);
    const struct group *entry = name ? NULL : getgrgid(gid);

    return name ? name
                : person_add(&people->groups, &people->group_count, gid, name_new(entry ? entry->gr_name : NULL, gid));
}

void people_done(struct people *people)
{
    for (size_t i = 0; i < people->user_count; i++)
        free(people->users[i].name);
    for (size_t i = 0; i < people->group_count; i++)
        free(people->groups[i].name);
    free(people->users);
    free(people->groups);
    *people = (struct people){ 0 };
}
