# What the hub acknowledged is durable: kill -9 at any moment loses nothing of it, and doubles nothing.

hub north
collection alerts at north open to members
member bank at north
member clinic at north
clinic watches

bank submits 120 indicators one by one while north's core is killed 3 times
clinic receives it within 10s
clinic's stream showed every object exactly once
bank reads it back byte for byte

bank submits 120 indicators one by one while north is killed 3 times
clinic receives it within 10s
clinic's stream showed every object exactly once
bank reads it back byte for byte

# Without the keys process nothing is accepted, and nothing falls over; the monitor brings it back.
north's keys is killed
north is back within 10s
bank submits "[domain-name:value = 'after.example']" marking TLP:GREEN
clinic receives it within 2s
