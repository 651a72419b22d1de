"""Further raw requests, and streams of several: what may be answered to them."""

from tests.transport.frames import ASK, frame
from tests.transport.raw import BAD, CHUNKED, ECHO, ELSEWHERE, HOST, LINE, NONE, OK

GO_ON, SWITCHED, NO_CONTENT, NOT_HERE = {100}, {101}, {204}, {405}
UPGRADE = b"Connection: Upgrade\r\nUpgrade: "
SOCKET = "\r\n".join((*ASK, "")).encode()
STRANGE = b"Origin: http://evil.example\r\n"
ASKING = b"Expect: 100-continue\r\n"
TWO = b"Content-Length: 2\r\n"
END = b"\r\n"
CODED = ECHO + HOST + b"Transfer-Encoding:"
UNKNOWN_CODING = {400, 501}

FURTHER: dict[str, tuple[bytes, set[int]]] = {
    # Methods
    "head": (b"HEAD /api HTTP/1.1\r\n" + HOST + END, OK),
    "head in 1.0": (b"HEAD /api HTTP/1.0\r\n\r\n", OK),
    "head of nothing": (b"HEAD /none HTTP/1.1\r\n" + HOST + END, NONE),
    "head of what only posts": (b"HEAD /echo HTTP/1.1\r\n" + HOST + END, NOT_HERE),
    "head with a body": (b"HEAD /api HTTP/1.1\r\n" + HOST + TWO + END + b"hi", OK),
    "head that is refused": (b"HEAD /api HTTP/1.1\r\nHost: evil.example\r\n\r\n", ELSEWHERE),
    "head for a websocket": (b"HEAD /api HTTP/1.1\r\n" + HOST + SOCKET + END, NOT_HERE),
    "options": (b"OPTIONS /api HTTP/1.1\r\n" + HOST + END, NO_CONTENT),
    "options of nothing": (b"OPTIONS /none HTTP/1.1\r\n" + HOST + END, NO_CONTENT),
    "trace": (b"TRACE /api HTTP/1.1\r\n" + HOST + b"Cookie: secret\r\n\r\n", NOT_HERE),
    "trace with a body": (b"TRACE /api HTTP/1.1\r\n" + HOST + TWO + END + b"hi", NOT_HERE),
    "connect to a path": (b"CONNECT /api HTTP/1.1\r\n" + HOST + END, NOT_HERE),
    "connect in 1.0": (b"CONNECT h:443 HTTP/1.0\r\n\r\n", BAD),
    "method of files": (b"PROPFIND /api HTTP/1.1\r\n" + HOST + END, NOT_HERE),
    "long method": (b"A" * 500 + b" /api HTTP/1.1\r\n" + HOST + END, {400, 501}),
    "no method": (b"/api HTTP/1.1\r\n" + HOST + END, BAD),
    "colon in a method": (b"GE:T /api HTTP/1.1\r\n" + HOST + END, BAD),
    # Versions, and other protocols
    "http 0.9 in words": (b"GET /api HTTP/0.9\r\n" + HOST + END, {400, 505}),
    "http 3.0": (b"GET /api HTTP/3.0\r\n" + HOST + END, {400, 505}),
    "http 1.10": (b"GET /api HTTP/1.10\r\n" + HOST + END, {400, 505}),
    "http 1.1.1": (b"GET /api HTTP/1.1.1\r\n" + HOST + END, BAD),
    "http +1.1": (b"GET /api HTTP/+1.1\r\n" + HOST + END, BAD),
    "icap": (b"GET /api ICAP/1.0\r\n" + HOST + END, BAD),
    "rtsp": (b"OPTIONS /api RTSP/1.0\r\n" + HOST + END, BAD),
    "smtp": (b"HELO example.org\r\n", BAD),
    "ssh": (b"SSH-2.0-anything\r\n", BAD),
    "proxy protocol": (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + LINE + HOST + END, BAD),
    "keep-alive in 1.0": (b"GET /api HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", OK),
    # Line ends
    "cr cr lf": (b"GET /api HTTP/1.1\r\r\n" + HOST + END, BAD),
    "lf cr": (b"GET /api HTTP/1.1\n\rHost: h\n\r\n\r", BAD),
    "lf at the end": (LINE + HOST + b"\n", BAD),
    "lf before": (b"\n" + LINE + HOST + END, BAD),
    "cr at the end of a value": (LINE + HOST + b"A: 1\r\r\n\r\n", BAD),
    "vertical tab for a space": (b"GET /api\x0bHTTP/1.1\r\n" + HOST + END, BAD),
    # Targets
    "no target": (b"GET HTTP/1.1\r\n" + HOST + END, BAD),
    "zero byte in the target": (b"GET /api\x00 HTTP/1.1\r\n" + HOST + END, BAD),
    "absolute target of tls": (b"GET https://h/api HTTP/1.1\r\n" + HOST + END, OK),
    "absolute target with a query": (b"GET http://h/api?a=b HTTP/1.1\r\n" + HOST + END, OK),
    "absolute target in 1.0": (b"GET http://h/api HTTP/1.0\r\n\r\n", OK),
    "absolute target alone": (b"GET http://h/api HTTP/1.1\r\n\r\n", BAD),
    "absolute target, no path": (b"GET http://h HTTP/1.1\r\n" + HOST + END, NONE),
    "absolute target, no host": (b"GET http:///api HTTP/1.1\r\n" + HOST + END, BAD),
    "absolute target, fragment": (b"GET http://h/api#x HTTP/1.1\r\n" + HOST + END, BAD),
    "absolute target, odd port": (b"GET http://h:999999/api HTTP/1.1\r\n" + HOST + END, BAD),
    "target that looks like a host": (b"GET //x/api HTTP/1.1\r\n" + HOST + END, NONE),
    "too many parameters": (b"GET /api?" + b"a=1&" * 101 + b" HTTP/1.1\r\n" + HOST + END, BAD),
    "long target": (b"GET /" + b"a" * 1900 + b" HTTP/1.1\r\n" + HOST + END, NONE),
    # Host
    "host of a stranger": (LINE + b"Host: evil.example\r\n\r\n", ELSEWHERE),
    "two hosts, spelled apart": (LINE + HOST + b"HOST: h\r\n\r\n", BAD),
    "host with a named port": (LINE + b"Host: h:http\r\n\r\n", BAD),
    "host with half a port": (LINE + b"Host: h:\r\n\r\n", BAD),
    "host with a space": (LINE + b"Host: h h\r\n\r\n", BAD),
    "host with a percent sign": (LINE + b"Host: %68\r\n\r\n", BAD),
    "host with other letters": (LINE + b"Host: \xc3\xa9\r\n\r\n", BAD),
    "host with a zero byte": (LINE + b"Host: h\x00\r\n\r\n", BAD),
    "host folded": (LINE + b"Host:\r\n h\r\n\r\n", BAD),
    "tab before colon": (LINE + b"Host\t: h\r\n\r\n", BAD),
    # Fields
    "name with other letters": (LINE + HOST + b"\xe9: 1\r\n\r\n", BAD),
    "name in quotes": (LINE + HOST + b'"a": 1\r\n\r\n', BAD),
    "escape in a value": (LINE + HOST + b"A: \x1b[0m\r\n\r\n", BAD),
    # Content-Length
    "length of nothing": (ECHO + HOST + b"Content-Length: 0\r\n\r\n", OK),
    "length with zeros": (ECHO + HOST + b"Content-Length: 0002\r\n\r\nhi", OK),
    "length between tabs": (ECHO + HOST + b"Content-Length:\t2\t\r\n\r\nhi", OK),
    "length by another name": (ECHO + HOST + b"Content_Length: 9\r\n\r\n", OK),
    "length in two parts": (ECHO + HOST + b"Content-Length: 1 0\r\n\r\n0123456789", BAD),
    "length with an exponent": (ECHO + HOST + b"Content-Length: 1e1\r\n\r\n0123456789", BAD),
    "length with a form feed": (ECHO + HOST + b"Content-Length: 2\x0c\r\n\r\nhi", BAD),
    "length before a space": (ECHO + HOST + b"Content-Length : 2\r\n\r\nhi", BAD),
    "length folded": (ECHO + HOST + b"Content-Length:\r\n 2\r\n\r\nhi", BAD),
    "length of a petabyte": (ECHO + HOST + b"Content-Length: 999999999999999\r\n\r\n", {413}),
    # Transfer-Encoding
    "chunked on get": (
        LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK,
    ),
    "chunked before a tab": (CODED + b" chunked\t\r\n\r\n0\r\n\r\n", {200, 400}),
    "chunked in quotes": (CODED + b' "chunked"\r\n\r\n0\r\n\r\n', UNKNOWN_CODING),
    "chunked with a parameter": (CODED + b" chunked;q=1\r\n\r\n0\r\n\r\n", UNKNOWN_CODING),
    "chunked and a comma": (CODED + b" chunked,\r\n\r\n0\r\n\r\n", UNKNOWN_CODING),
    "a comma and chunked": (CODED + b" ,chunked\r\n\r\n0\r\n\r\n", UNKNOWN_CODING),
    "chunked, chunked": (CODED + b" chunked, chunked\r\n\r\n0\r\n\r\n", UNKNOWN_CODING),
    "deflate": (CODED + b" deflate\r\n\r\n", UNKNOWN_CODING),
    "chunked folded": (CODED + b"\r\n chunked\r\n\r\n0\r\n\r\n", BAD),
    "length of nothing and chunked": (
        CODED + b" chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        BAD,
    ),
    "identity and length": (CODED + b" identity\r\n" + TWO + END + b"hi", UNKNOWN_CODING),
    # Chunks
    "chunk size in capitals": (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", OK),
    "chunk with an extension": (CHUNKED + b"2;a=b\r\nhi\r\n0\r\n\r\n", OK),
    "trailer": (CHUNKED + b"2\r\nhi\r\n0\r\nX: y\r\n\r\n", OK),
    "length in the trailer": (CHUNKED + b"2\r\nhi\r\n0\r\nContent-Length: 9\r\n\r\n", OK),
    "chunk size with 0x": (CHUNKED + b"0x2\r\nhi\r\n0\r\n\r\n", BAD),
    "chunk size below nothing": (CHUNKED + b"-2\r\nhi\r\n0\r\n\r\n", BAD),
    "chunk size after a space": (CHUNKED + b" 2\r\nhi\r\n0\r\n\r\n", BAD),
    "no chunk size": (CHUNKED + b"\r\nhi\r\n0\r\n\r\n", BAD),
    "extension by lf": (CHUNKED + b"2;a\nhi\r\n0\r\n\r\n", BAD),
    "chunk ended by lf": (CHUNKED + b"2\r\nhi\n0\r\n\r\n", BAD),
    "last chunk by lf": (CHUNKED + b"2\r\nhi\r\n0\n\n", BAD),
    "trailer with a space": (CHUNKED + b"2\r\nhi\r\n0\r\nX : y\r\n\r\n", BAD),
    "trailer folded": (CHUNKED + b"2\r\nhi\r\n0\r\nX: y\r\n z\r\n\r\n", BAD),
    # Expect
    "expects to be asked": (ECHO + HOST + ASKING + TWO + END, GO_ON),
    "expects to be asked, loudly": (ECHO + HOST + ASKING.upper() + TWO + END, GO_ON),
    "expects to be asked for chunks": (CHUNKED[:-2] + ASKING + END, GO_ON),
    "expects, and sends": (ECHO + HOST + ASKING + TWO + END + b"hi", OK),
    "expects, without a body": (LINE + HOST + ASKING + END, OK),
    "expects in 1.0": (b"POST /echo HTTP/1.0\r\n" + ASKING + TWO + END + b"hi", OK),
    "expects too large a body": (ECHO + HOST + ASKING + b"Content-Length: 1001\r\n\r\n", {413}),
    "expects twice": (ECHO + HOST + ASKING * 2 + TWO + END + b"hi", {417}),
    "expects more": (ECHO + HOST + b"Expect: 100-continue, x\r\n" + TWO + END + b"hi", {417}),
    "expects nothing": (ECHO + HOST + b"Expect:\r\n" + TWO + END + b"hi", {417}),
    # Upgrades
    "unknown upgrade": (LINE + HOST + UPGRADE + b"foo/2\r\n\r\n", OK),
    "upgrade to tls": (LINE + HOST + UPGRADE + b"TLS/1.0, HTTP/1.1\r\n\r\n", OK),
    "upgrade to nothing": (LINE + HOST + UPGRADE + END + END, OK),
    "websocket": (LINE + HOST + SOCKET + END, SWITCHED),
    "websocket in capitals": (
        LINE + HOST + SOCKET.replace(b"websocket", b"WEBSOCKET") + END,
        SWITCHED,
    ),
    "websocket or h2c": (
        LINE + HOST + SOCKET.replace(b"websocket", b"h2c, websocket") + END,
        SWITCHED,
    ),
    "websocket with a short key": (LINE + HOST + SOCKET.replace(b"dGhl", b"") + END, BAD),
    "websocket with two keys": (LINE + HOST + SOCKET + SOCKET[-45:] + END, BAD),
    "websocket with chunks": (
        LINE + HOST + SOCKET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        BAD,
    ),
    "websocket of a strange page": (LINE + HOST + STRANGE + SOCKET + END, {403}),
    "post of a strange page": (ECHO + HOST + STRANGE + TWO + END + b"hi", {403}),
    "get of a strange page": (LINE + HOST + STRANGE + END, OK),
}

PLAIN = LINE + HOST + END
HIDDEN = b"GET /hidden HTTP/1.1\r\n" + HOST + END  # 404 if it were taken for a request

# What is sent at once, and every answer to it; nothing follows the last.
STREAMS: dict[str, tuple[bytes, list[int]]] = {
    "one by one": (PLAIN * 3, [200] * 3),
    "bodies between": (
        ECHO + HOST + TWO + END + b"hi" + CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + PLAIN,
        [200] * 3,
    ),
    "empty lines between": (PLAIN + b"\r\n\r\n" + PLAIN, [200] * 2),
    "errors between": (HIDDEN + PLAIN + b"DELETE /api HTTP/1.1\r\n" + HOST + END, [404, 200, 405]),
    "nothing after what is bad": (PLAIN + LINE + END + HIDDEN, [200, 400]),
    "nothing after close": (LINE + HOST + b"Connection: close\r\n\r\n" + HIDDEN, [200]),
    "nothing after 1.0": (b"GET /api HTTP/1.0\r\n\r\n" + HIDDEN, [200]),
    "nothing after a body too large": (
        ECHO + HOST + b"Content-Length: 9999\r\n\r\n" + HIDDEN,
        [413],
    ),
    "nothing after a strange page": (ECHO + HOST + STRANGE + TWO + END + b"hi" + HIDDEN, [403]),
    "a body is no request": (
        ECHO + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN + PLAIN,
        [200, 200],
    ),
    "a body of get is no request": (
        LINE + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN + PLAIN,
        [200, 200],
    ),
    "a chunk is no request": (
        CHUNKED + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n" + PLAIN,
        [200, 200],
    ),
    "a trailer is no request": (CHUNKED + b"0\r\nX: y\r\n\r\n" + PLAIN, [200, 200]),
    "length wins, says one": (
        ECHO + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
    ),
    "chunked wins, says another": (
        CODED + b" chunked\r\nContent-Length: 99\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
    ),
    "a longer and a shorter length": (
        ECHO + HOST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + HIDDEN,
        [400],
    ),
    "a length that hides": (ECHO + HOST + b"Content-Length : 44\r\n\r\n" + HIDDEN, [400]),
    "a coding that hides": (CODED + b" xchunked\r\n\r\n0\r\n\r\n" + HIDDEN, [400]),
    "an end by lf that hides": (LINE + HOST + b"X: y\n\nGET /hidden HTTP/1.1\r\n\r\n", [400]),
    "a chunk that hides": (CHUNKED + b"2\r\nhi0\r\n\r\n" + HIDDEN, [400]),
    "an upgrade to nothing known": (LINE + HOST + UPGRADE + b"h2c\r\n\r\n" + PLAIN, [200, 200]),
    "a frame is no request": (LINE + HOST + SOCKET + END + frame(HIDDEN), [101]),
    "expected, one by one": (
        (ECHO + HOST + ASKING + TWO + END + b"hi") * 2 + PLAIN,
        [200] * 3,
    ),
    "asked, and then again": (PLAIN + ECHO + HOST + ASKING + TWO + END, [200, 100]),
}
