# One hub, two members. What one submits, the other has at once; and the submitter's own object stays its own.

hub north "North CERT" country XA
collection alerts at north open to members
member bank at north organisation "First Harbour Bank"
member clinic at north

bank submits "[domain-name:value = 'bad.example']" marking TLP:GREEN
clinic receives it within 2s
clinic's copy of it is marked TLP:GREEN
clinic's copy of it expires within 400d
bank reads it back byte for byte

# The same bytes again change nothing.
bank submits it once more
it is accepted
clinic receives it
bank reads it back byte for byte

# Other shapes of pattern, and many at once.
bank submits "[ipv4-addr:value = '192.0.2.7' OR ipv4-addr:value = '192.0.2.8']" marking TLP:CLEAR as pair
clinic receives pair within 2s
bank submits 500 indicators as many
clinic receives many within 5s
bank reads many back byte for byte
north is still there
