"""OSC: what a datagram says, what is refused, and our own addresses."""

import contextlib
import importlib
import math
import random
import socket
import struct
import threading

import numpy as np
import pytest

from understudy.errors import UsageError
from understudy.poses import pose as p
from understudy.streaming.controls import Controls
from understudy.streaming.osc import Message, OscError, OscSocket, messages
from understudy.streaming.osc_poses import JOINTS, OscPoses
from understudy.streaming.pose_stream import size_of


def padded(text):
    raw = text.encode() + b"\0"
    return raw + b"\0" * (-len(raw) % 4)


def message(address, *arguments):
    """As the specification writes it, by hand."""
    kinds, data = ",", b""
    for one in arguments:
        if isinstance(one, str):
            kinds, data = kinds + "s", data + padded(one)
        elif isinstance(one, int):
            kinds, data = kinds + "i", data + struct.pack(">i", one)
        else:
            kinds, data = kinds + "f", data + struct.pack(">f", one)
    return padded(address) + padded(kinds) + data


def bundle(*parts):
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(part)) + part for part in parts)


# -- datagrams ----------------------------------------------------------------------------------------------------


def test_the_specifications_own_examples():
    frequency = b"/oscillator/4/frequency\0,f\0\0\x43\xdc\0\0"
    assert messages(frequency) == [Message("/oscillator/4/frequency", (440.0,))]
    foo = bytes.fromhex("2f666f6f000000002c69697366660000000003e8ffffffff68656c6c6f0000003f9df3b640b5b22d")
    ((thousand, minus, hello, *floats),) = [one.arguments for one in messages(foo)]
    assert (thousand, minus, hello) == (1000, -1, "hello") and floats == pytest.approx([1.234, 5.678])


def test_bundles_in_bundles_are_read_in_their_order():
    inner = bundle(message("/b", 2), message("/c"))
    found = messages(bundle(message("/a", 1), inner, message("/d", 0.5)))
    assert [(one.address, one.arguments) for one in found] == [("/a", (1,)), ("/b", (2,)), ("/c", ()), ("/d", (0.5,))]


def test_types_that_others_send():
    packet = (
        padded("/x") + padded(",hdTFNIb") + struct.pack(">qd", 1 << 40, 0.1) + struct.pack(">i", 5) + b"hello\0\0\0"
    )
    assert messages(packet)[0].arguments == (1 << 40, 0.1, True, False, None, math.inf, b"hello")
    assert messages(padded("/old"))[0] == Message("/old", ())  # senders that leave the types out


DEEP = b""
for _ in range(5):
    DEEP = bundle(DEEP) if DEEP else bundle(message("/x"))


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"abc",
        b"no address\0\0",
        b"/no end",
        b"/no end!",
        padded("/x") + b"i\0\0\0",
        padded("/x") + padded(",i"),
        padded("/x") + padded(",f") + b"\0\0",
        padded("/x") + padded(",s") + b"abcd",
        padded("/x") + padded(",b") + struct.pack(">i", 99),
        padded("/x") + padded(",b") + struct.pack(">i", -4),
        padded("/x") + padded(",q"),
        b"/\xff\xfe\0",
        b"#bundle\0",
        b"#bundle\0\0\0\0\0",
        b"#bundle\0" + bytes(8) + struct.pack(">i", 0),
        b"#bundle\0" + bytes(8) + struct.pack(">i", -1),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 400) + message("/x"),
        DEEP,
        bundle(*[message("/x")] * 1001),
    ],
)
def test_what_is_no_osc_is_refused(packet):
    with pytest.raises(OscError):
        messages(packet)


def test_bytes_by_chance_raise_nothing_else():
    chance = random.Random(1)
    whole = bundle(message("/understudy/joint/nose", 0.5, 0.5), message("/x", 1, "two", 3.0))
    for _ in range(3000):
        packet = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            packet[chance.randrange(len(packet))] = chance.randrange(256)
        with contextlib.suppress(OscError):
            messages(bytes(packet[: chance.choice([len(packet), chance.randrange(len(packet))])]))


def test_as_another_library_writes_it():
    builder = pytest.importorskip("pythonosc.osc_bundle_builder")
    one = importlib.import_module("pythonosc.osc_message_builder").OscMessageBuilder("/understudy/joint/nose")
    for value in (0.25, 3, "text", True, b"blob"):
        one.add_arg(value)
    made = builder.OscBundleBuilder(builder.IMMEDIATELY)
    made.add_content(one.build())
    found = messages(made.build().dgram)
    assert found == [Message("/understudy/joint/nose", (0.25, 3, "text", True, b"blob"))]


# -- our own addresses --------------------------------------------------------------------------------------------


