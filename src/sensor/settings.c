#include "sensor/internal.h"

#include <stddef.h>

#define AT(member) offsetof(struct sensor_settings, member)
#define HOUR_US    INT64_C(3600000000)

const struct conf_field sensor_settings_fields[] = {
    {"client", CONF_TEXT, AT(client), NULL,
     "client file of the member at its hub, as `tocsin member add --out` writes it", 0, 0},
    {"state", CONF_TEXT, AT(state), NULL, "directory for what the sensor must remember; it is made if it is not there",
     0, 0},
    {"inputs", CONF_LIST, AT(inputs), "", "telemetry: files that grow, or \"-\" for standard input", 0, 0},
    {"format", CONF_TEXT, AT(format), "auto", "of the telemetry: eve (Suricata), lines (any text), auto", 0, 0},
    {"mode", CONF_TEXT, AT(mode), "alert", "alert: tell; block: also write the files for enforcement points", 0, 0},
    {"report_own", CONF_TEXT, AT(report_own), "aggregate",
     "sightings to the own hub: none, aggregate (to the hour), full", 0, 0},
    {"report_partners", CONF_TEXT, AT(report_partners), "none",
     "whether the own hub may count them in a band for partner hubs: none, aggregate", 0, 0},
    {"report_every", CONF_DURATION, AT(report_every_us), "1h",
     "an aggregate of one indicator is sent at most so often; the first at once", 1000000, 30 * 24 * HOUR_US},
    {"lease", CONF_DURATION, AT(lease_us), "24h", "a block lapses when the hub has been silent for so long", 60000000,
     365 * 24 * HOUR_US},
    {"never_block", CONF_TEXT, AT(never_block), "",
     "file with what is never blocked: addresses, prefixes, names (and all below them), URLs, hashes; one a line", 0,
     0},
    {"export_nft", CONF_TEXT, AT(export_nft), "", "file for nftables, kept up to date; empty: none", 0, 0},
    {"export_list", CONF_TEXT, AT(export_list), "", "plain list, one value a line, kept up to date; empty: none", 0, 0},
    {"max_entries", CONF_INT, AT(max_entries), "1000000", "ceiling on blocked values; what comes above only alerts", 0,
     100000000},
    {"max_new_per_minute", CONF_INT, AT(max_new_per_minute), "100000",
     "ceiling on newly blocked values a minute; the rest waits and alerts", 0, 100000000},
    {"block_sources", CONF_LIST, AT(block_sources), "", "ids of the hubs whose indicators may block; empty: all", 0, 0},
    {"min_confidence", CONF_INT, AT(min_confidence), "0",
     "confidence that an indicator needs to block; 0: any, and none", 0, 100},
    {"log", CONF_TEXT, AT(log), "", "file for the event log; empty: standard error", 0, 0},
};
const size_t sensor_settings_n_fields = sizeof sensor_settings_fields / sizeof sensor_settings_fields[0];

static int check_word(const char *path, const char *field, struct slice word, const char *words, struct err *err)
{
    struct slice rest = slice_of(words), one;

    while (slice_cut(&rest, ' ', &one))
        if (slice_eq(one, word))
            return 0;
    return err_set(err, ERR_CONF_VALUE, path, "%s: \"" SLICE_FMT "\" is none of: %s", field, SLICE_ARG(word), words);
}

int sensor_settings_read(struct arena *a, const char *path, struct sensor_settings *out, struct err *err)
{
    if (conf_read(a, path, sensor_settings_fields, sensor_settings_n_fields, out, err) != 0 ||
        check_word(path, "format", out->format, "auto eve lines", err) != 0 ||
        check_word(path, "mode", out->mode, "alert block", err) != 0 ||
        check_word(path, "report_own", out->report_own, "none aggregate full", err) != 0 ||
        check_word(path, "report_partners", out->report_partners, "none aggregate", err) != 0)
        return -1;
    if (out->inputs.n > MATCH_READERS_MAX)
        return err_set(err, ERR_CONF_VALUE, path, "inputs: at most %d", MATCH_READERS_MAX);
    return 0;
}
