# Who gains the right later gets the older objects too, under new dates: a poller that only ever asks added_after misses nothing.

hub north
collection board at north for listed recipients only
member bank at north
member clinic at north
member port at north
board at north lists clinic

bank submits "[domain-name:value = 'a.example']" marking TLP:AMBER as a
bank submits "[domain-name:value = 'b.example']" marking TLP:AMBER+STRICT as b
bank submits 20 indicators as many
only clinic at north receives a within 2s
clinic polls
port polls
port holds 0 objects

board at north lists port
port receives a within 2s
port receives b within 2s
port receives many within 2s
port polls
port's poller has exactly what a fresh reader gets
clinic polls
clinic's poller has exactly what a fresh reader gets
clinic's stream showed every object exactly once

# New ones between, and a member that joins late.
bank submits "[domain-name:value = 'c.example']" marking TLP:AMBER as c
member late at north
late polls
late holds 0 objects
board at north lists late
late receives a within 2s
late receives c within 2s
late polls
late's poller has exactly what a fresh reader gets
port polls
port's poller has exactly what a fresh reader gets

# And back: who loses the right holds a retraction of what it had, and the listed ones keep theirs.
board at north no longer lists clinic
clinic lost c within 2s
port's copy of c is marked TLP:AMBER
bank submits "[domain-name:value = 'd.example']" marking TLP:AMBER as d
only port, late at north receives d within 2s
clinic does not receive d
