# What a sensor tells is its member's decision, and beyond the hub it is coarse.

hub north "North CERT" country XA
hub south "South CERT" country XB
collection alerts at north open to members
collection alerts at south open to members
member bank at north organisation "First Harbour Bank"
member open at north organisation "Open Books"
member shy at north organisation "Quiet Place"
member port at south organisation "Port Authority"
member far at south organisation "Far Shore"
north and south are partners in alerts up to TLP:GREEN with k 1
open has a sensor that alerts, reports full
shy has a sensor that alerts, reports none
port has a sensor that alerts, reports aggregate, tells partners aggregate
far has a sensor that alerts, reports aggregate, tells partners none

bank submits "[domain-name:value = 'shy.example']" marking TLP:GREEN as first
bank submits "[domain-name:value = 'open.example']" marking TLP:GREEN as second
bank submits "[domain-name:value = 'port.example']" marking TLP:GREEN as third
bank submits "[domain-name:value = 'far.example']" marking TLP:GREEN as fourth
shy's sensor loads fourth within 2s
open's sensor loads fourth within 2s
port's sensor loads fourth within 5s
far's sensor loads fourth within 5s

# None: the member sees its alert, and nobody hears of it.
shy's sensor sees "dns shy.example"
shy's sensor alerts on first within 2s
north receives no sighting
bank learns of no sighting of first

# Full, to its own hub alone: the hub counts it, and no other member and no partner reads it.
open's sensor sees "dns open.example"
open's sensor alerts on second within 2s
north receives a sighting within 5s
bank learns of no sighting of second
port learns of no sighting of second
open learns that second was seen within 2s

# Over the hubs: the origin's submitter learns it coarse, with k 1 from one organisation on.
port's sensor sees "dns port.example"
port's sensor alerts on third within 2s
south receives a sighting within 5s
bank learns that third was seen within 15s without "port authority"
that sighting is to the hour and names no place

# A member that tells its own hub but not partners.
far's sensor sees "dns far.example"
far's sensor alerts on fourth within 2s
south receives a sighting within 5s
bank learns of no sighting of fourth
port learns of no sighting of fourth
