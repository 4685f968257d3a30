/*
 * What the files of the examination share among themselves; everybody else includes examination.h.
 */
#ifndef BERTH_DOCTOR_PARTS_H
#define BERTH_DOCTOR_PARTS_H

#include <limits.h>

#include "doctor/contact.h"
#include "doctor/examination.h"
#include "doctor/report.h"
#include "doctor/walk.h"
#include "socket/address.h"
#include "socket/inspect.h"

struct examination {
    const struct question *question;
    FILE *stream;
    bool abstract;       /* the path has no file */
    char path[PATH_MAX]; /* absolute */
    struct address address;
    struct walk walk;
    bool bound; /* the kernel told of the socket that is bound to the file: the next one */
    struct inspected socket;
    struct contact contact;
};

/* The checks, one cause or a few that belong together each. 0: go on. 1: something is wrong, and told with its remedy.
 * -errno: cannot look. */
int check_tmp(struct examination *examination);     /* way.c */
int check_folders(struct examination *examination); /* way.c */
int check_file(struct examination *examination);    /* file.c */
int check_server(struct examination *examination);  /* server.c */
int check_connect(struct examination *examination); /* server.c */
int check_http(struct examination *examination);    /* http.c */

/* The remedy where others may see more than we do. Returns 1, as report_remedy. */
int remedy_root(const struct examination *examination); /* way.c */

/* ---- texts.c: ids and processes as people know them; each in a buffer of its caller's ---- */

#define TEXT_MAX 96

void text_user(uid_t uid, char *ret_text);
void text_group(gid_t gid, char *ret_text);
void text_owner(const struct stat *file, char *ret_text); /* "root:www-data, mode 0660" */
void text_process(pid_t pid, char *ret_text);             /* "nginx (pid 12)" */

#endif
