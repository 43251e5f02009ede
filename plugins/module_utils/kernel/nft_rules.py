# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that a lab needs of nftables, as values, as text for nft(8), and as the kernel's expressions.

The kernel holds a rule as a list of small instructions on registers: load, mask, compare, verdict. They are
made here as nft(8) makes them, so that it prints them as it prints its own. In the other direction all forms
that mean the same give the same value, and what means anything else gives none.
Source: linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import struct
import typing as t

_NFPROTO = {4: 2, 6: 10}
_REG_VERDICT = 0
_REG_1 = 1
_META_IIFNAME = 6
_META_OIFNAME = 7
_META_NFPROTO = 15
_PAYLOAD_NETWORK_HEADER = 1
_CMP_EQ = 0
_CMP_NEQ = 1
_CT_STATE = 0
_VERDICT_CODES = {"drop": 0, "accept": 1}
_ESTABLISHED_RELATED = struct.pack("=I", 2 | 4)
_IFNAMSIZ = 16

# Where an address begins in the header of the network layer.
_ADDRESSES = {("src", 4): 12, ("dst", 4): 16, ("src", 6): 8, ("dst", 6): 24}
_ADDRESS_BYTES = {4: 4, 6: 16}

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a rule matches, all of it at once, and its verdict.

    :ivar family: 4 or 6: that family's packets alone; 0: both. Follows from *src* and *dst* where given.
    :ivar src: source prefix in canonical CIDR form (ValueError where host bits are set); "" for any.
    :ivar dst: destination prefix, likewise.
    :ivar iif: name of the interface by which the packet came; "" for any.
    :ivar oif: name of the interface by which it leaves; "" for any.
    :ivar not_oif: it leaves by any interface but this one.
    :ivar ct_established: it belongs to a connection that was let through before, or is related to one.
    :ivar verdict: ``masquerade`` (in a chain of type nat), ``accept`` or ``drop``.
    """

    family: int = 0
    src: str = ""
    dst: str = ""
    iif: str = ""
    oif: str = ""
    not_oif: str = ""
    ct_established: bool = False
    verdict: str = "accept"

    def __post_init__(self) -> None:
        for field in ("src", "dst"):
            if getattr(self, field):
                network = ipaddress.ip_network(getattr(self, field))
                if self.family not in (0, network.version):
                    raise ValueError(f"one rule cannot match both IPv4 and IPv6 addresses: {network}")
                object.__setattr__(self, "family", network.version)
                # A prefix that holds every address says no more than the family.
                object.__setattr__(self, field, str(network) if network.prefixlen else "")

    def __str__(self) -> str:
        """The rule as nft(8) takes it."""
        words = []
        if self.family and not self.src and not self.dst:
            words.append(f"meta nfproto ipv{self.family}")
        for field, keyword in (("src", "saddr"), ("dst", "daddr")):
            if getattr(self, field):
                protocol = {4: "ip", 6: "ip6"}[self.family]
                words.append(f"{protocol} {keyword} {getattr(self, field)}")
        for field, keyword in (("iif", "iifname"), ("oif", "oifname"), ("not_oif", "oifname !=")):
            if getattr(self, field):
                words.append(f'{keyword} "{getattr(self, field)}"')
        if self.ct_established:
            words.append("ct state established,related")
        return " ".join([*words, self.verdict])


@dataclasses.dataclass(frozen=True)
class Unknown:
    """A rule of the kernel's that no :class:`Rule` describes; unequal to all of those.

    :ivar text: the names of its expressions, for people.
    :ivar expressions: the kernel's own bytes, to restore it with; empty where the rule needs a set or an
        object beside it and so cannot be restored.
    :ivar userdata: the bytes that user space keeps with it, such as a comment.
    """

    text: str
    # Counters count on; a rule does not become another one by that.
    expressions: bytes = dataclasses.field(default=b"", compare=False)
    userdata: bytes = dataclasses.field(default=b"", compare=False)

    def __str__(self) -> str:
        return f"a rule not made for a lab ({self.text})"


# ---- to the kernel

# What pyroute2's classes take as an attribute, or as a nested one.
_Attribute = tuple[str, t.Any]
_Nested = dict[str, list[_Attribute]]


def _expression(name: str, *attributes: _Attribute) -> _Nested:
    prefix = f"NFTA_{name.upper()}_"
    data = {"attrs": [(prefix + key, value) for key, value in attributes]}
    return {"attrs": [("NFTA_EXPR_NAME", name), ("NFTA_EXPR_DATA", data)]}


def _bytes(value: bytes) -> _Nested:
    return {"attrs": [("NFTA_DATA_VALUE", value)]}


def _compare(value: bytes, operation: int = _CMP_EQ) -> _Nested:
    return _expression("cmp", ("SREG", _REG_1), ("OP", operation), ("DATA", _bytes(value)))


def _mask(value: bytes) -> _Nested:
    return _expression(
        "bitwise",
        ("SREG", _REG_1),
        ("DREG", _REG_1),
        ("LEN", len(value)),
        ("MASK", _bytes(value)),
        ("XOR", _bytes(bytes(len(value)))),
    )


def _meta(key: int) -> _Nested:
    return _expression("meta", ("KEY", key), ("DREG", _REG_1))


def _address(field: str, network: Network) -> list[_Nested]:
    """A prefix of whole bytes is compared as such, any other under a mask; so does nft(8)."""
    whole, rest = divmod(network.prefixlen, 8)
    length = _ADDRESS_BYTES[network.version] if rest else whole
    load = _expression(
        "payload",
        ("DREG", _REG_1),
        ("BASE", _PAYLOAD_NETWORK_HEADER),
        ("OFFSET", _ADDRESSES[field, network.version]),
        ("LEN", length),
    )
    masked = [_mask(network.netmask.packed)] if rest else []
    return [load, *masked, _compare(network.network_address.packed[:length])]


def encode(rule: Rule) -> list[_Nested]:
    """The rule as the value of pyroute2's NFTA_RULE_EXPRESSIONS."""
    made = []
    if rule.family:
        made += [_meta(_META_NFPROTO), _compare(bytes([_NFPROTO[rule.family]]))]
    for field in ("src", "dst"):
        if getattr(rule, field):
            made += _address(field, ipaddress.ip_network(getattr(rule, field)))
    for name, key, operation in (
        (rule.iif, _META_IIFNAME, _CMP_EQ),
        (rule.oif, _META_OIFNAME, _CMP_EQ),
        (rule.not_oif, _META_OIFNAME, _CMP_NEQ),
    ):
        if name:
            made += [_meta(key), _compare(name.encode().ljust(_IFNAMSIZ, b"\0"), operation)]
    if rule.ct_established:
        made.append(_expression("ct", ("DREG", _REG_1), ("KEY", _CT_STATE)))
        made += [_mask(_ESTABLISHED_RELATED), _compare(bytes(4), _CMP_NEQ)]
    if rule.verdict == "masquerade":
        made.append(_expression("masq"))
    else:
        verdict = {"attrs": [("NFTA_VERDICT_CODE", _VERDICT_CODES[rule.verdict])]}
        data = {"attrs": [("NFTA_DATA_VERDICT", verdict)]}
        made.append(_expression("immediate", ("DREG", _REG_VERDICT), ("DATA", data)))
    return made


