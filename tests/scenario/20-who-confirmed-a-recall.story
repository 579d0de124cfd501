# A bank retracts what it got wrong. Its hub shows of each recipient whether it says, under its signature, that its blocks are gone; and
# never takes for done what cannot say so.

hub north country XA
hub south country XB
collection alerts at north open to members
collection alerts at south open to members
north and south are partners in alerts up to TLP:GREEN with k 1
member bank at north
member clinic at north without the right to submit
member quay at north
member shop at north
member port at south
clinic has a sensor that blocks
quay has a sensor that blocks
port has a sensor that blocks

bank submits "[domain-name:value = 'wrong.example']" marking TLP:GREEN as wrong
clinic's sensor blocks wrong within 5s
quay's sensor blocks wrong within 5s
port's sensor blocks wrong within 5s
shop polls
quay's sensor stops

bank retracts wrong
clinic's sensor unblocks wrong within 5s
port's sensor unblocks wrong within 5s
north shows its last recall confirmed at clinic's sensor within 5s
north shows its last recall confirmed at south's hub within 10s
north counts 1 of 1 behind south within 15s
south shows its last recall confirmed at port's sensor within 5s

# A plain TAXII client reads that it is revoked; what it does with that nobody knows. The sensor that was stopped has heard nothing.
shop polls
north shows its last recall unconfirmable at shop's client within 5s
north shows its last recall waiting at quay's sensor
north's last recall is confirmed by 2 of 4

# All of it is durable. The sensor that comes back lets go first, and says so.
north is killed
north starts again
north's last recall is confirmed by 2 of 4
quay's sensor starts again
quay's sensor drops wrong within 10s
north shows its last recall confirmed at quay's sensor within 15s
north's last recall is confirmed by 3 of 4
