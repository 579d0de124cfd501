/* sensor/brakes.c: what never reaches an enforcement point, whoever submits it (DESIGN.md invariant 9): blocking it
   would be the attack. Real feeds hold all of these: one public feed is 59 % public resolvers, the SHA-256 of the empty
   file is published as an indicator, national lists name private addresses. They still alert. */
#include "sensor/internal.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/file.h"

enum reason {
    REASON_REGISTERED = 1,
    REASON_RESOLVER,
    REASON_ROOT,
    REASON_POPULAR,
    REASON_EMPTY,
    REASON_RANGE,
    REASON_SUFFIX,
    REASONS
};

static const char *const reasons[REASONS] = {
    [REASON_REGISTERED] = "registered by the member",
    [REASON_RESOLVER] = "a public resolver",
    [REASON_ROOT] = "a root server",
    [REASON_POPULAR] = "a name that nearly everybody uses",
    [REASON_EMPTY] = "the hash of the empty file",
    [REASON_RANGE] = "not a globally routable address",
    [REASON_SUFFIX] = "a public suffix",
};

/* Well-known public resolvers, as their operators document them; and the DNS root servers (root-servers.org, 2026). */
static const struct {
    enum reason reason;
    const char *values;
} addresses[] = {
    {REASON_RESOLVER, "8.8.8.8 8.8.4.4 2001:4860:4860::8888 2001:4860:4860::8844"}, /* Google */
    {REASON_RESOLVER, "2001:4860:4860::64 2001:4860:4860::6464"},
    {REASON_RESOLVER, "1.1.1.1 1.0.0.1 2606:4700:4700::1111 2606:4700:4700::1001"}, /* Cloudflare */
    {REASON_RESOLVER, "1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3 2606:4700:4700::1112 2606:4700:4700::1002 2606:4700:4700::1113 "
                      "2606:4700:4700::1003"},
    {REASON_RESOLVER,
     "9.9.9.9 149.112.112.112 9.9.9.10 149.112.112.10 9.9.9.11 149.112.112.11 9.9.9.12 149.112.112.12"}, /* Quad9 */
    {REASON_RESOLVER, "2620:fe::fe 2620:fe::9 2620:fe::10 2620:fe::fe:10 2620:fe::11 2620:fe::fe:11"},
    {REASON_RESOLVER,
     "208.67.222.222 208.67.220.220 208.67.222.123 208.67.220.123 2620:119:35::35 2620:119:53::53"}, /* OpenDNS */
    {REASON_RESOLVER,
     "94.140.14.14 94.140.15.15 94.140.14.15 94.140.15.16 2a10:50c0::ad1:ff 2a10:50c0::ad2:ff"}, /* AdGuard */
    {REASON_RESOLVER,
     "185.228.168.9 185.228.169.9 185.228.168.168 185.228.169.168 2a0d:2a00:1::2 2a0d:2a00:2::2"}, /* CleanBrowsing */
    {REASON_RESOLVER,
     "64.6.64.6 64.6.65.6 156.154.70.1 156.154.71.1 2620:74:1b::1:1 2620:74:1c::2:2"}, /* UltraDNS, Verisign */
    {REASON_RESOLVER, "4.2.2.1 4.2.2.2 4.2.2.3 4.2.2.4 4.2.2.5 4.2.2.6 209.244.0.3 209.244.0.4"}, /* Level 3 */
    {REASON_RESOLVER,
     "84.200.69.80 84.200.70.40 2001:1608:10:25::1c04:b12f 2001:1608:10:25::9249:d69b"}, /* DNS.WATCH */
    {REASON_RESOLVER, "77.88.8.8 77.88.8.1 2a02:6b8::feed:0ff 2a02:6b8:0:1::feed:0ff"},  /* Yandex */
    {REASON_RESOLVER,
     "8.26.56.26 8.20.247.20 76.76.2.0 76.76.10.0 76.76.2.11 195.46.39.39 195.46.39.40"}, /* Comodo, Control D, SafeDNS
                                                                                           */
    {REASON_RESOLVER,
     "74.82.42.42 2001:470:20::2 193.110.81.0 185.253.5.0 2a0f:fc80:: 2a0f:fc81::"}, /* Hurricane Electric, dns0.eu */
    {REASON_RESOLVER,
     "86.54.11.1 86.54.11.201 86.54.11.100 2a13:1001::86:54:11:1 2a13:1001::86:54:11:201"}, /* DNS4EU */
    {REASON_RESOLVER,
     "114.114.114.114 114.114.115.115 223.5.5.5 223.6.6.6 119.29.29.29 180.76.76.76"}, /* 114, Alibaba, Tencent, Baidu
                                                                                        */
    {REASON_RESOLVER,
     "101.101.101.101 101.102.103.104 45.90.28.0 45.90.30.0 194.242.2.2 194.242.2.3"}, /* TWNIC, NextDNS, Mullvad */
    {REASON_ROOT,
     "198.41.0.4 2001:503:ba3e::2:30 170.247.170.2 2801:1b8:10::b 192.33.4.12 2001:500:2::c"},            /* a, b, c */
    {REASON_ROOT, "199.7.91.13 2001:500:2d::d 192.203.230.10 2001:500:a8::e 192.5.5.241 2001:500:2f::f"}, /* d, e, f */
    {REASON_ROOT,
     "192.112.36.4 2001:500:12::d0d 198.97.190.53 2001:500:1::53 192.36.148.17 2001:7fe::53"}, /* g, h, i */
    {REASON_ROOT,
     "192.58.128.30 2001:503:c27::2:30 193.0.14.129 2001:7fd::1 199.7.83.42 2001:500:9f::42"}, /* j, k, l */
    {REASON_ROOT,
     "202.12.27.33 2001:dc3::35 199.9.14.201 2001:500:200::b 128.63.2.53 192.228.79.201"}, /* m; b and h before */
};

