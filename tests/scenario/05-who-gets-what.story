# Default deny. Every marking is read against the audience statement of the collection; what is denied looks like what does not exist.

hub north "North CERT" country XA
hub south "South CERT" country XB
collection alerts at north open to members
collection alerts at south open to members
collection board at north for listed recipients only
member bank at north default alerts green for 30d
member clinic at north
member port at north
member shop at north client of port
member quay at south
board at north lists port
north and south are partners in alerts up to TLP:GREEN for indicator and context

bank submits "[domain-name:value = 'clear.example']" marking TLP:CLEAR as clear
only clinic, port, shop at north receives clear within 2s
quay receives clear within 5s
bank submits "[domain-name:value = 'green.example']" marking TLP:GREEN as green
only clinic, port, shop at north receives green within 2s
quay receives green within 5s

# No list, nobody: AMBER in an open collection reaches its submitter alone.
bank submits "[domain-name:value = 'amber.example']" marking TLP:AMBER as amber
nobody else at north receives amber
quay does not receive amber
bank reads amber back byte for byte
bank submits "[domain-name:value = 'red.example']" marking TLP:RED as red
nobody else at north receives red
quay does not receive red

# A closed collection: its recipient; with AMBER also the recipient's registered client.
bank submits "[domain-name:value = 'plan.example']" marking TLP:AMBER in board as plan
only port, shop at north receives plan within 2s
bank submits "[domain-name:value = 'strict.example']" marking TLP:AMBER+STRICT in board as strict
only port at north receives strict within 2s
bank submits "[domain-name:value = 'inner.example']" marking TLP:GREEN in board as inner
only port, shop at north receives inner within 2s
quay does not receive plan

# No marking: the default that the submitter declared for this collection goes into the release, and an expiry with it.
bank submits "[domain-name:value = 'plain.example']" unmarked as plain
plain is accepted
clinic receives plain within 2s
clinic's copy of plain is marked TLP:GREEN
clinic's copy of plain expires within 31d
bank reads plain back byte for byte

# No marking and no default declared: held, and nobody has it.
bank submits "[domain-name:value = 'bare.example']" unmarked in board as bare
bare is pending
nobody else at north receives bare
clinic submits "[domain-name:value = 'odd.example']" unmarked as odd
odd is pending
nobody else at north receives odd

# GREEN raised to AMBER: taken back from those who had it as GREEN, here and at the partner.
bank changes green to marking TLP:AMBER
clinic, port, shop lost green within 2s
quay lost green within 5s
bank reads green back byte for byte
