# A follower that was away comes back with the last event id that it saw, and gets what it missed, once.

hub north
collection alerts at north open to members
member bank at north
member clinic at north

clinic watches
bank submits "[domain-name:value = 'one.example']" marking TLP:GREEN as one
clinic receives one within 2s
clinic looks away
bank submits "[domain-name:value = 'two.example']" marking TLP:GREEN as two
bank submits "[domain-name:value = 'three.example']" marking TLP:GREEN as three
clinic watches again from where it stopped
clinic receives two within 2s
clinic receives three within 2s
clinic receives one
clinic's stream showed every object exactly once

# The place holds over a restart of the hub.
clinic looks away
north stops
north starts again
bank submits "[domain-name:value = 'four.example']" marking TLP:GREEN as four
clinic watches again from where it stopped
clinic receives four within 2s
clinic's stream showed every object exactly once
bank reads one back byte for byte