@pytest.fixture
def poses():
    put = []
    receive = OscPoses(put.append, Controls())
    receive.put = put
    return receive


def told(address, *arguments):
    return Message(f"/understudy/{address}", arguments)


def test_a_whole_pose_lies_where_its_shares_say(poses):
    numbers = np.zeros((133, 3))
    numbers[p.NOSE] = 0.5, 0.25, 0.75
    poses([told("aspect", 2.0), told("pose", *numbers.ravel().tolist())])
    (pose,) = poses.put
    assert pose.size_hw == (720, 1440)
    assert pose.xy[0, p.NOSE] == pytest.approx([719.5, 179.5]) and pose.confidence[0, p.NOSE] == 0.75
    assert (pose.confidence > 0).sum() == 1


def test_joints_of_a_bundle_are_one_pose_and_alone_they_wait_to_be_shown(poses):
    poses([told("joint/left_wrist", 0.0, 1.0), told("joint/right_wrist", 1.0, 0.0, 0.5)])
    assert len(poses.put) == 1 and poses.put[0].confidence[0, [p.LEFT_WRIST, p.RIGHT_WRIST]].tolist() == [1.0, 0.5]
    assert poses.put[0].xy[0, p.LEFT_WRIST] == pytest.approx([-0.5, 719.5])
    poses([told("joint/nose", 0.5, 0.5)])
    assert len(poses.put) == 1
    poses([told("show")])
    assert poses.put[1].confidence[0, p.NOSE] == 1 and (poses.put[1].confidence > 0).sum() == 1
    poses([told("show")])
    assert len(poses.put) == 2  # nothing was told


def test_nobody_and_keys_and_what_is_for_somebody_else(poses):
    poses([told("nobody"), Message("/VMC/Ext/OK", (1,)), told("key", "mirror")])
    assert not poses.put[0].found.any()
    assert poses._controls.state.mirror


def test_every_joint_has_a_place_of_its_own():
    assert len(JOINTS) == 23 and set(JOINTS.values()) == set(range(23))


@pytest.mark.parametrize(
    "said",
    [
        told("pose", *[0.5] * 398),
        told("pose", *[math.nan] * 399),
        told("pose", *[2.5, 0.5, 1.0] * 133),
        told("pose", *[0.5, 0.5, 1.5] * 133),
        told("pose", *["0.5"] * 399),
        told("pose", *[True] * 399),
        told("joint/nose", 0.5),
        told("joint/tail", 0.5, 0.5),
        told("joint/nose", math.inf, 0.5),
        told("joint/nose", 0.5, 0.5, 1.0, 1.0),
        told("aspect", 0.0),
        told("aspect", math.nan),
        told("aspect", 1e9),
        told("key", "quit"),
        told("key", 1),
        told("key"),
        told("else"),
    ],
    ids=lambda said: f"{said.address} {said.arguments[:3]!s}",
)
def test_what_makes_no_sense_is_refused_and_nothing_is_put(poses, said):
    with pytest.raises(OscError):
        poses([said])
    assert not poses.put and poses._controls.state == Controls().state


def test_a_point_far_outside_told_joint_by_joint_is_refused_when_it_is_shown(poses):
    with pytest.raises(OscError):
        poses([told("joint/nose", 5.0, 0.5), told("joint/left_eye", 0.5, 0.5)])
    poses([told("joint/nose", 0.5, 0.5), told("show")])  # nothing of it is left
    assert (poses.put[0].confidence > 0).sum() == 1


def test_poses_that_come_from_elsewhere_are_not_taken():
    receive = OscPoses(None, controls := Controls())
    receive([told("pose", 1.0), told("key", "freeze")])
    assert controls.state.freeze


def test_pictures_have_a_shape():
    assert size_of(1.0) == (720, 720) and size_of(16 / 9) == (720, 1280)


# -- the socket ---------------------------------------------------------------------------------------------------


def test_a_real_socket_takes_what_is_sent_on_this_machine_and_counts_the_rest():
    got, came = [], threading.Event()

    def receive(some):
        got.extend(some)
        came.set()

    listening = OscSocket(0, receive)
    try:
        assert listening._socket.getsockname()[0] == "127.0.0.1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for packet in (b"rubbish", b"", bytes(60_000), message("/understudy/key", "mirror")):
                sender.sendto(packet, ("127.0.0.1", listening.port))
        assert came.wait(10)
        assert got == [Message("/understudy/key", ("mirror",))] and listening.refused == 3
        with pytest.raises(UsageError, match=rf"`osc={listening.port}`: nothing can listen there"):
            OscSocket(listening.port, receive)
        with pytest.raises(UsageError, match="`osc=70000`"):
            OscSocket(70000, receive)
    finally:
        listening.close()
    assert not listening._thread.is_alive()
