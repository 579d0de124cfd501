# A bank whose tools still write STIX 2.0. Others read 2.1; the bank gets back what it wrote.

hub north "North CERT" country XA
hub south "South CERT" country XB
collection alerts at north open to members
collection alerts at south open to members
member bank at north organisation "First Harbour Bank"
member clinic at north
member port at south
north and south are partners in alerts with k 1

bank submits the file "stix20.json"
clinic receives it within 2s without "harbour"
clinic reads only STIX 2.1
clinic finds "198.51.100.44" "indicator_types" "object_refs" "9007199254740993" in its pages
clinic holds 5 objects
bank reads it back byte for byte

# The partner hub gets the release, and so do its members.
port receives it within 15s without "harbour"
port reads only STIX 2.1

# The same again is no change.
bank submits it once more
it is accepted