/* Names that are held exactly, not with what lies below them: a page or a tenant there may well be bad. What a member
   depends on besides stands in its own list. */
static const char *const popular[] = {
    "google.com www.google.com youtube.com www.youtube.com gmail.com mail.google.com accounts.google.com",
    "googleapis.com gstatic.com www.gstatic.com fonts.googleapis.com ajax.googleapis.com googleusercontent.com",
    "googlevideo.com google-analytics.com www.google-analytics.com googletagmanager.com",
    "www.googletagmanager.com doubleclick.net drive.google.com docs.google.com play.google.com",
    "clients3.google.com microsoft.com www.microsoft.com login.microsoftonline.com microsoftonline.com",
    "office.com www.office.com office365.com outlook.com outlook.office365.com live.com login.live.com",
    "windows.com windowsupdate.com update.microsoft.com windows.net sharepoint.com onedrive.live.com",
    "msftconnecttest.com www.msftconnecttest.com bing.com www.bing.com msn.com skype.com azure.com",
    "visualstudio.com apple.com www.apple.com icloud.com www.icloud.com itunes.apple.com mzstatic.com",
    "cdn-apple.com captive.apple.com amazon.com www.amazon.com amazonaws.com s3.amazonaws.com cloudfront.net",
    "aws.amazon.com facebook.com www.facebook.com fbcdn.net instagram.com www.instagram.com whatsapp.com",
    "web.whatsapp.com whatsapp.net twitter.com x.com t.co linkedin.com www.linkedin.com cloudflare.com",
    "www.cloudflare.com cdnjs.cloudflare.com workers.dev pages.dev cloudflare-dns.com one.one.one.one",
    "dns.google dns.quad9.net akamai.net akamaiedge.net akamaized.net edgekey.net edgesuite.net fastly.net",
    "fastly.com jsdelivr.net cdn.jsdelivr.net unpkg.com jquery.com code.jquery.com bootstrapcdn.com github.com",
    "www.github.com api.github.com raw.githubusercontent.com githubusercontent.com gitlab.com bitbucket.org",
    "stackoverflow.com docker.com",
    "debian.org ubuntu.com kernel.org redhat.com fedoraproject.org",
    "mozilla.org www.mozilla.org firefox.com detectportal.firefox.com wikipedia.org www.wikipedia.org",
    "en.wikipedia.org wikimedia.org archive.org web.archive.org duckduckgo.com yahoo.com www.yahoo.com",
    "mail.yahoo.com dropbox.com www.dropbox.com box.com zoom.us slack.com discord.com discordapp.com",
    "cdn.discordapp.com telegram.org t.me web.telegram.org adobe.com www.adobe.com oracle.com java.com",
    "paypal.com www.paypal.com stripe.com ebay.com netflix.com spotify.com reddit.com www.reddit.com",
    "pastebin.com bit.ly tinyurl.com wordpress.com wordpress.org blogspot.com medium.com pinterest.com",
    "tiktok.com vk.com yandex.ru ya.ru mail.ru baidu.com www.baidu.com qq.com taobao.com alibaba.com aliyun.com",
    "naver.com digicert.com ocsp.digicert.com letsencrypt.org r3.o.lencr.org lencr.org sectigo.com",
    "globalsign.com verisign.com entrust.net pool.ntp.org time.windows.com time.apple.com time.google.com",
    "virustotal.com www.virustotal.com salesforce.com sap.com cisco.com vmware.com ibm.com intel.com nvidia.com",
    "dell.com hp.com lenovo.com",
};

