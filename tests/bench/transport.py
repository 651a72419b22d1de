"""A transport that goes nowhere."""

import asyncio


class Written(asyncio.Transport):
    """Takes what is written."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Let it go."""
