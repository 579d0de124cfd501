#include "base/time.h"

#include <time.h>

enum { US = 1000000 };

static const int64_t DAY_S = 86400;

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * US + now.tv_nsec / 1000;
}

int64_t time_now_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t time_steady_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. The year is taken to begin in March, so that the leap day
   is its last, and 400 years are always 146,097 days. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int *year_out, int *month_out, int *day_out)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;

    *day_out = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month_out = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year_out = (int)(year_of_era + era * 400 + (*month_out <= 2));
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool digits(const char *p, size_t n, int *value_out)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        value = value * 10 + (p[i] - '0');
    }
    *value_out = value;
    return true;
}

/* "YYYY-MM-DDTHH:MM:SS" in the first 19 bytes; a 60th second is let through for the caller to place. */
static bool parse_to_second(const char *p, bool strict, int64_t *seconds_out, bool *leap_out)
{
    int year, month, day, hour, minute, second;

    if (!digits(p, 4, &year) || p[4] != '-' || !digits(p + 5, 2, &month) || p[7] != '-' || !digits(p + 8, 2, &day))
        return false;
    if (p[10] != 'T' && (strict || p[10] != 't'))
        return false;
    if (!digits(p + 11, 2, &hour) || p[13] != ':' || !digits(p + 14, 2, &minute) || p[16] != ':' ||
        !digits(p + 17, 2, &second))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *leap_out = second == 60;
    *seconds_out = days_from_date(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
    return true;
}

/* ".s" to ".sssssssss", or nothing. Digits behind microseconds are checked and cut. */
static bool parse_fraction(struct slice *rest, int64_t *us_out)
{
    size_t at = 1;
    int64_t us = 0, weight = US / 10;

    *us_out = 0;
    if (rest->len == 0 || rest->ptr[0] != '.')
        return true;
    for (; at < rest->len && rest->ptr[at] >= '0' && rest->ptr[at] <= '9'; at++, weight /= 10)
        us += (rest->ptr[at] - '0') * weight;
    if (at == 1 || at > 10)
        return false;
    *rest = slice_from(*rest, at);
    *us_out = us;
    return true;
}

/* "Z", "+hh:mm", "-hh:mm", or " hh:mm" from a URL whose '+' was decoded. */
static bool parse_zone(struct slice rest, bool strict, int64_t *offset_s_out)
{
    int hour, minute;

    *offset_s_out = 0;
    if (rest.len == 1)
        return rest.ptr[0] == 'Z' || (!strict && rest.ptr[0] == 'z');
    if (strict || rest.len != 6 || rest.ptr[3] != ':' || !digits(rest.ptr + 1, 2, &hour) ||
        !digits(rest.ptr + 4, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *offset_s_out = hour * 3600 + minute * 60;
    if (rest.ptr[0] == '-')
        *offset_s_out = -*offset_s_out;
    return rest.ptr[0] == '-' || rest.ptr[0] == '+' || rest.ptr[0] == ' ';
}

static bool parse(struct slice text, bool strict, int64_t *us_out)
{
    int64_t seconds, us, offset_s;
    bool leap;

    if (text.len < 20 || !parse_to_second(text.ptr, strict, &seconds, &leap))
        return false;
    struct slice rest = slice_from(text, 19);
    if (!parse_fraction(&rest, &us) || !parse_zone(rest, strict, &offset_s))
        return false;
    seconds -= offset_s;
    /* A leap second is 23:59:60 in UTC whatever the offset. As POSIX does, it is folded into the second behind it. */
    if (leap && seconds % DAY_S != 0)
        return false;
    if (seconds < days_from_date(1, 1, 1) * DAY_S || seconds >= days_from_date(10000, 1, 1) * DAY_S)
        return false;
    *us_out = seconds * US + us;
    return true;
}

bool time_parse(struct slice text, int64_t *us_out)
{
    return parse(text, false, us_out);
}

bool time_parse_stix(struct slice text, int64_t *us_out)
{
    return parse(text, true, us_out);
}

static void put_digits(char *out, size_t n, int64_t value)
{
    while (n-- > 0) {
        out[n] = (char)('0' + value % 10);
        value /= 10;
    }
}

void time_put(char out[TIME_TEXT], int64_t us)
{
    const int64_t first = days_from_date(1, 1, 1) * DAY_S * US, behind = days_from_date(10000, 1, 1) * DAY_S * US;
    int year, month, day;

    us = us < first ? first : us >= behind ? behind - 1 : us;
    int64_t days = us / (DAY_S * US), rest = us % (DAY_S * US);
    if (rest < 0) {
        days--;
        rest += DAY_S * US;
    }
    date_from_days(days, &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00.000000Z", TIME_TEXT);
    put_digits(out, 4, year);
    put_digits(out + 5, 2, month);
    put_digits(out + 8, 2, day);
    put_digits(out + 11, 2, rest / ((int64_t)3600 * US));
    put_digits(out + 14, 2, rest / ((int64_t)60 * US) % 60);
    put_digits(out + 17, 2, rest / US % 60);
    put_digits(out + 20, 6, rest % US);
}

bool time_parse_duration(struct slice text, int64_t *us_out)
{
    static const struct {
        struct slice name;
        int64_t us;
    } units[] = {
        {SLICE_INIT("ms"), US / 1000},          {SLICE_INIT("s"), US},
        {SLICE_INIT("m"), (int64_t)60 * US},    {SLICE_INIT("h"), (int64_t)3600 * US},
        {SLICE_INIT("d"), (int64_t)86400 * US},
    };
    size_t n = 0;
    uint64_t count;

    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    if (!slice_u64(slice_to(text, n), &count))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (slice_eq(slice_from(text, n), units[i].name) && count <= (uint64_t)(INT64_MAX / units[i].us)) {
            *us_out = (int64_t)count * units[i].us;
            return true;
        }
    return false;
}