static const char *const empty_file[] = {
    "d41d8cd98f00b204e9800998ecf8427f",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ("cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"),
};

struct range {
    uint8_t address[16]; /* IPv4 mapped into IPv6 */
    unsigned bits;
};

struct brakes {
    struct match_index *index; /* the reasons stand as indicators */
    struct match_reader *reader;
    struct range *ranges;
    size_t n_ranges;
};

static void index_add(struct brakes *b, enum reason reason, enum stix_value_kind kind, struct slice value)
{
    /* A value has as many indicators as there are reasons at most: only what an index never takes can fail, and that is
     * asked before. */
    (void)match_index_add(b->index, reason, kind, value, NULL);
}

static void add_words(struct brakes *b, enum reason reason, const char *words, enum stix_value_kind first_guess)
{
    struct slice rest = slice_of(words), word;
    struct arena a = ARENA_INIT;
    enum stix_value_kind kind;
    struct slice normal;

    while (slice_cut(&rest, ' ', &word)) {
        enum stix_value_kind guess = memchr(word.ptr, ':', word.len) != NULL ? STIX_VALUE_IPV6 : first_guess;
        if (stix_value_normal(&a, guess, word, false, &kind, &normal, NULL) == 0)
            index_add(b, reason, kind, normal);
    }
    arena_free(&a);
}

static void add_built_in(struct brakes *b)
{
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        add_words(b, addresses[i].reason, addresses[i].values, STIX_VALUE_IPV4);
    for (size_t i = 0; i < sizeof(popular) / sizeof(popular[0]); i++)
        add_words(b, REASON_POPULAR, popular[i], STIX_VALUE_DOMAIN);
    for (size_t i = 0; i < sizeof(empty_file) / sizeof(empty_file[0]); i++)
        add_words(b, REASON_EMPTY, empty_file[i], STIX_VALUE_SHA256);
}

/* ---- addresses ---- */

static bool address_of(enum stix_value_kind kind, struct slice value, uint8_t out[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char text[INET6_ADDRSTRLEN];
    uint32_t quad;

    if (kind == STIX_VALUE_IPV4) {
        if (!stix_ipv4_parse(value, &quad))
            return false;
        memcpy(out, mapped, sizeof mapped);
        for (int i = 0; i < 4; i++)
            out[12 + i] = (uint8_t)(quad >> (24 - 8 * i));
        return true;
    }
    if (value.len >= sizeof text)
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    return inet_pton(AF_INET6, text, out) == 1;
}

static bool range_has(const struct range *r, const uint8_t address[16])
{
    unsigned bytes = r->bits / 8, rest = r->bits % 8;

    if (memcmp(r->address, address, bytes) != 0)
        return false;
    return rest == 0 || (r->address[bytes] ^ address[bytes]) >> (8 - rest) == 0;
}

/* Of the IPv6 space only 2000::/3 is given out (IANA); in it: Teredo and other protocol blocks, documentation, 6to4. */
static bool is_global(enum stix_value_kind kind, struct slice value, const uint8_t address[16])
{
    static const struct range global = {{0x20}, 3};
    static const struct range special[] = {
        {{0x20, 0x01, 0x00}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x20, 0x02}, 16}, {{0x3f, 0xff}, 20}};
    uint32_t quad;

    if (kind == STIX_VALUE_IPV4)
        return stix_ipv4_parse(value, &quad) && stix_ipv4_is_global(quad);
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (range_has(&special[i], address))
            return false;
    return range_has(&global, address);
}

