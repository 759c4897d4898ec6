"""Open Sound Control: what a datagram says, and a socket of this machine that listens.

Source: M. Wright, "The Open Sound Control Specification 1.0", 2002: big-endian numbers, strings that end with 1 to 4
zero bytes at a multiple of four, "#bundle" with a time tag and elements that carry their size. Time tags are passed
over: what comes is done at once. Of the types beyond the specification's four, those are read that other programs
commonly send (h, d, T, F, N, I).

A datagram is what anybody on this machine may have sent: every length is checked against what is there, bundles in
bundles have a limit, and what is wrong raises `OscError` and nothing else.
"""

from __future__ import annotations

import logging
import math
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from understudy.errors import UsageError
from understudy.streaming.ports import ADDRESS, bound

MOST_BYTES = 65_507
"""of a datagram: no larger one exists"""
MOST_MESSAGES = 1_000
"""in one datagram"""
DEEPEST = 4
"""bundles in bundles"""
BUNDLE = b"#bundle\0"
FIXED = {"i": struct.Struct(">i"), "f": struct.Struct(">f"), "h": struct.Struct(">q"), "d": struct.Struct(">d")}
Argument = float | int | str | bytes | bool | None
WITHOUT_BYTES: dict[str, Argument] = {"T": True, "F": False, "N": None, "I": math.inf}

log = logging.getLogger(__name__)


class OscError(ValueError):
    """A datagram that is not OSC."""


@dataclass(frozen=True)
class Message:
    """One message."""

    address: str
    """as "/understudy/key" """
    arguments: tuple[Argument, ...]


def messages(datagram: bytes) -> list[Message]:
    """All messages of a datagram, those of bundles in their order.

    Raises:
        OscError: it is not what the specification says, or more than the limits of this module.
    """
    found: list[Message] = []
    _read(datagram, found, 0)
    return found


def _read(packet: bytes, found: list[Message], depth: int) -> None:
    if len(packet) > MOST_BYTES or len(packet) % 4 or not packet:
        raise OscError(f"{len(packet)} bytes are no packet")
    if not packet.startswith(BUNDLE):
        found.append(_message(packet))
        if len(found) > MOST_MESSAGES:
            raise OscError("too many messages")
        return
    if depth >= DEEPEST or len(packet) < 16:
        raise OscError("bundles in bundles in bundles, or one without its time")
    place = 16
    while place < len(packet):
        size = _number(FIXED["i"], packet, place)
        place += 4
        if not 0 < size <= len(packet) - place:
            raise OscError(f"an element of {size} bytes")
        _read(packet[place : place + int(size)], found, depth + 1)
        place += int(size)


def _message(packet: bytes) -> Message:
    address, place = _string(packet, 0)
    if not address.startswith("/"):
        raise OscError("an address begins with /")
    if place == len(packet):  # older senders leave the types out where there are none
        return Message(address, ())
    types, place = _string(packet, place)
    if not types.startswith(","):
        raise OscError("types begin with a comma")
    arguments: list[Argument] = []
    for kind in types[1:]:
        if kind in FIXED:
            arguments.append(_number(FIXED[kind], packet, place))
            place += FIXED[kind].size
        elif kind == "s":
            text, place = _string(packet, place)
            arguments.append(text)
        elif kind == "b":
            size = int(_number(FIXED["i"], packet, place))
            place += 4
            if not 0 <= size <= len(packet) - place:
                raise OscError(f"a blob of {size} bytes")
            arguments.append(packet[place : place + size])
            place += -(-size // 4) * 4
        elif kind in WITHOUT_BYTES:
            arguments.append(WITHOUT_BYTES[kind])
        else:
            raise OscError("a type that is not known")
    return Message(address, tuple(arguments))


def _number(kind: struct.Struct, packet: bytes, place: int) -> float:
    if place + kind.size > len(packet):
        raise OscError("a number that is cut off")
    value: float = kind.unpack_from(packet, place)[0]
    return value


def _string(packet: bytes, place: int) -> tuple[str, int]:
    end = packet.find(b"\0", place)
    if end < 0:
        raise OscError("a text without an end")
    try:
        text = packet[place:end].decode("utf-8")  # ASCII by the specification; other letters are sent all the same
    except UnicodeDecodeError:
        raise OscError("a text that is none") from None
    return text, place + -(-(end - place + 1) // 4) * 4


class OscSocket:
    """Listens on this machine alone, in a thread of its own.

    Args:
        port: 0 takes any that is free.
        receive: given all messages of each datagram; what it raises as `OscError` is counted.

    Attributes:
        refused: datagrams that were not understood.

    Raises:
        UsageError: the port is taken.
    """

    def __init__(self, port: int, receive: Callable[[list[Message]], None]) -> None:
        self._receive = receive
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            with bound("osc", port):
                self._socket.bind((ADDRESS, port))
        except UsageError:
            self._socket.close()
            raise
        self._socket.settimeout(0.2)
        self.port = int(self._socket.getsockname()[1])
        self.refused = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True, name="osc")
        self._thread.start()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                datagram = self._socket.recv(MOST_BYTES + 1)
            except TimeoutError:
                continue
            except OSError:  # closed, or (Windows) whoever was answered is gone
                continue
            try:
                self._receive(messages(datagram))
            except OscError as error:
                self.refused += 1
                log.debug("a datagram was refused: %s", error)

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=2.0)
        self._socket.close()
        if self.refused:
            log.warning("%d OSC datagrams were not understood", self.refused)
