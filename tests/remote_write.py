"""Requests of remote write that are small enough to be written by hand."""

import struct
import time


def sample(metric: str, ahead: float = 0) -> bytes:
    """A request of version 1.0 with a single sample, `ahead` seconds from now, of a metric without further labels."""

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    label = field(1, b"__name__") + field(2, metric.encode())
    value = b"\x09" + struct.pack("<d", 1)
    moment, written = time.time_ns() // 10**6 + int(ahead * 1000), b"\x10"
    while moment > 127:
        moment, written = moment >> 7, written + bytes([moment & 127 | 128])
    message = field(1, field(1, label) + field(2, value + written + bytes([moment])))
    return bytes([len(message), (len(message) - 1) << 2]) + message  # as snappy has it that found nothing to shorten
