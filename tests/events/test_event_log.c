#include <check.h>
#include <string.h>

#include "events/event.h"

Suite *suite_event_log(void);

static struct {
    struct event_record head;
    char text[64];
} record;

static void setup(void)
{
    record.head = (struct event_record){
        .size = sizeof(record.head) + 16, .text_size = 10, .type_size = 1, .data_offset = 9, .data_size = 1, .id = 1
    };
}

static bool is_valid(void)
{
    return event_record_valid(&record, sizeof(record));
}

START_TEST(test_record)
{
    ck_assert(is_valid());
    ck_assert(event_record_valid(&record, record.head.size));
    ck_assert(!event_record_valid(&record, record.head.size - 1));
    ck_assert(!event_record_valid(&record, sizeof(struct event_record) - 1));
}
END_TEST

START_TEST(test_record_broken)
{
    struct event_record *head = &record.head;

#define BROKEN(change)                                                                                                 \
    setup();                                                                                                           \
    head->change;                                                                                                      \
    ck_assert_msg(!is_valid(), "%s", #change)
    BROKEN(size = 0);
    BROKEN(size -= 8);
    BROKEN(size += 8);
    BROKEN(size = UINT32_MAX);
    BROKEN(text_size = UINT32_MAX);
    BROKEN(text_size = 17);
    BROKEN(text_size = 8);
    BROKEN(type_size = 0);
    BROKEN(type_offset = 10);
    BROKEN(type_offset = UINT16_MAX);
    BROKEN(data_size = 0);
    BROKEN(data_size = 2);
    BROKEN(data_size = UINT32_MAX);
    BROKEN(data_offset = 10);
    BROKEN(data_offset = UINT32_MAX);
    BROKEN(reserved = 1);
    BROKEN(id = 0);
}
END_TEST

Suite *suite_event_log(void)
{
    Suite *suite = suite_create("event_log");
    TCase *records = tcase_create("records");

    tcase_add_checked_fixture(records, setup, NULL);
    tcase_add_test(records, test_record);
    tcase_add_test(records, test_record_broken);
    suite_add_tcase(suite, records);
    return suite;
}
