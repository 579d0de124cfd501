# Two hubs, one agreement. Each follows the other; nothing echoes; an outage of any length loses nothing.

hub north "North CERT" country XA
hub south "South CERT" country XB
collection alerts at north open to members
collection alerts at south open to members
member bank at north
member clinic at south
member dock at south
north and south are partners in alerts up to TLP:GREEN with k 1

bank submits "[domain-name:value = 'one.example']" marking TLP:GREEN as one
clinic receives one within 5s without "bank"
bank submits 200 indicators as many
clinic receives many within 5s
dock submits "[domain-name:value = 'two.example']" marking TLP:GREEN as two
bank receives two within 5s without "dock"
clinic receives two within 2s

# Above the ceiling stays at home.
bank submits "[domain-name:value = 'home.example']" marking TLP:AMBER as home
clinic does not receive home

# The partner is away: north goes on; when it comes back it has everything, once.
south is killed
bank submits "[domain-name:value = 'away.example']" marking TLP:GREEN as away
bank submits 100 indicators as backlog
south starts again
clinic receives away within 15s
clinic receives backlog within 15s
clinic's stream showed every object exactly once

# The other side falls and comes back while south is up.
north is killed
north starts again
bank submits "[domain-name:value = 'back.example']" marking TLP:GREEN as back
clinic receives back within 20s

# A retraction travels like a submission.
bank retracts one
clinic is told of retract one within 10s
clinic's copy of one is revoked
