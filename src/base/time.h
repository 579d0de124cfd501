/* base/time.h: UTC instants as microseconds since 1970 (int64), their text forms, and the clocks. Any thread. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/slice.h"

enum { TIME_TEXT = 27 }; /* "2026-11-22T12:00:00.000000Z" */

int64_t time_now_us(void);    /* wall clock */
int64_t time_steady_us(void); /* for durations and deadlines */

/* RFC 3339 as TAXII and STIX peers send it: 0 to 9 digits of fraction, Z or an offset, '+' that arrived as a blank.
   Digits behind microseconds are cut. A leap second (23:59:60 in UTC) is folded into the second behind it. false when
   it is not a time of the years 1 to 9999, or a leap second out of place. */
bool time_parse(struct slice text, int64_t *us_out);
/* STIX 2.1 section 3.2: like the above, but "Z" only, upper case T and Z. */
bool time_parse_stix(struct slice text, int64_t *us_out);
/* Writes exactly TIME_TEXT bytes and no NUL: six digits of fraction, as TAXII 2.1 asks of a server. What lies outside
   the years 1 to 9999 is written as their first or last microsecond. */
void time_put(char out[TIME_TEXT], int64_t us);
bool time_parse_duration(struct slice text, int64_t *us_out); /* "30d", "12h", "5m", "10s", "250ms" */

#endif
