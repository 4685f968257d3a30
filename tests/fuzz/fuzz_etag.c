/* Entity tags: each is found in a list that has it, and a list that does not begin with one holds none. */
#include "apps/entity_tag.h"

#include "property.h"

static bool finds(const char *before, const char *list, const char *tag, bool strong)
{
    char *whole;
    bool found;

    if (asprintf(&whole, "%s%s", before, list) < 0)
        abort();
    found = entity_tag_in_list(whole, tag, strong);
    free(whole);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_new(data, size);
    size_t length = strlen(text), tag_size = entity_tag_size(text);
    bool strong = entity_tag_in_list(text, "\"x\"", true), weak = entity_tag_in_list(text, "\"x\"", false);

    PROPERTY(tag_size == 0 || (tag_size >= 2 && tag_size <= length && text[tag_size - 1] == '"'));
    PROPERTY(weak || !strong);
    PROPERTY(!weak || strstr(text, "\"x\""));
    /* Others before it change nothing; something that is none does. */
    PROPERTY(finds(" , \"y\", ", text, "\"x\"", true) == strong);
    PROPERTY(finds("W/\"y\" ,", text, "\"x\"", false) == weak);
    PROPERTY(!finds("y, ", text, "\"x\"", false));
    if (tag_size > 0) {
        char *tag = strndup(text, tag_size);

        PROPERTY(tag && entity_tag_in_list(tag, tag, false));
        PROPERTY(entity_tag_in_list(tag, tag, true) == (tag[0] != 'W'));
        PROPERTY(finds("\"y\",", tag, tag, false));
        free(tag);
    }
    free(text);
    return 0;
}
