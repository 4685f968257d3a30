#include "events/event.h"

#include <berth.h>
#include <string.h>

/* Whether a part of the text lies within it. Sums of 32-bit numbers, taken as 64 bits, do not overflow. */
static bool lies_within(const struct event_record *record, uint64_t offset, uint64_t size)
{
    return offset + size <= record->text_size;
}

bool event_record_valid(const void *bytes, size_t room)
{
    struct event_record record;

    if (room < sizeof(record))
        return false;
    memcpy(&record, bytes, sizeof(record));
    return record.size <= room && record.size <= EVENT_RECORD_MAX &&
           record.size == event_record_size(record.text_size) && record.reserved == 0 && record.id > 0 &&
           record.id < UINT64_MAX && record.type_size >= 1 && record.type_size <= BERTH_EVENT_TYPE_MAX &&
           record.data_size >= 1 && lies_within(&record, record.type_offset, record.type_size) &&
           lies_within(&record, record.data_offset, record.data_size);
}
