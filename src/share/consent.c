#include "share/internal.h"

static const struct {
    struct slice word, label;
} consent_rows[] = {
    [SHARE_CONSENT_NONE] = {SLICE_INIT("none"), SLICE_INIT("ais-consent-none")},
    [SHARE_CONSENT_GOVERNMENT] = {SLICE_INIT("government"), SLICE_INIT("ais-consent-usg")},
    [SHARE_CONSENT_EVERYONE] = {SLICE_INIT("everyone"), SLICE_INIT("ais-consent-everyone")},
    [SHARE_CONSENT_PROPRIETARY] = {SLICE_INIT("proprietary"), SLICE_INIT("ais-consent-everyone-cisa-proprietary")},
};

bool share_consent_parse(struct slice word, enum share_consent *out)
{
    for (size_t i = 0; i < sizeof consent_rows / sizeof *consent_rows; i++)
        if (slice_eq_nocase(word, consent_rows[i].word) || slice_eq_nocase(word, consent_rows[i].label)) {
            *out = (enum share_consent)i;
            return true;
        }
    return false;
}

/* Of all labels of an identity only those that begin so speak of consent; one that is not among the four says something
 * that nobody here can keep. */
static bool is_consent_label(struct slice label)
{
    struct slice prefix = SLICE("ais-consent");

    return label.len >= prefix.len && slice_eq_nocase(slice_to(label, prefix.len), prefix);
}

/* What one label adds to what was found: NULL, or why this cannot be kept. */
static const char *label_add(struct slice label, enum share_consent *found, bool *any)
{
    enum share_consent one;

    if (!is_consent_label(label))
        return NULL;
    if (!share_consent_parse(label, &one))
        return "held: the consent label is not one of the four that are known";
    if (*any && one != *found)
        return "held: two consent labels contradict each other";
    *found = one;
    *any = true;
    return NULL;
}

int share_consent_read(const struct stix_object *identity, enum share_consent *consent_out, bool *found_out,
                       struct err *err)
{
    struct json labels = json_get(identity->json, SLICE("labels"));
    enum json_kind kind = json_kind(labels);
    struct arena scratch = ARENA_INIT; /* for labels with escapes; the result is a number */
    const char *wrong = kind == JSON_ARRAY || kind == JSON_ABSENT ? NULL : "held: the labels cannot be read";

    *consent_out = SHARE_CONSENT_NONE;
    *found_out = false;
    json_each (v, labels) {
        const char *here = json_kind(v) != JSON_STRING ? "held: the labels cannot be read"
                                                       : label_add(json_string(&scratch, v), consent_out, found_out);
        wrong = wrong != NULL ? wrong : here;
    }
    arena_free(&scratch);
    return wrong == NULL ? 0 : err_set(err, ERR_HELD_CONSENT, "/labels", "%s", wrong);
}
