// Copyright (c) 2026, linuxnet.lab contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// floor build N | floor remove N
//
// Builds the lab of engine.py with only the necessary messages: N named namespaces on one bridge, each with `lo` and a
// link up, an address and a default route. It uses only netlink, creates both ends of a pair in their namespaces, and
// sets the bridge up last. It sets no marks of ownership, and does not read the kernel first.
// Sources: rtnetlink(7), unshare(2), mount(2).

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    AT_ONCE = 100,   // namespaces whose descriptors are open at the same time
    INNER_INDEX = 2, // the index of the first link after `lo`
    GROUP = 7671,    // the group of all outer ends, so that one message deletes them
    PREFIX = 16,
};

static char buffer[1 << 17];
static size_t used;
static uint32_t bridge_index;

static void must(int result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static int netlink(void) {
    int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    must(sock, "socket");
    return sock;
}

static void *append(const void *data, size_t size) {
    void *place = buffer + used;
    memset(place, 0, NLMSG_ALIGN(size));
    if (data) memcpy(place, data, size);
    used += NLMSG_ALIGN(size);
    return place;
}

static struct nlmsghdr *begin(int type, int flags, const void *fixed, size_t size) {
    struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
    struct nlmsghdr *made = append(&header, sizeof header);
    append(fixed, size);
    return made;
}

static void end(struct nlmsghdr *made) { made->nlmsg_len = buffer + used - (char *)made; }

static struct rtattr *attribute(int type, const void *data, size_t size) {
    struct rtattr *made = append(NULL, sizeof *made);
    made->rta_type = type;
    made->rta_len = RTA_LENGTH(size);
    if (size) append(data, size);
    return made;
}

static void close_nest(struct rtattr *nest) { nest->rta_len = buffer + used - (char *)nest; }

static void text(int type, const char *value) { attribute(type, value, strlen(value) + 1); }

static void number(int type, uint32_t value) { attribute(type, &value, sizeof value); }

// Send the appended messages. Only the last one requests an acknowledgement. The kernel reports errors of all of them.
static void send_all(int sock) {
    struct nlmsghdr *last = (struct nlmsghdr *)buffer;
    while ((char *)last + last->nlmsg_len < buffer + used) last = (void *)((char *)last + last->nlmsg_len);
    last->nlmsg_flags |= NLM_F_ACK;
    must(send(sock, buffer, used, 0), "send");
    used = 0;
    char answer[8192];
    must(recv(sock, answer, sizeof answer, 0), "recv");
    struct nlmsgerr *error = NLMSG_DATA(answer);
    if (error->error) {
        errno = -error->error;
        perror("refused");
        exit(1);
    }
}

static void set_up(uint32_t index) {
    struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    end(begin(RTM_NEWLINK, 0, &link, sizeof link));
}

static void path_of(char *path, int n) { sprintf(path, "/run/netns/web%d", n); }

static int new_namespace(int n) {
    char path[64];
    path_of(path, n);
    int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
    must(file, path);
    close(file);
    must(unshare(CLONE_NEWNET), "unshare");
    must(mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL), "mount");
    return netlink();
}

static void pair(int n, int home) {
    char name[IFNAMSIZ], path[64];
    sprintf(name, "v%d", n);
    path_of(path, n);
    struct ifinfomsg outer = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct ifinfomsg inner = {.ifi_index = INNER_INDEX};
    struct nlmsghdr *made = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &outer, sizeof outer);
    text(IFLA_IFNAME, name);
    number(IFLA_MASTER, bridge_index);
    number(IFLA_GROUP, GROUP);
    struct rtattr *info = attribute(IFLA_LINKINFO, NULL, 0);
    text(IFLA_INFO_KIND, "veth");
    struct rtattr *data = attribute(IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = attribute(VETH_INFO_PEER, NULL, 0);
    append(&inner, sizeof inner);
    text(IFLA_IFNAME, "eth0");
    number(IFLA_NET_NS_FD, home);
    close_nest(peer);
    close_nest(data);
    close_nest(info);
    end(made);
}

