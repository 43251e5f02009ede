ip addr add 10.0.0.1/24 dev eth1
ip link add br0 type bridge
ip link set br0 up
ip addr add 172.20.0.1/24 dev br0
ip route add 172.21.0.0/24 via 10.0.0.2
