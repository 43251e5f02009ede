# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nftables rules of a lab: as values, as text for nft(8), and as the kernel's expressions.

The kernel stores a rule as a list of small instructions on registers: load, mask, compare, verdict. This file writes
them as nft(8) does, so that nft(8) prints them like its own. When it reads rules, all forms with the same meaning give
the same value, and any other rule gives none. It does without pyroute2, whose nftables classes take longer to load than
a small lab to build. Source: linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.attributes import items, pack, text, to_text, walk

_NESTED = 0x8000
_LIST_ELEM = 1
_EXPR_NAME, _EXPR_DATA = 1, 2
_DATA_VALUE, _DATA_VERDICT, _VERDICT_CODE = 1, 2, 1
# The attributes of each expression, NFTA_*.
_META_DREG, _META_KEY = 1, 2
_CT_DREG, _CT_KEY = 1, 2
_PAYLOAD_DREG, _PAYLOAD_BASE, _PAYLOAD_OFFSET, _PAYLOAD_LEN = 1, 2, 3, 4
_BITWISE_SREG, _BITWISE_DREG, _BITWISE_LEN, _BITWISE_MASK, _BITWISE_XOR, _BITWISE_OP = 1, 2, 3, 4, 5, 6
_CMP_SREG, _CMP_OP, _CMP_DATA = 1, 2, 3
_IMMEDIATE_DREG, _IMMEDIATE_DATA = 1, 2

_NFPROTO = {4: 2, 6: 10}
_REG_VERDICT = 0
_REG_1 = 1
_IIFNAME, _OIFNAME, _NFPROTO_KEY, _IIFKIND, _OIFKIND = 6, 7, 15, 26, 27  # NFT_META_*
_NETWORK_HEADER = 1  # NFT_PAYLOAD_*
_EQ, _NEQ = 0, 1  # NFT_CMP_*
_CT_STATE = 0
_VERDICTS = {"drop": 0, "accept": 1}
_ESTABLISHED_RELATED = struct.pack("=I", 2 | 4)
_IFNAMSIZ = 16
_BRIDGE = b"bridge".ljust(_IFNAMSIZ, b"\0")

# Where an address begins in the header of the network layer.
_ADDRESSES = {("src", 4): 12, ("dst", 4): 16, ("src", 6): 8, ("dst", 6): 24}
_ADDRESS_BYTES = {4: 4, 6: 16}
# The fields that are the name of a link, each with what is compared, and how.
_NAMES = {
    "iif": (_IIFNAME, _EQ),
    "not_iif": (_IIFNAME, _NEQ),
    "oif": (_OIFNAME, _EQ),
    "not_oif": (_OIFNAME, _NEQ),
}
_WORDS = {"iif": "iifname", "not_iif": "iifname !=", "oif": "oifname", "not_oif": "oifname !="}

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclasses.dataclass(frozen=True)
class Rule:
    """The conditions of a rule, which must all hold, and its verdict.

    :ivar family: 4 or 6 for packets of one IP version, 0 for both. Follows from *src* and *dst*, if set.
    :ivar src: source prefix in canonical CIDR form (ValueError if host bits are set); "" for any.
    :ivar dst: destination prefix, likewise.
    :ivar iif: name of the incoming interface; "" for any.
    :ivar not_iif: any incoming interface except this one.
    :ivar oif: name of the outgoing interface; "" for any.
    :ivar not_oif: any outgoing interface except this one.
    :ivar bridged: both interfaces are bridges.
    :ivar ct_established: the packet belongs to an accepted connection, or is related to one.
    :ivar verdict: ``masquerade`` (in a chain of type nat), ``accept`` or ``drop``.
    """

    family: int = 0
    src: str = ""
    dst: str = ""
    iif: str = ""
    not_iif: str = ""
    oif: str = ""
    not_oif: str = ""
    bridged: bool = False
    ct_established: bool = False
    verdict: str = "accept"

    def __post_init__(self) -> None:
        for field in ("src", "dst"):
            if getattr(self, field):
                network = ipaddress.ip_network(getattr(self, field))
                if self.family not in (0, network.version):
                    raise ValueError(f"one rule cannot match both IPv4 and IPv6 addresses: {network}")
                object.__setattr__(self, "family", network.version)
                # A prefix that contains every address is the same as the family.
                object.__setattr__(self, field, str(network) if network.prefixlen else "")

    def __str__(self) -> str:
        """The rule as an argument of nft(8)."""
        words = []
        if self.family and not self.src and not self.dst:
            words.append(f"meta nfproto ipv{self.family}")
        words += self._links("iif", "not_iif")
        protocol = {4: "ip", 6: "ip6"}.get(self.family)
        if self.src:
            words.append(f"{protocol} saddr {self.src}")
        words += self._links("oif", "not_oif")
        if self.dst:
            words.append(f"{protocol} daddr {self.dst}")
        if self.bridged:
            words.append('meta iifkind "bridge" meta oifkind "bridge"')
        if self.ct_established:
            words.append("ct state established,related")
        return " ".join([*words, self.verdict])

    def _links(self, *fields: str) -> list[str]:
        return [f"{_WORDS[field]} {quoted(getattr(self, field))}" for field in fields if getattr(self, field)]