# ---- from the kernel: pyroute2's classes give the kernel's numbers as their names


class _NotOurs(ValueError):
    pass


def _demand(condition: bool) -> None:
    if not condition:
        raise _NotOurs


class _Register(t.NamedTuple):
    """What the register holds: a datum of the packet, how many bytes of it, and the mask laid over them."""

    key: t.Any
    length: int = 0
    mask: bytes = b""


def verdict_of(expression: t.Any) -> str:
    """``accept`` or ``drop`` where the expression is that verdict, else ""."""
    data = expression.get_attr("NFTA_EXPR_DATA")
    if expression.get_attr("NFTA_EXPR_NAME") != "immediate":
        return ""
    verdict = data.get_attr("NFTA_IMMEDIATE_DATA").get_attr("NFTA_DATA_VERDICT")
    code = verdict.get_attr("NFTA_VERDICT_CODE") if verdict else None
    return {"NF_ACCEPT": "accept", "NF_DROP": "drop"}.get(code, "")


def _loaded(name: str, data: t.Any) -> _Register:
    _demand(data.get_attr(f"NFTA_{name.upper()}_DREG") == "NFT_REG_1")
    if name == "payload":
        _demand(data.get_attr("NFTA_PAYLOAD_BASE") == "NFT_PAYLOAD_NETWORK_HEADER")
        offset = data.get_attr("NFTA_PAYLOAD_OFFSET")
        found = [key for key, start in _ADDRESSES.items() if start == offset]
        _demand(bool(found))
        return _Register(found[0], data.get_attr("NFTA_PAYLOAD_LEN"))
    return _Register(data.get_attr(f"NFTA_{name.upper()}_KEY"))


