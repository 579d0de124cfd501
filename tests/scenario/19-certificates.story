# A certificate instead of a password: by a one-time code from the hub itself, or from an authority that is kept offline.

hub north
collection alerts at north open to members
member bank at north default alerts green for 30d
member ward at north
member port at north
bank submits "[domain-name:value = 'bad.example']" marking TLP:GREEN as beacon

# The key is made at the member; the code is good once.
clinic enrols at north by a code
clinic reads beacon by its certificate
clinic's code is good no more
clinic reads beacon by its certificate

# What the hub issued ends with the credential.
the operator takes clinic's certificate away at north
clinic's certificate is refused

# An authority of the operator's own, offline: taken without a restart, revoked by its list.
north takes certificates of the authority rootca
rootca signs port for 90 days, and north knows it by that
port reads beacon by its certificate
rootca signs ward for 20 days, and north knows it by that
ward reads beacon by its certificate
rootca revokes port, and north gets the list
port's certificate is refused because it "has been revoked"
ward reads beacon by its certificate

# The sensor sees the end come, and has a new key signed over the channel that the old one opens.
ward's sensor, with the certificate, renews it within 10s
ward reads beacon by its certificate
rootca revokes ward, and north gets the list
ward reads beacon by its certificate
