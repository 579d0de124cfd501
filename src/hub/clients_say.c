/* hub/clients_say.c: what a connected program is, what goes wrong with it, and what to change. Guesses: a User-Agent
   may say anything, and some products send none of their own. */
#include "hub/clients.h"

#include <stdarg.h>
#include <stdio.h>

enum { SAY_ENOUGH = 3, SAY_LIMIT_SMALL = 10, SAY_STUCK = 3 };
#define SECOND_US 1000000ll

/* ---- what it is ---- */

static const struct {
    const char *word, *what; /* of the User-Agent, in any case */
} agents[] = {
    {"tocsin/", "Tocsin (a sensor, a partner hub or the command line)"},
    {"taxii2-client", "a program on the OASIS client (taxii2-client): XSOAR, the Splunk CTIS app, OpenCTI's connector"},
    {"opencti", "OpenCTI"},
    {"elastic", "Elastic Agent"},
    {"filebeat", "Elastic Agent"},
    {"misp", "MISP"},
    {"splunk", "Splunk"},
    {"sentinel", "Microsoft Sentinel"},
    {"qradar", "IBM QRadar"},
    {"xsoar", "Cortex XSOAR"},
    {"demisto", "Cortex XSOAR"},
    {"eclecticiq", "EclecticIQ"},
    {"axios", "a Node.js program (OpenCTI's built-in feed sends this)"},
    {"curl/", "curl: a person, or a script"},
    {"mozilla", "a browser"},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool says(const char *text, const char *word)
{
    for (; *text != '\0'; text++) {
        size_t n = 0;
        while (word[n] != '\0' && lower(text[n]) == word[n])
            n++;
        if (word[n] == '\0')
            return true;
    }
    return false;
}

/* By what it does first: several products go under the name of their HTTP library. */
static const char *guess(const struct client *c, const char **why_out)
{
    *why_out = "its behaviour";
    if (c->viewer == UINT32_MAX)
        return "somebody who could not be signed in";
    if (c->type_relationship)
        return "Cortex XSOAR (its type filter ends with relationship)";
    if (c->lower_basic)
        return "MISP (it writes the scheme basic in lower case)";
    *why_out = "User-Agent";
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++)
        if (says(c->agent, agents[i].word))
            return agents[i].what;
    *why_out = "its behaviour";
    if (c->next_alone > c->next_and_after)
        return "like Elastic Agent (it follows next without added_after)";
    if (c->starts_at_discovery && c->pages != 0)
        return "a TAXII client that begins at discovery (XSOAR, EclecticIQ)";
    return c->pages != 0 ? "a TAXII client that is set to an API root and a collection (as Sentinel is)" : "unknown";
}

/* ---- findings ---- */

static void put_finding(struct buf *out, const char *code, struct slice what, const char *change)
{
    json_put_open(out, '{');
    json_put_text(out, "code", slice_of(code));
    json_put_text(out, "what", what);
    json_put_text(out, "change", slice_of(change));
    json_put_close(out, '}');
}

__attribute__((format(printf, 4, 5))) static void find(struct buf *out, const char *code, const char *change,
                                                       const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_finding(out, code, slice_of(text), change);
}

static const struct {
    int status;
    const char *what, *change;
} failures[] = {
    {400, "a parameter that cannot be read",
     "see its last requests; added_after must be a time such as "
     "2026-11-22T00:00:00.000000Z, limit a number from 1"},
    {403, "it may not do that",
     "a member reads where it is listed, and submits if it was added without --no-write; "
     "an allow-list of addresses may be set for its credential"},
    {404, "a path that is not there",
     "the address is URL/taxii2/ for discovery, URL/tocsin/ for the API root, then "
     "collections/ID/objects/: tocsin doctor --product prints it"},
    {405, "a method that is not served", "TAXII reads with GET and submits with POST"},
    {406, "its Accept cannot be served", "it should send application/taxii+json;version=2.1"},
    {413, "a body over the limit", "smaller envelopes: max_content_length of the API root says how large"},
    {415, "its Content-Type is not taken", "it should send application/taxii+json;version=2.1"},
    {422, "what it submits is not valid", "tocsin check FILE shows what is wrong with each object"},
    {429, "it asks too often, or the password was wrong too often", "wait a minute; then poll less often"},
    {503, "the hub was too busy", "it should wait for Retry-After and try again"},
};

static void say_streak(const struct client *c, struct buf *out)
{
    char since[TIME_TEXT];

    if (c->streak_n == 0)
        return;
    time_put(since, c->streak_since_us);
    if (c->streak_status == 401) {
        find(out, "sign_in",
             c->streak_is_bare ? "set user name and password in the client: it sends none"
                               : "give it the user name and password of its client file, or make a new credential",
             "401 since %.10s %.5s UTC, %llu times: %s", since, since + 11, (unsigned long long)c->streak_n,
             c->streak_is_bare ? "no credentials are sent" : "the user name or the password is wrong");
        return;
    }
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        if (failures[i].status == c->streak_status) {
            find(out, "refused", failures[i].change, "%d since %.10s %.5s UTC, %llu times: %s%s%s%s%s",
                 c->streak_status, since, since + 11, (unsigned long long)c->streak_n, failures[i].what,
                 c->bad_media[0] != '\0' ? ": " : "", c->bad_media, c->streak_text[0] != '\0' ? ": " : "",
                 c->streak_text);
            return;
        }
    find(out, "refused", "see its last requests", "%d since %.10s %.5s UTC, %llu times: %s", c->streak_status, since,
         since + 11, (unsigned long long)c->streak_n, c->streak_text);
}

