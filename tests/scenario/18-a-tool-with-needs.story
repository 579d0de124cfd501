# A member's tool understands one comparison an indicator, TLP 1 alone and no missing lists, another one STIX 2.0 alone: they get that, and nobody else does.

hub north
collection alerts at north open to members
member bank at north
member clinic at north
member school at north

clinic's tool needs empty-list,tlp1,flatten types indicator pages of 2
clinic gets a list even where there is nothing
it is false that school gets a list even where there is nothing

bank submits "[domain-name:value = 'one.example' OR domain-name:value = 'two.example' OR ipv4-addr:value = '198.51.100.7']" marking TLP:GREEN as three
clinic's tool has the indicators "[domain-name:value = 'one.example']" "[domain-name:value = 'two.example']" "[ipv4-addr:value = '198.51.100.7']"
everything that clinic's tool has is marked TLP 1 beside
school's tool has the indicators "[domain-name:value = 'one.example' OR domain-name:value = 'two.example' OR ipv4-addr:value = '198.51.100.7']"
it is false that everything that school's tool has is marked TLP 1 beside
bank reads three back byte for byte

# One value was wrong: a newer version without it revokes that part, and the others keep their ids.
bank changes three to "[domain-name:value = 'one.example' OR ipv4-addr:value = '198.51.100.7']"
clinic's tool has the indicators "[domain-name:value = 'one.example']" "[ipv4-addr:value = '198.51.100.7']" and revoked "[domain-name:value = 'two.example']"

# The whole of it is taken back: every part is.
bank retracts three
clinic's tool has revoked "[domain-name:value = 'one.example']" "[ipv4-addr:value = '198.51.100.7']" "[domain-name:value = 'two.example']"

# Another tool has not learnt STIX 2.1: it reads 2.0, with TLP 1, and nothing that 2.0 does not know.
school's tool needs stix20
bank submits "[file:ctime = t'2026-01-01T00:00:00Z']" marking TLP:GREEN as four
school's tool has the indicators "[file:created = t'2026-01-01T00:00:00Z']" and revoked "[domain-name:value = 'one.example' OR ipv4-addr:value = '198.51.100.7']"
everything that school's tool has is STIX 2.0
everything that school's tool has is marked TLP 1 beside
it is false that everything that clinic's tool has is STIX 2.0
school's tool needs none
school's tool has the indicators "[file:ctime = t'2026-01-01T00:00:00Z']" and revoked "[domain-name:value = 'one.example' OR ipv4-addr:value = '198.51.100.7']"
it is false that everything that school's tool has is STIX 2.0
