# Bad input is an answer, never a crash or a leak: every line gets its status, and the hub is the same process afterwards.

hub north "North CERT" country XA
hub south "South CERT" country XB
collection alerts at north open to members
collection alerts at south open to members
member bank at north
member clinic at north
member port at south
a second program on north's port is refused with "in use"

# Smuggling, and heads that are not heads.
bank sends north two content lengths and is answered 400
bank sends north a content length and a transfer encoding and is answered 400
bank sends north a chunked look-alike and is answered 400
bank sends north a content length with a sign and is answered 400
bank sends north two hosts and is answered 400
bank sends north no host and is answered 400
bank sends north a blank before a colon and is answered 400
bank sends north a folded header and is answered 400
bank sends north a NUL in a header and is answered 400
bank sends north a bare line feed and is answered 400
bank sends north a head over the limit and is answered 431
bank sends north a head one byte a second and is cut off within 20s

# Who is it, and what may it.
bank sends north no password and is answered 401
bank sends north a wrong password and is answered 401
bank sends north an unknown collection and is answered 404
bank sends north an unknown method and is answered 400
bank sends north a method that is not served here and is answered 405
bank sends north another media type and is answered 415
bank sends north an Accept that cannot be served and is answered 406
bank sends north a time that is none and is answered 400
bank sends north a limit of nothing and is answered 400
bank sends north a next that nobody gave and is answered 400

# Bodies.
bank sends north a body over the limit and is answered 413
bank sends north an empty body and is answered 400
bank sends north malformed JSON and is answered 400
bank sends north JSON with a key twice and is answered 400
bank sends north JSON that is not UTF-8 and is answered 400
bank sends north JSON nested ten thousand deep and is answered 422
north is still there
clinic holds 0 objects

# Certificates: an expired one and a foreign one are refused before the password is sent.
bank meets an expired certificate, and sends no password
bank meets south in the place of its own hub, and sends no password
bank meets a silent port, and the command ends within 60s

# A partner that is down, or silent, costs its link and nothing else.
north and south are partners in alerts with k 1
south is killed
north loses south within 30s
bank submits "[domain-name:value = 'lonely.example']" marking TLP:GREEN
clinic receives it within 2s
south starts again
north follows south again within 30s
port receives it within 15s
north is still there
south is still there
