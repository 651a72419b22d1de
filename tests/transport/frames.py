"""WebSocket frames as a client sends them, byte by byte."""

import struct

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
ASK = ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", KEY)


def frame(text: bytes, opcode: int = 1) -> bytes:
    """A masked frame; the mask changes nothing."""
    assert len(text) < 126
    return struct.pack("!BB4x", 0x80 | opcode, 0x80 | len(text)) + text


def large(first: int, size: int) -> bytes:
    """A masked frame of any size."""
    return struct.pack("!BBQ4x", first, 0xFF, size) + b"a" * size
