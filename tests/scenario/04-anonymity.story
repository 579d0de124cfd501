# Anonymous by default: nobody but the submitter reads its name, its domain, its words, or an id that it coined; no more does the
# submitter read who met what it submitted. The file is full of the bank's names, in every place where a careless copy would keep them.

hub north "North CERT" country XA
hub south "South CERT" country XB
collection alerts at north open to members
collection alerts at south open to members
north and south are partners in alerts up to TLP:GREEN with k 1
member bank at north organisation "First Harbour Bank" domain harbourbank.example consent none
member clinic at north organisation "Hillside Clinic" domain hillside.example
member port at south organisation "Port Authority" domain port.example
clinic has a sensor that alerts, reports full
port has a sensor that alerts, reports full, tells partners aggregate

bank submits the file "harbour.json" as incident
clinic receives incident within 2s without "harbour" "bank" "kestrel-7731" "marta.quayside"
port receives incident within 5s without "harbour" "bank" "kestrel-7731" "marta.quayside"
bank reads incident back byte for byte

clinic's sensor loads incident within 2s
port's sensor loads incident within 5s
clinic's sensor sees "dns update.incident.example"
clinic's sensor alerts on incident within 2s
north receives a sighting within 5s
port's sensor sees "dns update.incident.example"
port's sensor alerts on incident within 2s
south receives a sighting within 5s
bank learns that incident was seen within 15s without "port authority" "port.example"
bank has read no word of "clinic" "hillside" "port authority" "port.example"
port has read no word of "clinic" "hillside" "harbour" "kestrel-7731"
clinic has read no word of "port authority" "port.example" "harbour" "kestrel-7731"
