/* Range: whatever is asked for, what is sent lies inside, does not overlap, and is not more than the whole. */
#include "apps/range.h"

#include "property.h"

static void check(const char *field, uint64_t size)
{
    struct range ranges[RANGES_MAX];
    uint64_t total = 0;
    size_t count = 0;

    if (ranges_parse(field, size, ranges, &count) != RANGE_SOME)
        return;
    PROPERTY(count > 0 && count <= RANGES_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct range *range = &ranges[i];

        PROPERTY(range->size > 0 && range->size <= size && range->first <= size - range->size);
        for (size_t j = 0; j < i; j++)
            PROPERTY(range->first + range->size < ranges[j].first || ranges[j].first + ranges[j].size < range->first);
        total += range->size;
    }
    PROPERTY(total <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t sizes[] = { 0, 1, 2, 100, 1234, 10000, UINT64_C(1) << 40, INT64_MAX, UINT64_MAX };
    char *field = text_new(data, size);
    char *prefixed = malloc(size + 7);

    if (!prefixed)
        abort();
    stpcpy(stpcpy(prefixed, "bytes="), field);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check(field, sizes[i]);
        check(prefixed, sizes[i]);
    }
    free(prefixed);
    free(field);
    return 0;
}
