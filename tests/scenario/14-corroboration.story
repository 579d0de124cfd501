# Who hears the same from two organisations may trust it more, and learns no more than that they are two.

hub north "North CERT" country XA
hub south "South CERT" country XB
collection alerts at north open to members
collection alerts at south open to members
north and south are partners in alerts up to TLP:GREEN with k 1
member bank at north organisation "First Harbour Bank"
member branch at north organisation "First Harbour Bank"
member clinic at north organisation "Hill Clinic"
member port at north organisation "Port Authority"
member far at south organisation "Far Shore"

# Two desks of one organisation are one voice.
bank submits "[domain-name:value = 'heard.example']" marking TLP:GREEN as first
branch submits "[domain-name:value = 'heard.example']" marking TLP:GREEN as second
port reads that 0 others corroborate first

# Another organisation confirms it, unasked and unnamed.
clinic submits "[domain-name:value = 'heard.example']" marking TLP:GREEN as third
port and bank read that 1 others corroborate first within 5s
far reads that 1 others corroborate first within 5s
port has read no word of "harbour" "clinic"
far has read no word of "harbour" "clinic"

# Whoever no longer sees one end sees no edge.
clinic changes third to marking TLP:AMBER+STRICT
port and far read that 0 others corroborate first within 5s

# A third one is heard, and takes it back.
port submits "[domain-name:value = 'heard.example']" marking TLP:GREEN as fourth
far reads that 1 others corroborate first within 5s
port retracts fourth
far reads that 0 others corroborate first within 5s
