# A partner that is no Tocsin: a TAXII server with habits of the field is polled. kill -9 in the middle loses nothing and doubles nothing.

hub north "North CERT" country XA
collection alerts at north open to members
member clinic at north reads alerts
a foreign server feed has 300 objects
north polls feed into alerts, unmarked objects as TLP:GREEN
clinic has 300 objects of feed, each once, within 30s

# New ones come; the hub falls while they do.
feed publishes 400 more
north is killed
north starts again
clinic has 700 objects of feed, each once, within 40s
feed publishes 200 more
north's core is killed
clinic has 900 objects of feed, each once, within 40s

# What it takes back is taken back here.
feed revokes its first 10
clinic has 890 objects of feed, each once, within 20s
