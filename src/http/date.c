#include "http/date.h"

#include <stdio.h>

/* strftime would write the days in the language of an application that calls setlocale. */
void date_format(time_t second, char ret_text[DATE_SIZE])
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = { .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };

    gmtime_r(&second, &tm);
    snprintf(ret_text, DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + (size_t)3 * (size_t)tm.tm_wday,
             (unsigned int)tm.tm_mday % 100, months + (size_t)3 * (size_t)tm.tm_mon,
             (unsigned int)(tm.tm_year + 1900) % 10000, (unsigned int)tm.tm_hour % 100, (unsigned int)tm.tm_min % 100,
             (unsigned int)tm.tm_sec % 100);
}

/* Without memory for it, it has none, and libmicrohttpd adds its own. */
void date_renew(struct MHD_Response *response, time_t second)
{
    static time_t known = -1;
    static char text[DATE_SIZE];
    const char *old = MHD_get_response_header(response, "Date");

    if (second != known)
        date_format(known = second, text);
    if (old)
        MHD_del_response_header(response, "Date", old);
    MHD_add_response_header(response, "Date", text);
}