def _masked(register: _Register, data: t.Any) -> _Register:
    _demand(not register.mask and data.get_attr("NFTA_BITWISE_OP") in (None, "NFT_BITWISE_BOOL"))
    _demand(data.get_attr("NFTA_BITWISE_SREG") == data.get_attr("NFTA_BITWISE_DREG") == "NFT_REG_1")
    mask, xor = data.get_attr("NFTA_BITWISE_MASK"), data.get_attr("NFTA_BITWISE_XOR")
    _demand(bool(mask) and bool(xor) and not any(xor.get_attr("NFTA_DATA_VALUE")))
    return register._replace(mask=bytes(mask.get_attr("NFTA_DATA_VALUE")))


def _prefix(register: _Register, value: bytes) -> str:
    size = _ADDRESS_BYTES[register.key[1]]
    length = 8 * len(value)
    if register.mask:
        bits = "".join(f"{byte:08b}" for byte in register.mask)
        length = bits.count("1")
        _demand(len(bits) == 8 * size and bits == "1" * length + "0" * (8 * size - length))
    _demand(len(value) == register.length <= size)
    return str(ipaddress.ip_network((value.ljust(size, b"\0"), length)))


def _matched(register: _Register, data: t.Any) -> dict[str, t.Any]:
    """The fields of a rule that a comparison of the register gives."""
    _demand(data.get_attr("NFTA_CMP_SREG") == "NFT_REG_1")
    operation = data.get_attr("NFTA_CMP_OP")
    value = bytes(data.get_attr("NFTA_CMP_DATA").get_attr("NFTA_DATA_VALUE"))
    if register.key == "NFT_CT_STATE":
        _demand(operation == "NFT_CMP_NEQ" and register.mask == _ESTABLISHED_RELATED and not any(value))
        return {"ct_established": True}
    if isinstance(register.key, tuple):
        _demand(operation == "NFT_CMP_EQ")
        return {register.key[0]: _prefix(register, value), "family of " + register.key[0]: register.key[1]}
    _demand(not register.mask)
    if register.key == "NFT_META_NFPROTO":
        families = [family for family, number in _NFPROTO.items() if value == bytes([number])]
        _demand(operation == "NFT_CMP_EQ" and bool(families))
        return {"family": families[0]}
    field = {
        ("NFT_META_IIFNAME", "NFT_CMP_EQ"): "iif",
        ("NFT_META_OIFNAME", "NFT_CMP_EQ"): "oif",
        ("NFT_META_OIFNAME", "NFT_CMP_NEQ"): "not_oif",
    }.get((register.key, operation))
    _demand(field is not None and len(value) == _IFNAMSIZ)  # shorter: all names that begin like this
    return {str(field): value.rstrip(b"\0").decode()}


def decode(expressions: t.Sequence[t.Any]) -> Rule | None:
    """The rule that pyroute2's decoded NFTA_RULE_EXPRESSIONS mean; None where they mean anything else."""
    try:
        return _decode(expressions)
    except ValueError:  # also: an address with host bits, a name that is not text
        return None


def _decode(expressions: t.Sequence[t.Any]) -> Rule:
    fields: dict[str, t.Any] = {}
    register = _Register(None)
    for expression in expressions:
        name, data = expression.get_attr("NFTA_EXPR_NAME"), expression.get_attr("NFTA_EXPR_DATA")
        _demand("verdict" not in fields)
        found: dict[str, t.Any] = {}
        if name in ("meta", "payload", "ct"):
            register = _loaded(name, data)
        elif name == "bitwise":
            register = _masked(register, data)
        elif name == "cmp":
            found = _matched(register, data)
        elif name == "masq":
            _demand(not data or not data["attrs"])  # no ports, no flags
            found = {"verdict": "masquerade"}
        else:
            found = {"verdict": verdict_of(expression)}
            _demand(bool(found["verdict"]))
        _demand(not fields.keys() & found.keys())
        fields.update(found)
    _demand("verdict" in fields)
    for field in ("src", "dst"):
        # Without the family, the same bytes would be compared in packets of the other one.
        _demand(fields.pop("family of " + field, fields.get("family")) == fields.get("family"))
    return Rule(**fields)
