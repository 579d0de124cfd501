# A member's sensor: it takes what is there, follows what comes, alerts or blocks as its member decided, and lets go again.

hub north
collection alerts at north open to members
member bank at north
member clinic at north
member ward at north
bank submits "[domain-name:value = 'before.example']" marking TLP:GREEN as before

clinic has a sensor that blocks, never blocks "hospital.example"
ward has a sensor that alerts
clinic's sensor holds before
bank submits "[domain-name:value = 'bad.example']" marking TLP:GREEN as beacon
clinic's sensor loads beacon within 2s
ward's sensor loads beacon within 2s

# It looks, in telemetry as Suricata writes it; a subdomain counts, another name does not.
clinic's sensor sees "dns www.good.example" "tls good.example"
clinic's sensor stays quiet
clinic's sensor sees "dns cdn.bad.example"
clinic's sensor alerts on beacon within 2s
ward's sensor sees "http http://bad.example/login"
ward's sensor alerts on beacon within 2s

# Blocking is a switch of its member.
clinic's sensor blocks beacon within 2s
ward's sensor blocks nothing of beacon

# Brakes: what the member registered as its own, private ranges and resolvers never reach an enforcement point, whoever submits them.
bank submits "[domain-name:value = 'hospital.example']" marking TLP:GREEN as poison
clinic's sensor loads poison within 2s
clinic's sensor blocks nothing of poison
clinic's sensor sees "dns hospital.example"
clinic's sensor alerts on poison within 2s
bank submits "[ipv4-addr:value = '10.0.0.53']" marking TLP:GREEN as inside
clinic's sensor blocks nothing of inside
nftables would accept clinic's set

# Wrong: every sensor stops at once. No longer current: the same, later.
bank retracts beacon
clinic's sensor unblocks beacon within 2s
clinic's sensor drops beacon within 2s
clinic's sensor sees "dns bad.example"
clinic's sensor stays quiet
bank lets before expire
clinic's sensor drops before within 2s
bank submits "[domain-name:value = 'short.example']" marking TLP:GREEN valid for 4s as short
clinic's sensor loads short within 2s
clinic's sensor drops short within 10s

# It falls and comes back with what it had, and with what it missed.
bank submits "[domain-name:value = 'kept.example']" marking TLP:GREEN as kept
clinic's sensor loads kept within 2s
clinic's sensor is killed
bank submits "[domain-name:value = 'missed.example']" marking TLP:GREEN as missed
clinic's sensor starts again
clinic's sensor loads missed within 5s
clinic's sensor holds kept
clinic's sensor blocks missed within 2s
clinic's sensor stops