struct asked {
    size_t len; /* of the value as asked */
    enum reason reason;
};

static void on_hit(void *arg, const struct match_hit *hit)
{
    struct asked *asked = arg;

    /* Popular names are held exactly; registered ones with all that lies below. */
    if (hit->indicator == REASON_POPULAR && hit->value.len != asked->len)
        return;
    if (asked->reason == 0 || hit->indicator < asked->reason)
        asked->reason = (enum reason)hit->indicator;
}

static enum reason lookup(struct brakes *b, enum stix_value_kind kind, struct slice value)
{
    struct asked asked = {value.len, 0};

    match_value(b->reader, kind, value, value, SLICE(""), on_hit, &asked);
    return asked.reason;
}

static enum reason address_reason(struct brakes *b, enum stix_value_kind kind, struct slice value)
{
    uint8_t address[16];
    enum reason found = lookup(b, kind, value);

    if (found != 0)
        return found;
    if (!address_of(kind, value, address))
        return REASON_RANGE;
    for (size_t i = 0; i < b->n_ranges; i++)
        if (range_has(&b->ranges[i], address))
            return REASON_REGISTERED;
    return is_global(kind, value, address) ? 0 : REASON_RANGE;
}

static enum reason name_reason(struct brakes *b, struct slice name, bool all_of_it)
{
    enum reason found = lookup(b, STIX_VALUE_DOMAIN, name);

    if (found == REASON_POPULAR && !all_of_it)
        found = 0;
    if (found != 0 || !all_of_it)
        return found;
    return memchr(name.ptr, '.', name.len) == NULL || match_is_public_suffix(name) ? REASON_SUFFIX : 0;
}

/* The host decides; a page on a popular host may be blocked, its front page may not. */
static enum reason url_reason(struct brakes *b, struct slice url)
{
    enum reason found = lookup(b, STIX_VALUE_URL, url);
    struct slice rest = slice_from(url, slice_find(url, SLICE("://")) + 3), host, port;
    uint32_t quad;

    if (found != 0 || !slice_cut(&rest, '/', &host))
        return found;
    if (slice_starts(host, SLICE("["))) {
        struct slice inside = slice_from(host, 1);
        return slice_cut(&inside, ']', &host) ? address_reason(b, STIX_VALUE_IPV6, host) : 0;
    }
    struct slice with_port = host;
    if (slice_cut(&with_port, ':', &port))
        host = port;
    if (stix_ipv4_parse(host, &quad))
        return address_reason(b, STIX_VALUE_IPV4, host);
    return name_reason(b, host, rest.len == 0);
}

static enum reason email_reason(struct brakes *b, struct slice address)
{
    enum reason found = lookup(b, STIX_VALUE_EMAIL, address);
    struct slice domain = slice_from(address, slice_find(address, SLICE("@")) + 1);

    return found != 0 || domain.len == 0 ? found : name_reason(b, domain, false);
}

const char *brakes_reason(struct brakes *b, enum stix_value_kind kind, struct slice value)
{
    switch (kind) {
    case STIX_VALUE_IPV4:
    case STIX_VALUE_IPV6:
        return reasons[address_reason(b, kind, value)];
    case STIX_VALUE_DOMAIN:
        return reasons[name_reason(b, value, true)];
    case STIX_VALUE_URL:
        return reasons[url_reason(b, value)];
    case STIX_VALUE_EMAIL:
        return reasons[email_reason(b, value)];
    case STIX_VALUE_MD5:
    case STIX_VALUE_SHA1:
    case STIX_VALUE_SHA256:
    case STIX_VALUE_SHA512:
        return reasons[lookup(b, kind, value)];
    default:
        return "no enforcement point takes such values";
    }
}

