# Each tool of a member has a key of its own, sent in whatever way the tool knows, good for what it needs and no longer.

hub north "North CERT" country XA
collection alerts at north open to members
member bank at north default alerts green
member clinic at north

# One key, as products send it.
bank is given the token siem
siem opens by Bearer with 200
siem opens by bearer in lower case with 200
siem opens by Token with 200
siem opens by X-API-Key with 200
siem opens by Basic with 200
siem opens by basic in lower case with 200
siem opens by Basic without a user with 200
siem opens by Basic with the key as user with 200
siem opens by Basic under another's name with 401

# A key for a screen reads; the key of one who leaves takes back, and nothing else.
bank submits "[domain-name:value = 'early.example']" marking TLP:GREEN as early
bank is given the token screen, read only
screen opens by Bearer with 200
screen submits with 403
screen is told that it may read
siem is told that it may read and write
screen deletes early with 403
bank is given the token leaver, retract only
leaver opens by Bearer with 403
leaver submits with 403
leaver deletes early with 200

# From where it may be used.
bank is given the token office, from 192.0.2.0/24
office opens by Bearer with 401
bank is given the token rack, from 127.0.0.0/8
rack opens by Bearer with 200
rack is good from 2001:db8::/32 only
rack opens by Bearer with 401

# Short tokens end with the key that they were given for, and so does an open stream.
siem is traded for the short token brief
brief opens by Bearer with 200
brief opens by X-API-Key with 200
siem holds a stream open
siem is revoked
the stream of siem is cut within 2s
siem opens by Bearer with 401
brief opens by Bearer with 401

# A key that is over, and a stream that is open: it does not outlive the key.
bank is given the token guest, for 3s
guest holds a stream open
the stream of guest is cut within 8s
guest opens by Bearer with 401

# One that hurries waits, and nobody else does.
bank is given the token busy, 5 requests a minute
busy asks until told to wait
screen opens by Bearer with 200

# Guesses wait. Whoever has a right key does not, even from the same address.
a stranger guesses at bank until told to wait
screen opens by Bearer with 200
clinic is given the token own
own opens by Bearer with 200
north is still there
