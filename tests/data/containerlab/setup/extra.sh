ip addr add 172.21.0.1/32 dev lo
