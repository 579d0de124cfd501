# Revocation is final in STIX. What was taken back and is shared again is a new release: a reader that holds the revoked version takes
# it, and so does a partner hub with all its members.

hub north country XA
hub south country XB
collection alerts at north open to members
collection alerts at south open to members
north and south are partners in alerts up to TLP:GREEN with k 1
member bank at north
member port at north
member clinic at south
clinic has a sensor that alerts

bank submits "[domain-name:value = 'again.example']" marking TLP:GREEN as seen
port receives seen within 2s
clinic receives seen within 2s
clinic's sensor loads seen within 2s

# Shared too widely: fewer may know.
bank changes seen to marking TLP:AMBER+STRICT
port lost seen within 2s
clinic lost seen within 2s
clinic's sensor drops seen within 2s

# And after all for everybody.
bank changes seen to marking TLP:GREEN
port receives seen again, under another id within 2s
clinic receives seen again, under another id within 2s
clinic's sensor holds seen
bank's copy of seen is marked TLP:GREEN

# The same when the audience changes and not the object.
alerts at north no longer names the partner south
clinic lost seen within 2s
port's copy of seen is marked TLP:GREEN
alerts at north names the partner south
clinic receives seen again, under another id within 2s
clinic's sensor holds seen
