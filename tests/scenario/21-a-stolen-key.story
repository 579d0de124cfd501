# The drill: a bank's key is stolen. One command ends all that signs the bank in, and takes back what was sent since the theft, here and
# at the partner; what was sent before stays. The bank goes on with a fresh key, and what proves good comes back.

hub north country XA
hub south country XB
collection alerts at north open to members
collection alerts at south open to members
north and south are partners in alerts up to TLP:GREEN with k 1
member bank at north
member clinic at north
member port at south
clinic has a sensor that blocks
port has a sensor that alerts
bank is given the token siem
siem holds a stream open

bank submits "[domain-name:value = 'before.example']" marking TLP:GREEN as before
clinic submits "[domain-name:value = 'clinics.example']" marking TLP:GREEN as other
clinic's sensor blocks before within 5s
port's sensor loads before within 5s

# Four in the morning.
thief has bank's key
thief submits "[domain-name:value = 'hospital.example']" marking TLP:GREEN as poison
bank submits "[domain-name:value = 'honest.example']" marking TLP:GREEN as honest
clinic receives honest within 5s
clinic's sensor blocks poison within 5s
port's sensor loads poison within 5s
port's sensor loads honest within 5s

the operator compromises bank since the theft: 2 objects
the stream of siem is cut within 2s
siem opens by Bearer with 401
thief's key is refused
clinic's sensor unblocks poison within 5s
clinic's sensor drops honest within 5s
port's sensor drops poison within 10s
port's sensor drops honest within 10s
clinic's sensor holds before
clinic's sensor holds other
port's sensor holds before
port's sensor holds other
clinic lost poison

# It stays so.
north is killed
north starts again
thief's key is refused
clinic's sensor does not load poison

# The bank goes on: it takes the poison back for good, and the rest is given back.
bank gets a fresh key
bank submits "[domain-name:value = 'after.example']" marking TLP:GREEN as after
clinic's sensor blocks after within 10s
port's sensor loads after within 20s
bank retracts poison
the operator releases what bank sent since the theft: 1 objects
clinic receives honest again, under another id within 5s
clinic's sensor blocks honest within 5s
port's sensor loads honest within 10s
clinic's sensor does not load poison
port's sensor does not load poison
clinic's sensor holds before
