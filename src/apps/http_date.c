#include "apps/http_date.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400

/* A date while it is read. strptime(3) would read it by the locale, and take blanks where there are none. */
struct date {
    const char *at;
    int year, month, day, hour, minute, second;
};

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "SunMonTueWedThuFriSat";
static const char *const long_days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };

/* ---- The calendar: days since 1970-01-01 ---------------------------------------------------------------------- */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int64_t year, int month)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return lengths[month] + (month == 1 && is_leap(year));
}

/* The days before a year of the common era. */
static int64_t days_before(int64_t year)
{
    int64_t past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static int64_t date_days(const struct date *date)
{
    int64_t count = days_before(date->year) + date->day - 1;

    for (int month = 0; month < date->month; month++)
        count += month_days(date->year, month);
    return count;
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static int64_t year_of(int64_t day)
{
    int64_t year = floor_divide(day, 366) + 1970; /* never too late after 1970, nor too early before */

    while (days_before(year + 1) <= day)
        year++;
    while (days_before(year) > day)
        year--;
    return year;
}

/* ---- Reading -------------------------------------------------------------------------------------------------- */

static bool take(struct date *date, const char *text)
{
    size_t size = strlen(text);

    if (strncmp(date->at, text, size) != 0)
        return false;
    date->at += size;
    return true;
}

static bool take_digits(struct date *date, int count, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < count; i++, date->at++) {
        if (*date->at < '0' || *date->at > '9')
            return false;
        value = value * 10 + *date->at - '0';
    }
    *ret_value = value;
    return true;
}

/* One of the names of three letters each in `names`. */
static bool take_name(struct date *date, const char *names, int *ret_index)
{
    for (int i = 0; names[3 * i]; i++)
        if (strncmp(date->at, names + (size_t)3 * i, 3) == 0) {
            date->at += 3;
            *ret_index = i;
            return true;
        }
    return false;
}

static bool take_time(struct date *date)
{
    return take_digits(date, 2, &date->hour) && take(date, ":") && take_digits(date, 2, &date->minute) &&
           take(date, ":") && take_digits(date, 2, &date->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool take_imf(struct date *date)
{
    int name;

    return take_name(date, days, &name) && take(date, ", ") && take_digits(date, 2, &date->day) && take(date, " ") &&
           take_name(date, months, &date->month) && take(date, " ") && take_digits(date, 4, &date->year) &&
           take(date, " ") && take_time(date) && take(date, " GMT");
}

static bool take_long_day(struct date *date)
{
    for (size_t i = 0; i < sizeof(long_days) / sizeof(long_days[0]); i++)
        if (take(date, long_days[i]))
            return true;
    return false;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool take_rfc850(struct date *date, int this_year)
{
    if (!take_long_day(date) || !take(date, ", ") || !take_digits(date, 2, &date->day) || !take(date, "-") ||
        !take_name(date, months, &date->month) || !take(date, "-") || !take_digits(date, 2, &date->year) ||
        !take(date, " ") || !take_time(date) || !take(date, " GMT"))
        return false;
    date->year += this_year - this_year % 100;
    if (date->year > this_year + 50)
        date->year -= 100;
    return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool take_asctime(struct date *date)
{
    int name;

    if (!take_name(date, days, &name) || !take(date, " ") || !take_name(date, months, &date->month) || !take(date, " "))
        return false;
    if (!(take(date, " ") ? take_digits(date, 1, &date->day) : take_digits(date, 2, &date->day)))
        return false;
    return take(date, " ") && take_time(date) && take(date, " ") && take_digits(date, 4, &date->year);
}

static bool date_valid(const struct date *date)
{
    return *date->at == '\0' && date->year >= 1 && date->day >= 1 && date->day <= month_days(date->year, date->month) &&
           date->hour <= 23 && date->minute <= 59 && date->second <= 60; /* 60: a leap second */
}

int http_date_parse(const char *text, int64_t now, int64_t *ret_seconds)
{
    int this_year = (int)year_of(floor_divide(now, DAY_SECONDS));
    struct date date = { .at = text };
    bool found = take_imf(&date);

    if (!found) {
        date = (struct date){ .at = text };
        found = take_rfc850(&date, this_year);
    }
    if (!found) {
        date = (struct date){ .at = text };
        found = take_asctime(&date);
    }
    if (!found || !date_valid(&date))
        return -EINVAL;
    *ret_seconds = date_days(&date) * DAY_SECONDS + (int64_t)date.hour * 3600 + (int64_t)date.minute * 60 + date.second;
    return 0;
}

int http_date_format(int64_t seconds, char ret_text[HTTP_DATE_SIZE])
{
    int64_t day, rest, year;
    int month = 0, week_day;

    if (seconds < HTTP_DATE_MIN || seconds > HTTP_DATE_MAX)
        return -ERANGE;
    day = floor_divide(seconds, DAY_SECONDS);
    rest = seconds - day * DAY_SECONDS;
    week_day = (int)((day % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
    year = year_of(day);
    for (day -= days_before(year); day >= month_days(year, month); month++)
        day -= month_days(year, month);
    snprintf(ret_text, HTTP_DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + (size_t)3 * (size_t)week_day,
             (unsigned int)(day + 1) % 100, months + (size_t)3 * (size_t)month, (unsigned int)year % 10000,
             (unsigned int)(rest / 3600) % 100, (unsigned int)(rest / 60 % 60), (unsigned int)(rest % 60));
    return 0;
}
