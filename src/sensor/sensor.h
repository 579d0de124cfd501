/* sensor/sensor.h: the member's site. Takes a snapshot of a collection (TAXII pages), then follows its stream; matches
   live telemetry; alerts, and blocks where its member switched that on, within the brakes of DESIGN.md invariant 9;
   reports sightings under its member's own rule (invariant 8).

   Files: follow.c (snapshot, stream, tombstones, state file), telemetry.c (inputs), enforce.c (brakes, leases,
   exports), sight.c (spool and sending), sensor.c (settings, threads, shutdown). Threads: follow (also the only writer
   of the index), one reader an input, enforce, sight. */
#ifndef SENSOR_SENSOR_H
#define SENSOR_SENSOR_H

#include "base/conf.h"
#include "feed/feed.h"
#include "match/match.h"
#include "taxii/taxii.h"

enum sensor_mode { SENSOR_ALERT, SENSOR_BLOCK };
enum sensor_report { SENSOR_REPORT_NONE, SENSOR_REPORT_AGGREGATE, SENSOR_REPORT_FULL };

struct sensor_settings {
    struct slice client;     /* client file (taxii_client_fields) */
    struct slice state;      /* directory: live set, cursor, spool, leases */
    struct conf_list inputs; /* paths, "-" for standard input */
    struct slice format;     /* eve, lines, auto */
    struct slice mode;       /* alert, block */
    struct slice report_own; /* none, aggregate, full: to the own hub; default aggregate */
    struct slice
        report_partners; /* none, aggregate: whether the own hub may count it in a band for partners; default none */
    int64_t report_every_us;  /* aggregates are sent at most so often an indicator; default 1 h; the first sighting at
                                 once */
    int64_t lease_us;         /* 24 h: a block lapses to alert when the hub was silent for so long */
    struct slice never_block; /* file: values, CIDR, domains, one a line */
    struct slice export_nft, export_list;    /* files to write; empty: none */
    int64_t max_entries, max_new_per_minute; /* ceilings: 1,000,000 entries; 100,000 new a minute; over them: alert
                                                only, with an event */
    struct conf_list block_sources;          /* hub ids whose indicators may block; empty: all */
    int64_t min_confidence;                  /* of an indicator that may block; 0: any, also none */
    struct slice log;                        /* event log; empty: standard error */
};
extern const struct conf_field sensor_settings_fields[];
extern const size_t sensor_settings_n_fields;
int sensor_settings_read(struct arena *a, const char *path, struct sensor_settings *out, struct err *err);

struct sensor;
int sensor_start(const struct sensor_settings *settings, struct sensor **sensor_out, struct err *err);
void sensor_write_live(struct sensor *s); /* state/live.txt: "kind<TAB>value" lines, sorted; event live_written */
void sensor_stop(struct sensor **sensor); /* spool and state are on disk when it returns */

/* `tocsin sensor release`: undoes blocks without the hub, whether a sensor runs or not: entries are taken out of the
   lease file and the exports, and stay out (alert only) until the member says otherwise. source empty: every source;
   since_us 0: whenever. */
int sensor_release(const struct sensor_settings *settings, struct slice source, int64_t since_us,
                   uint64_t *released_out, struct err *err);

#endif
