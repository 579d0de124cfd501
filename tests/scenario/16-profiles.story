# A collection has a profile: what does not fit is refused or held by a rule with a code, and what does not belong to others is left
# out of what they read. The submitter keeps its own bytes and is told which rule spoke.

hub north "North CERT" country XA
collection alerts at north open to members
member bank at north
member clinic at north

# Automated Indicator Sharing, as observed: properties that the standard does not know stay with the bank.
alerts at north takes the profile ais-2.0-observed
bank submits "[domain-name:value = 'first.example']" marking TLP:GREEN
bank is told "AIS-CUSTOM at /x_case" "AIS-CUSTOM at /x_word" about it
clinic receives it within 2s without "x_case" "x_ratio" "9007199254740993"
bank reads it back byte for byte

# Exactly one word of consent.
bank submits an identity "own-word"
it is refused
bank is told "AIS-CONSENT" "/labels" about it
bank submits an identity "ais-consent-everyone"
it is accepted

# The Australian programme takes identities, groupings and indicators, and each of them carries a marking of TLP 2.0.
alerts at north takes the profile ctis
bank submits "[domain-name:value = 'second.example']" unmarked
it is refused
bank is told "CTIS-TLP" about it

# Open: STIX 2.1 and nothing beyond it.
alerts at north takes the profile open
bank submits "[domain-name:value = 'third.example']" marking TLP:GREEN
clinic receives it within 2s
clinic holds 3 objects
