# Beyond the hub a sighting is told only when enough distinct organisations stand behind it; two sensors of one organisation are one.

hub north "North CERT" country XA
hub south "South CERT" country XB
collection alerts at north open to members
collection alerts at south open to members
member bank at north
member port at south organisation "Port Authority"
member pier at south organisation "Port Authority"
member dock at south organisation "Dock Works"
north and south are partners in alerts up to TLP:GREEN with k 2
port has a sensor that alerts, reports aggregate, tells partners aggregate
pier has a sensor that alerts, reports aggregate, tells partners aggregate
dock has a sensor that alerts, reports aggregate, tells partners aggregate

bank submits "[domain-name:value = 'rare.example']" marking TLP:GREEN
port's sensor loads it within 5s
pier's sensor loads it within 5s
dock's sensor loads it within 5s

port's sensor sees "dns rare.example"
south receives a sighting within 5s
pier's sensor sees "tls rare.example"
south receives a sighting within 5s
bank learns of no sighting of it

dock's sensor sees "dns rare.example"
south receives a sighting within 5s
bank learns that it was seen within 15s without "dock works" "port authority"
that sighting is to the hour and names no place
