ip addr add 10.0.0.2/24 dev eth1
ip route add 172.20.0.0/24 via 10.0.0.1
