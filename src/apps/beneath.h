/*
 * Opening what is below a folder, with no way out of it.
 */
#ifndef BERTH_APPS_BENEATH_H
#define BERTH_APPS_BENEATH_H

/*
 * Opens `path` ("" is the folder itself) below the open `folder`, with flags of open(2); O_CLOEXEC is added. The kernel
 * walks it (openat2(2), RESOLVE_BENEATH): symbolic links are followed as long as they stay below the folder. Returns a
 * descriptor or a negative errno; -EXDEV for a way out.
 */
int beneath_open(int folder, const char *path, int flags);

/* What it does on kernels before 5.6, and where a sandbox forbids openat2: one segment after the other, and no symbolic
 * link is followed at all (-ELOOP). */
int beneath_open_by_steps(int folder, const char *path, int flags);

#endif