static void say_cursor(const struct client *c, int64_t now_us, struct buf *out)
{
    uint64_t dated = c->polls - c->polls_from_start;

    if (c->polls >= SAY_ENOUGH && c->polls_from_start * 2 > c->polls)
        find(out, "no_added_after", "switch on its incremental fetch, so that it sends added_after",
             "%llu of %llu polls were without added_after: it reads everything every time",
             (unsigned long long)c->polls_from_start, (unsigned long long)c->polls);
    if (dated >= SAY_ENOUGH && c->fractions[CLIENT_MILLIS] * 2 > dated)
        find(out, "milliseconds", "it should send X-TAXII-Date-Added-Last back as it came, with six digits",
             "asks added_after with milliseconds: the last objects come again on every poll");
    if (dated >= SAY_ENOUGH && c->fractions[CLIENT_SECONDS] * 2 > dated)
        find(out, "seconds", "it should send X-TAXII-Date-Added-Last back as it came, with six digits",
             "asks added_after in whole seconds: what was published in that second comes again on every poll");
    if (c->polls_stuck >= SAY_STUCK)
        find(out, "stuck", "it does not keep X-TAXII-Date-Added-Last: look at its log for objects that it cannot read",
             "the last %llu polls asked for the same added_after and were given objects: its cursor does not move",
             (unsigned long long)c->polls_stuck + 1);
    if (c->last_after_us != INT64_MIN && c->last_after_us > now_us + 60 * SECOND_US)
        find(out, "future", "check its clock and time zone",
             "asks for what was added after a time that lies in the future: it gets nothing until then");
}

static void say_habits(const struct client *c, int64_t now_us, struct buf *out)
{
    if (c->limits >= SAY_ENOUGH && c->largest_limit <= SAY_LIMIT_SMALL)
        find(out, "small_pages", "raise its page size to 500 or more",
             "never asks for more than %llu objects a page: catching up takes a request for each",
             (unsigned long long)c->largest_limit);
    if (c->pages >= SAY_ENOUGH && c->empty_pages == c->pages && c->last_after_us <= now_us)
        find(out, "nothing",
             "see that the member is listed in the collection, or the collection open, and that its first poll reaches "
             "back far enough",
             "all %llu pages that it read were empty", (unsigned long long)c->pages);
    if (c->ok >= 5 && c->pages == 0 && c->streams == 0 && c->posts == 0 && c->manifests == 0)
        find(out, "no_objects", "choose a collection in its form; some choose by title, some by id",
             "found the hub, but never asks for objects");
    if (c->polls >= SAY_ENOUGH && c->interval_us > 3600 * SECOND_US)
        find(out, "seldom", "poll each minute, or follow the stream: what it protects from is spread in minutes",
             "polls every %lld minutes", (long long)(c->interval_us / (60 * SECOND_US)));
    if (c->polls > 20 && c->interval_us < 5 * SECOND_US)
        find(out, "often", "poll each minute, or follow the stream", "polls every %lld s",
             (long long)(c->interval_us / SECOND_US));
    if (c->polls >= SAY_ENOUGH && c->interval_us != 0 && now_us - c->poll_us > 3 * c->interval_us + 120 * SECOND_US)
        find(out, "silent", "see whether it runs, and its log", "has not polled for %lld minutes; before, every %lld s",
             (long long)((now_us - c->poll_us) / (60 * SECOND_US)), (long long)(c->interval_us / SECOND_US));
}

/* ---- as JSON ---- */

static void put_time(struct buf *out, const char *key, int64_t us)
{
    char text[TIME_TEXT];

    time_put(text, us);
    buf_printf(out, ",\"%s\":\"%.16sZ\"", key, text); /* to the minute */
}

static void put_ring(const struct client *c, struct buf *out)
{
    uint64_t from = c->ring_n > HUB_CLIENTS_RING ? c->ring_n - HUB_CLIENTS_RING : 0;

    json_put_key(out, SLICE("requests"));
    json_put_open(out, '[');
    for (uint64_t i = from; i < c->ring_n; i++) {
        const struct client_request *r = &c->ring[i % HUB_CLIENTS_RING];
        json_put_open(out, '{');
        json_put_text(out, "request", slice_of(r->line));
        json_put_number(out, "status", r->status);
        if (r->code != ERR_NONE)
            json_put_text(out, "error", slice_of(err_name(r->code)));
        put_time(out, "at", r->at_us);
        json_put_number(out, "bytes", (int64_t)r->sent);
        json_put_number(out, "took_ms", r->took_us / 1000);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

void client_put(const struct client *c, int64_t now_us, bool whole, struct buf *out)
{
    const char *why;
    const char *what = guess(c, &why);

    json_put_open(out, '{');
    json_put_text(out, "member", slice_of(c->name));
    json_put_text(out, "is", slice_of(what));
    json_put_text(out, "guessed_from", slice_of(why));
    json_put_text(out, "user_agent", slice_of(c->agent));
    json_put_text(out, "accept", slice_of(c->accept));
    json_put_text(out, "address", slice_of(c->peer));
    put_time(out, "first", c->first_us);
    put_time(out, "last", c->last_us);
    json_put_number(out, "answered", (int64_t)c->ok);
    json_put_number(out, "refused", (int64_t)c->refused);
    json_put_number(out, "polls", (int64_t)c->polls);
    json_put_number(out, "every_s", c->interval_us / SECOND_US);
    json_put_number(out, "submissions", (int64_t)c->posts);
    json_put_key(out, SLICE("findings"));
    json_put_open(out, '[');
    say_streak(c, out);
    say_cursor(c, now_us, out);
    say_habits(c, now_us, out);
    json_put_close(out, ']');
    if (whole)
        put_ring(c, out);
    json_put_close(out, '}');
}
