# The runner itself: what is not so must be reported. Every claim here is false, and each must be found out.

hub north "North CERT" country XA
collection alerts at north open to members
member bank at north organisation "First Harbour Bank"
member clinic at north
clinic has a sensor that alerts

bank submits "[domain-name:value = 'kestrel.example']" marking TLP:GREEN as said
bank submits "[domain-name:value = 'amber.example']" marking TLP:AMBER as kept
clinic receives said within 2s
clinic's sensor loads said within 2s
it is false that clinic receives kept within 300ms
it is false that clinic does not receive said
it is false that nobody else at north receives said
it is false that clinic has read no word of "kestrel"
it is false that clinic's copy of said is marked TLP:AMBER
it is false that clinic's copy of said is revoked
it is false that clinic reads said back byte for byte
it is false that said is pending
it is false that clinic holds 7000 objects
it is false that clinic's sensor drops said within 300ms
it is false that clinic's sensor holds kept
it is false that clinic's sensor blocks said within 300ms
it is false that clinic's sensor alerts on said within 300ms
it is false that bank learns that said was seen within 300ms
it is false that bank sends north no password and is answered 200
it is false that north receives a sighting within 300ms
clinic's sensor sees "dns kestrel.example"
it is false that clinic's sensor stays quiet
