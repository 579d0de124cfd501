#include "stix/value.h"

#include <idn2.h>

enum { DOMAIN_MAX = 253, LABEL_MAX = 63, DOMAIN_TYPED_MAX = 1024 };

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

static bool is_numeric(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return true;
}

/* Letters, digits, hyphens, and underscores, which no host name has (RFC 1123) but which real names in the DNS do. */
static bool label_ok(struct slice label)
{
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return label.len != 0 && label.len <= LABEL_MAX;
}

/* The last label may not be a number (WHATWG "ends in a number"): 1.2.3, 0x7f.1 and 010.0.0.1 are addresses to some
 * readers. */
static bool last_label_ok(struct slice label)
{
    bool is_hex = slice_starts(label, SLICE("0x"));

    for (size_t i = 2; is_hex && i < label.len; i++)
        is_hex = (label.ptr[i] >= '0' && label.ptr[i] <= '9') || (label.ptr[i] >= 'a' && label.ptr[i] <= 'f');
    return !is_numeric(label) && !is_hex && label.ptr[0] != '-' && label.ptr[label.len - 1] != '-';
}

static bool labels_ok(struct slice name)
{
    struct slice label;

    if (name.len == 0 || name.len > DOMAIN_MAX)
        return false;
    while (slice_cut(&name, '.', &label))
        if (!label_ok(label) || (name.ptr == NULL && !last_label_ok(label)))
            return false;
    return true;
}

static struct slice lower_copy(struct arena *a, struct slice s)
{
    char *out = arena_alloc(a, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        out[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] + 32 : s.ptr[i]);
    out[s.len] = '\0';
    return slice_n(out, s.len);
}

/* U-labels to A-labels: UTS 46, non-transitional (as browsers and registries do since 2022). */
static bool to_alabels(struct arena *a, struct slice text, struct slice *out)
{
    char *ascii = NULL;

    if (memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    int rc = idn2_to_ascii_8z(arena_copy(a, text).ptr, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (rc == IDN2_OK)
        *out = lower_copy(a, slice_of(ascii));
    idn2_free(ascii);
    return rc == IDN2_OK;
}

bool value_domain(struct arena *a, struct slice text, struct slice *normal_out)
{
    struct slice name;

    if (text.len == 0 || text.len > DOMAIN_TYPED_MAX)
        return false;
    if (is_ascii(text))
        name = lower_copy(a, text);
    else if (!to_alabels(a, text, &name))
        return false;
    if (slice_ends(name, SLICE(".")))
        name.len--;
    *normal_out = name;
    return labels_ok(name);
}

/* The local part keeps its case (RFC 5321 section 2.4: only its own host may fold it). Quoted local parts and display
   names are not addresses that anything here compares. */
bool value_email(struct arena *a, struct slice text, struct slice *normal_out)
{
    struct slice domain = text, local, normal;

    if (!slice_cut(&domain, '@', &local) || domain.ptr == NULL || local.len == 0 || local.len > 64)
        return false;
    for (size_t i = 0; i < local.len; i++) {
        unsigned char c = (unsigned char)local.ptr[i];
        if (c <= ' ' || c == 0x7f || memchr("\"(),:;<>[\\]", c, 11) != NULL)
            return false;
    }
    if (local.ptr[0] == '.' || local.ptr[local.len - 1] == '.' || !value_domain(a, domain, &normal))
        return false;
    *normal_out = arena_printf(a, SLICE_FMT "@" SLICE_FMT, SLICE_ARG(local), SLICE_ARG(normal));
    return true;
}
