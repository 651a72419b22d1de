"""Links that lead, or try to lead, to where nobody from outside may get."""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address

from tests.standins.canaries import OTHERS, PUBLIC, moving
from upstreams.network import addresses_of

Groups = Mapping[str, Sequence[str]]  # links, by what they have in common

OPEN = "open.test"
METADATA = ("169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
IPV4 = (
    *METADATA[:4],
    *("169.254.170.2", "169.254.0.1", "127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0"),
    *("0.1.2.3", "10.0.0.1", "10.255.255.254", "172.16.0.1", "172.31.255.254", "192.168.0.1"),
    *("192.168.255.254", "100.64.0.1", "100.127.255.254", "192.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("198.19.255.254", "198.51.100.1", "203.0.113.1", "192.88.99.1", "240.0.0.1", "250.1.2.3"),
)
IPV6 = (
    *("fd00:ec2::254", "fd20:ce::254", "::1", "::", "::2", "::7f00:1", "::a9fe:a9fe"),
    *("::ffff:0:7f00:1", "::ffff:0:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1"),
    *("64:ff9b::a00:1", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2002:7f00:1::1"),
    *("2002:a00:1::1", "2001:0:a9fe:a9fe::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
    *("3fff::1", "fc00::1", "fd12:3456::1", "fec0::1", "100::1", "5f00::1", "4000::1", "8000::1"),
)
ADDRESSES = (*IPV4, *IPV6)
FRONTS = ("http://{}/", "http://{}:8080/", "https://{}/", "https://{}:8443/")
STATUSES = (301, 302, 303, 307, 308)
FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９。")  # noqa: RUF001
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")

Spelling = Callable[[int], str]
SPELLINGS4: Mapping[str, Spelling] = {
    "dotted": lambda number: str(IPv4Address(number)),
    "decimal": str,
    "hexadecimal": lambda number: f"0x{number:08x}",
    "octal parts": lambda number: ".".join(f"0{part:o}" for part in number.to_bytes(4)),
    "short": lambda number: f"{number >> 24}.{number & 0xFFFFFF}",
    "full-width": lambda number: str(IPv4Address(number)).translate(FULL_WIDTH),
    "circled": lambda number: str(IPv4Address(number)).translate(CIRCLED),
    "mapped": lambda number: f"[::ffff:{IPv4Address(number)}]",
}
SPELLINGS6: Mapping[str, Spelling] = {
    "shortest": lambda number: f"[{IPv6Address(number)}]",
    "whole": lambda number: f"[{IPv6Address(number).exploded}]",
    "capitals": lambda number: f"[{IPv6Address(number)}]".upper(),
    "dotted tail": lambda number: f"[{_dotted_tail(number)}]",
    "zone": lambda number: f"[{IPv6Address(number)}%25lo]",
}


def _dotted_tail(number: int) -> str:
    head = IPv6Address(number).exploded[:30]
    return f"{head}{IPv4Address(number & 0xFFFFFFFF)}"


def name_of(address: str) -> str:
    """A name that has this address."""
    return f"n{address.replace('.', '-').replace(':', '-')}.test"


def addresses(which: Sequence[str] = ADDRESSES) -> Groups:
    """Each address in each of its spellings and by a name, at the ports of the web in turn."""
    return {address: _spelt(number, address) for number, address in enumerate(which)}


def _spelt(number: int, address: str) -> list[str]:
    is_old = ":" not in address
    value = int(IPv4Address(address) if is_old else IPv6Address(address))
    spellings = (SPELLINGS4 if is_old else SPELLINGS6).values()
    hosts = [*(spell(value) for spell in spellings), name_of(address)]
    return [FRONTS[(number + place) % len(FRONTS)].format(host) for place, host in enumerate(hosts)]


def redirects() -> Groups:
    """From an open page over one to four redirects."""
    targets = (
        *(
            "http://169.254.169.254/",
            "//127.0.0.1/",
            "http://2130706433:8080/",
            "https://10.0.0.1/",
        ),
        *("http://[::ffff:100.100.100.200]/", "http://[64:ff9b::a9fe:a9fe]/"),
        *("http:\\\\127.1/", f"http://{name_of('168.63.129.16')}/"),
    )
    pairs = [(status, target) for target in targets for status in STATUSES]
    return {
        f"{status} {target}": [f"http://{OPEN}{moving(target, status=status, hops=1 + n % 4)}"]
        for n, (status, target) in enumerate(pairs)
    }


INSIDE = ("127.0.0.1", "169.254.169.254", "10.0.0.1", "fd00:ec2::254")
TURNS: Mapping[str, Callable[[str], Sequence[Sequence[str]]]] = {
    "open, then inside": lambda bad: [[PUBLIC[0]], [bad]],
    "inside, then open": lambda bad: [[bad], [PUBLIC[0]]],
    "open twice, then inside": lambda bad: [[PUBLIC[0]], [PUBLIC[1]], [bad]],
    "both, inside first": lambda bad: [[bad, PUBLIC[0]]],
    "both, then inside": lambda bad: [[PUBLIC[0], bad], [bad]],
}


def _turning(number: int, place: int) -> str:
    return f"turn{number}-{place}.test"


def rebinding() -> Groups:
    """Names whose addresses change: asked for again and again, and through a redirect to itself."""
    hosts = [_turning(n, m) for n in range(len(TURNS)) for m in range(len(INSIDE))]
    return {
        host: [
            f"http://{host}/?1",
            f"http://{host}{moving(f'http://{host}:8080/')}",
            f"https://{host}/",
        ]
        for host in hosts
    }


class Names:
    """A resolver with names of its own, which answer look-up after look-up; the last answer stays.

    Other names are the system's affair.
    """

    def __init__(self) -> None:
        self._left: dict[str, list[Sequence[str]]] = {
            OPEN: [PUBLIC],
            **{name_of(address): [[address]] for address in (*ADDRESSES, *PUBLIC)},
        }
        for n, turn in enumerate(TURNS.values()):
            self._left |= {_turning(n, m): list(turn(bad)) for m, bad in enumerate(INSIDE)}

    def __call__(self, host: str, port: int) -> list[str]:
        """The next answer."""
        left = self._left.get(host.rstrip("."))
        if left is None:
            return addresses_of(host, port)
        return list(left.pop(0) if len(left) > 1 else left[0])


BAD = "169.254.169.254"
TRICKS = (
    *(f"http://{OPEN}@{BAD}/", f"http://{OPEN}:80@{BAD}/", f"http://{OPEN}%40{BAD}/"),
    *(f"http://{BAD}#@{OPEN}/", f"http://{BAD}?@{OPEN}/", f"http://{BAD}/@{OPEN}/"),
    *(f"http://{BAD}\\@{OPEN}/", f"http://{OPEN}\\@{BAD}/", f"http:\\\\{BAD}\\", f"http:{BAD}/"),
    *(f"http:/{BAD}/", f"http:///{BAD}/", f"http:////{BAD}/", f"//{BAD}/", f"{BAD}/", f"\\\\{BAD}"),
    *(f"http://{BAD}:80:80/", f"http://{BAD}:80@{OPEN}:80/", f"http://a@{OPEN}@{BAD}/"),
    *(f"http://{OPEN}&@{BAD}#@{OPEN}/", f"http://{OPEN} @{BAD}/", f"http://{OPEN}\t@{BAD}/"),
    *(f"http://{BAD}%00.{OPEN}/", f"http://{BAD}\x00.{OPEN}/", f"http://{BAD}%0d%0a.{OPEN}/"),
    *(f"http://{BAD}\r\nHost: {OPEN}/", f"http://{BAD}%09/", f"http://{BAD}./", f"http://{BAD}../"),
    *(f"http://[{BAD}]/", f"http://[::ffff:{BAD}%25lo]/", "http://[::1", "http://::1/"),
    *("http://[::ffff:a9fe:a9fe]/", "http://[0:0:0:0:0:ffff:a9fe:a9fe]/", "http://%5b::1%5d/"),
    *("http://localhost/", "http://localhost./", "http://LOCALHOST:8080/", "http://0/"),
    *("http://127.1/", "http://127.0.1/", "http://127.0.0.1:00080/", "http://0x7f.1/"),
    *("http://0177.0.0.01/", "http://①②⑦.0.0.1/", "http://127｡0｡0｡1/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/"),
    *("http://loca\u00adlhost/", "http://%6c%6f%63%61%6c%68%6f%73%74/", "http://%31%32%37.0.0.1/"),
    *("http://127.0.0.1:80\u200b/", "http://4294967297/", "http://127.0.0.1%2f@1.1.1.1/"),
    *(" http://127.0.0.1/", "http://127.0.0.1 /", "HtTp://127.0.0.1/", "http://\u202e127.0.0.1/"),
)
SCHEMES = (
    *("file", "ftp", "gopher", "dict", "ldap", "ldaps", "sftp", "tftp", "ws", "wss", "jar:http"),
    *("view-source:http", "unix", "http+unix", "netdoc", "data", "javascript", "blob:http"),
)


def tricks() -> Groups:
    """Links over which parsers differ, by themselves and behind a redirect."""
    return {link: [link, f"http://{OPEN}{moving(link)}"] for link in TRICKS}


def schemes() -> Groups:
    """Links that are not of the web, by themselves and behind a redirect."""
    links = {scheme: f"{scheme}://127.0.0.1:80/etc/passwd" for scheme in SCHEMES}
    return {scheme: [link, f"http://{OPEN}{moving(link)}"] for scheme, link in links.items()}


def ports() -> Groups:
    """Open addresses at ports where no page is served."""
    return {str(port): [f"http://{OPEN}:{port}/", f"http://1.1.1.1:{port}/"] for port in OTHERS}


def controls() -> Groups:
    """What may be fetched, of each open address: by number and name, at both ports, moved."""
    return {address: list(_open_links(address)) for address in PUBLIC}


def _open_links(address: str) -> Sequence[str]:
    host, name = f"[{address}]" if ":" in address else address, name_of(address)
    return (
        *(f"http://{host}/", f"http://{host}:8080/", f"http://{name}/", f"http://{name}:8080/"),
        *(f"http://{name}{moving(f'http://{host}/', hops=3)}", f"HTTP://{name.upper()}./x?y#z"),
    )