def quoted(link: str) -> str:
    """A link's name, quoted for nft(8), in which an asterisk at the end is a wildcard."""
    return '"{0}"'.format(link[:-1] + "\\*" if link.endswith("*") else link)


@dataclasses.dataclass(frozen=True)
class Unknown:
    """A rule in the kernel that no :class:`Rule` describes. It differs from all of these.

    :ivar text: the names of its expressions, for people.
    :ivar expressions: the kernel's own bytes, to restore the rule; empty if it needs a set or an object, and cannot be
        restored.
    :ivar userdata: bytes of user space, such as a comment.
    """

    text: str
    # Counters change, but the rule stays the same.
    expressions: bytes = dataclasses.field(default=b"", compare=False)
    userdata: bytes = dataclasses.field(default=b"", compare=False)

    def __str__(self) -> str:
        return f"a rule not made for a lab ({self.text})"


# ---- to the kernel


def number(kind: int, value: int) -> bytes:
    """An attribute that is a 32-bit number, in network byte order as all of nftables."""
    return pack(kind, struct.pack(">i", value))


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute that contains others."""
    return pack(kind | _NESTED, b"".join(attributes))


def _expression(name: str, *attributes: bytes) -> bytes:
    return nested(_LIST_ELEM, text(_EXPR_NAME, name), nested(_EXPR_DATA, *attributes))


def _value(kind: int, value: bytes) -> bytes:
    return nested(kind, pack(_DATA_VALUE, value))


def _compare(value: bytes, operation: int = _EQ) -> bytes:
    return _expression("cmp", number(_CMP_SREG, _REG_1), number(_CMP_OP, operation), _value(_CMP_DATA, value))


def _mask(value: bytes) -> bytes:
    return _expression(
        "bitwise",
        number(_BITWISE_SREG, _REG_1),
        number(_BITWISE_DREG, _REG_1),
        number(_BITWISE_LEN, len(value)),
        _value(_BITWISE_MASK, value),
        _value(_BITWISE_XOR, bytes(len(value))),
    )


def _meta(key: int, value: bytes, operation: int = _EQ) -> bytes:
    return _expression("meta", number(_META_DREG, _REG_1), number(_META_KEY, key)) + _compare(value, operation)


def _address(field: str, network: Network) -> bytes:
    """Compare a prefix of whole bytes directly, and any other with a mask, as nft(8) does."""
    whole, rest = divmod(network.prefixlen, 8)
    length = _ADDRESS_BYTES[network.version] if rest else whole
    load = _expression(
        "payload",
        number(_PAYLOAD_DREG, _REG_1),
        number(_PAYLOAD_BASE, _NETWORK_HEADER),
        number(_PAYLOAD_OFFSET, _ADDRESSES[field, network.version]),
        number(_PAYLOAD_LEN, length),
    )
    masked = _mask(network.netmask.packed) if rest else b""
    return load + masked + _compare(network.network_address.packed[:length])


def encode(rule: Rule) -> bytes:
    """The rule as the value of NFTA_RULE_EXPRESSIONS; in the order of :meth:`Rule.__str__`."""
    family = _meta(_NFPROTO_KEY, bytes([_NFPROTO[rule.family]])) if rule.family else b""
    made = b"" if rule.src or rule.dst else family
    made += _links(rule, ("iif", "not_iif"))
    if rule.src:
        made += family + _address("src", ipaddress.ip_network(rule.src))
    made += _links(rule, ("oif", "not_oif"))
    if rule.dst:
        made += (b"" if rule.src else family) + _address("dst", ipaddress.ip_network(rule.dst))
    if rule.bridged:
        made += _meta(_IIFKIND, _BRIDGE) + _meta(_OIFKIND, _BRIDGE)
    if rule.ct_established:
        made += _expression("ct", number(_CT_DREG, _REG_1), number(_CT_KEY, _CT_STATE))
        made += _mask(_ESTABLISHED_RELATED) + _compare(bytes(4), _NEQ)
    if rule.verdict == "masquerade":
        return made + _expression("masq")
    verdict = nested(_DATA_VERDICT, number(_VERDICT_CODE, _VERDICTS[rule.verdict]))
    return made + _expression("immediate", number(_IMMEDIATE_DREG, _REG_VERDICT), nested(_IMMEDIATE_DATA, verdict))


def _links(rule: Rule, fields: t.Sequence[str]) -> bytes:
    made = b""
    for field in fields:
        name = getattr(rule, field)
        key, operation = _NAMES[field]
        made += _meta(key, name.encode().ljust(_IFNAMSIZ, b"\0"), operation) if name else b""
    return made


# ---- from the kernel


class _NotOurs(ValueError):
    pass


def _demand(condition: bool) -> None:
    if not condition:
        raise _NotOurs


class _Register(t.NamedTuple):
    """The content of the register: a value of the packet, its number of bytes, and the mask applied to them.

    :ivar key: ``("meta", key)``, ``("ct", key)``, or an address's field and family.
    """

    key: t.Any
    length: int = 0
    mask: bytes = b""


_Data = dict[int, bytes]


def _number(data: _Data, kind: int) -> int:
    _demand(kind in data)
    return int.from_bytes(data[kind], "big", signed=True)


def _bytes(data: _Data, kind: int) -> bytes:
    found = walk(data.get(kind, b"")).get(_DATA_VALUE)
    _demand(found is not None)
    return t.cast(bytes, found)


def _loaded(name: str, data: _Data) -> _Register:
    if name == "payload":
        _demand(_number(data, _PAYLOAD_DREG) == _REG_1 and _number(data, _PAYLOAD_BASE) == _NETWORK_HEADER)
        offset = _number(data, _PAYLOAD_OFFSET)
        found = [key for key, start in _ADDRESSES.items() if start == offset]
        _demand(bool(found))
        return _Register(found[0], _number(data, _PAYLOAD_LEN))
    _demand(_number(data, _META_DREG) == _REG_1 and len(data) == 2)  # `ct original`: a direction beside
    return _Register((name, _number(data, _META_KEY)))


def _masked(register: _Register, data: _Data) -> _Register:
    _demand(not register.mask and not any(data.get(_BITWISE_OP, b"")))
    _demand(_number(data, _BITWISE_SREG) == _number(data, _BITWISE_DREG) == _REG_1)
    _demand(not any(_bytes(data, _BITWISE_XOR)))
    return register._replace(mask=_bytes(data, _BITWISE_MASK))


def _prefix(register: _Register, value: bytes) -> str:
    size = _ADDRESS_BYTES[register.key[1]]
    length = 8 * len(value)
    if register.mask:
        bits = "".join(f"{byte:08b}" for byte in register.mask)
        length = bits.count("1")
        _demand(len(bits) == 8 * size and bits == "1" * length + "0" * (8 * size - length))
    _demand(len(value) == register.length <= size)
    return str(ipaddress.ip_network((value.ljust(size, b"\0"), length)))


def _matched(register: _Register, data: _Data) -> dict[str, t.Any]:
    """The fields of a rule that follow from a comparison of the register."""
    _demand(_number(data, _CMP_SREG) == _REG_1)
    operation, value = _number(data, _CMP_OP), _bytes(data, _CMP_DATA)
    if register.key == ("ct", _CT_STATE):
        _demand(operation == _NEQ and register.mask == _ESTABLISHED_RELATED and not any(value))
        return {"ct_established": True}
    _demand(register.key is not None)
    kind, key = register.key
    if kind in ("src", "dst"):
        _demand(operation == _EQ)
        return {kind: _prefix(register, value), "family of " + kind: key}
    _demand(kind == "meta" and not register.mask)
    if key == _NFPROTO_KEY:
        families = [family for family, number_of in _NFPROTO.items() if value == bytes([number_of])]
        _demand(operation == _EQ and bool(families))
        return {"family": families[0]}
    if key in (_IIFKIND, _OIFKIND):
        _demand(operation == _EQ and value == _BRIDGE)
        return {"bridge to" if key == _OIFKIND else "bridge from": True}
    fields = [field for field, how in _NAMES.items() if how == (key, operation)]
    _demand(bool(fields) and len(value) == _IFNAMSIZ)  # shorter: all names that begin like this
    return {fields[0]: value.rstrip(b"\0").decode()}


def _verdict(data: _Data) -> str:
    code = walk(walk(data.get(_IMMEDIATE_DATA, b"")).get(_DATA_VERDICT, b""))
    found = [word for word, number_of in _VERDICTS.items() if number_of == _number(code, _VERDICT_CODE)]
    _demand(bool(found))
    return found[0]


def _expressions(data: bytes) -> t.Iterator[tuple[str, _Data]]:
    for dummy, element in items(data):
        read = walk(element)
        yield to_text(read.get(_EXPR_NAME, b"")), walk(read.get(_EXPR_DATA, b""))


def names(data: bytes) -> list[str]:
    """The names of the expressions in a NFTA_RULE_EXPRESSIONS."""
    return [name for name, dummy in _expressions(data)]


def decode(data: bytes) -> Rule | None:
    """The rule that a NFTA_RULE_EXPRESSIONS stands for. None for any other rule."""
    try:
        return _decode(data)
    except ValueError:  # also: an address with host bits, a name that is not text
        return None


def _decode(data: bytes) -> Rule:
    fields: dict[str, t.Any] = {}
    register = _Register(None)
    for name, told in _expressions(data):
        _demand("verdict" not in fields)
        found: dict[str, t.Any] = {}
        if name in ("meta", "payload", "ct"):
            register = _loaded(name, told)
        elif name == "bitwise":
            register = _masked(register, told)
        elif name == "cmp":
            found = _matched(register, told)
        elif name == "masq":
            _demand(not told)  # no ports, no flags
            found = {"verdict": "masquerade"}
        else:
            _demand(name == "immediate")
            found = {"verdict": _verdict(told)}
        _demand(not fields.keys() & found.keys())
        fields.update(found)
    _demand("verdict" in fields)
    for field in ("src", "dst"):
        # Without the family, the same bytes would be compared in packets of the other one.
        _demand(fields.pop("family of " + field, fields.get("family")) == fields.get("family"))
    bridges = [fields.pop(field, False) for field in ("bridge from", "bridge to")]
    _demand(bridges[0] == bridges[1])
    return Rule(**fields, bridged=bridges[0])
