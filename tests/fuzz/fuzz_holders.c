/* What /proc tells of descriptors and processes. */
#include "sockets/holders.h"

#include <errno.h>

#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_new(data, size), shown[32];
    uint32_t inode = 0;
    uid_t uid;
    int r;

    if (!text)
        abort();
    r = holder_link_parse((const char *)data, size, &inode);
    PROPERTY(r == 0 || r == -EINVAL);
    if (r == 0 && size < 20 && data[8] != '0') {
        snprintf(shown, sizeof(shown), "socket:[%u]", inode);
        PROPERTY(strlen(shown) == size && memcmp(shown, data, size) == 0);
    }
    r = holder_status_parse(text, &uid);
    PROPERTY(r == -EINVAL || (r == 0 && strstr(text, "\nUid:\t")));
    free(text);
    return 0;
}