static void configure(int n) {
    uint32_t address = htonl(0x0a000000 + n + 1), gateway = htonl(0x0a000001);
    struct ifaddrmsg of_link = {.ifa_family = AF_INET, .ifa_prefixlen = PREFIX, .ifa_index = INNER_INDEX};
    struct rtmsg way = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
                        .rtm_type = RTN_UNICAST};
    set_up(1);
    set_up(INNER_INDEX);
    struct nlmsghdr *made = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &of_link, sizeof of_link);
    attribute(IFA_LOCAL, &address, sizeof address);
    attribute(IFA_ADDRESS, &address, sizeof address);
    end(made);
    made = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &way, sizeof way);
    attribute(RTA_GATEWAY, &gateway, sizeof gateway);
    end(made);
}

static void build(int count) {
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), host = netlink();
    mkdir("/run/netns", 0755);
    must(mount("/run/netns", "/run/netns", "none", MS_BIND | MS_REC, NULL), "mount");
    must(mount("", "/run/netns", "none", MS_SHARED | MS_REC, NULL), "mount");
    struct ifinfomsg link = {0};
    struct nlmsghdr *made = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    text(IFLA_IFNAME, "br0");
    struct rtattr *info = attribute(IFLA_LINKINFO, NULL, 0);
    text(IFLA_INFO_KIND, "bridge");
    close_nest(info);
    end(made);
    send_all(host);
    bridge_index = if_nametoindex("br0");
    for (int first = 1; first <= count; first += AT_ONCE) {
        int past = first + AT_ONCE <= count ? first + AT_ONCE : count + 1;
        int socks[AT_ONCE], files[AT_ONCE];
        for (int n = first; n < past; n++) {
            char path[64];
            path_of(path, n);
            socks[n - first] = new_namespace(n);
            files[n - first] = open(path, O_RDONLY | O_CLOEXEC);
        }
        for (int n = first; n < past; n++) pair(n, files[n - first]);
        send_all(host);
        for (int n = first; n < past; n++) {
            configure(n);
            send_all(socks[n - first]);
            close(socks[n - first]);
            close(files[n - first]);
        }
    }
    must(setns(home, CLONE_NEWNET), "setns");
    struct in_addr gateway = {htonl(0x0a000001)};
    struct ifaddrmsg of_bridge = {.ifa_family = AF_INET, .ifa_prefixlen = PREFIX, .ifa_index = bridge_index};
    made = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &of_bridge, sizeof of_bridge);
    attribute(IFA_LOCAL, &gateway, sizeof gateway);
    end(made);
    set_up(bridge_index);
    send_all(host);
    int forward = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
    must(write(forward, "1", 1), "ip_forward");
}

// Returns when the links have been deleted. The kernel destroys the namespaces a moment later.
static void remove_all(int count) {
    int host = netlink();
    struct ifinfomsg bridge = {.ifi_index = if_nametoindex("br0")}, any = {0};
    end(begin(RTM_DELLINK, 0, &bridge, sizeof bridge));
    struct nlmsghdr *made = begin(RTM_DELLINK, 0, &any, sizeof any);
    number(IFLA_GROUP, GROUP);
    end(made);
    send_all(host);
    for (int n = 1; n <= count; n++) {
        char path[64];
        path_of(path, n);
        must(umount2(path, MNT_DETACH), path);
        must(unlink(path), path);
    }
    must(umount2("/run/netns", MNT_DETACH), "umount");
}

int main(int argc, char **argv) {
    int count = argc == 3 ? atoi(argv[2]) : 0;
    if (count > 0 && !strcmp(argv[1], "build")) build(count);
    else if (count > 0 && !strcmp(argv[1], "remove")) remove_all(count);
    else {
        fprintf(stderr, "usage: floor build|remove N\n");
        return 2;
    }
    return 0;
}