/* ---- the member's own list ---- */

static int add_range(struct brakes *b, enum stix_value_kind kind, struct slice prefix, const char *place,
                     struct err *err)
{
    struct slice rest = prefix, address;
    struct range r;
    uint64_t bits;

    if (b->n_ranges == BRAKES_RANGES_MAX)
        return err_set(err, ERR_CONF_VALUE, place, "more than %d ranges", BRAKES_RANGES_MAX);
    slice_cut(&rest, '/', &address);
    if (!slice_u64(rest, &bits) || bits > 128 ||
        !address_of(kind == STIX_VALUE_IPV4_NET ? STIX_VALUE_IPV4 : STIX_VALUE_IPV6, address, r.address))
        return err_set(err, ERR_CONF_VALUE, place, "\"" SLICE_FMT "\" is no prefix", SLICE_ARG(prefix));
    r.bits = (unsigned)bits + (kind == STIX_VALUE_IPV4_NET ? 96 : 0);
    b->ranges = mem_grow(b->ranges, (b->n_ranges + 1) * sizeof *b->ranges);
    b->ranges[b->n_ranges++] = r;
    return 0;
}

/* "localhost" and other names without a dot are somebody's own too, but stix_value_guess() leaves them out of running
 * text. */
static enum stix_value_kind line_kind(struct arena *a, struct slice line)
{
    enum stix_value_kind kind = stix_value_guess(line), found;
    struct slice normal;

    if (kind == STIX_VALUE_NONE && stix_value_normal(a, STIX_VALUE_DOMAIN, line, false, &found, &normal, NULL) == 0)
        return STIX_VALUE_DOMAIN;
    return kind;
}

static int add_line(struct brakes *b, struct arena *a, struct slice line, const char *place, struct err *err)
{
    enum stix_value_kind kind = line_kind(a, line), found;
    struct slice normal;

    if (kind == STIX_VALUE_NONE || stix_value_normal(a, kind, line, false, &found, &normal, NULL) != 0)
        return err_set(err, ERR_CONF_VALUE, place,
                       "\"" SLICE_FMT "\" is no address, prefix, name, URL, hash or e-mail address", SLICE_ARG(line));
    if (found == STIX_VALUE_IPV4_NET || found == STIX_VALUE_IPV6_NET)
        return add_range(b, found, normal, place, err);
    return match_index_add(b->index, REASON_REGISTERED, found, normal, err);
}

/* A comment begins at a '#' at the start or behind a blank: a URL may hold one. */
static struct slice without_comment(struct slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '#' && (i == 0 || line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t'))
            return slice_trim(slice_to(line, i));
    return slice_trim(line);
}

static int read_list(struct brakes *b, struct slice path, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct slice text, line;
    int result = file_read(&a, arena_copy(&a, path).ptr, 64 << 20, &text, err);

    for (size_t n = 1; result == 0 && slice_cut(&text, '\n', &line); n++) {
        line = without_comment(line);
        struct slice place = arena_printf(&a, SLICE_FMT ":%zu", SLICE_ARG(path), n);
        if (line.len != 0)
            result = add_line(b, &a, line, place.ptr, err);
    }
    arena_free(&a);
    return result;
}

int brakes_open(struct slice path, struct brakes **brakes_out, struct err *err)
{
    struct brakes *b = mem_zero(1, sizeof *b);

    b->index = match_index_new(1000);
    b->reader = match_reader_new(b->index);
    add_built_in(b);
    if (path.len != 0 && read_list(b, path, err) != 0) {
        brakes_close(&b);
        return -1;
    }
    *brakes_out = b;
    return 0;
}

void brakes_close(struct brakes **b)
{
    if (*b == NULL)
        return;
    match_reader_free(&(*b)->reader);
    match_index_free(&(*b)->index);
    free((*b)->ranges);
    free(*b);
    *b = NULL;
}
