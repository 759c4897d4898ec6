"""Which errors are ones of memory: by what they are, not by what files are called."""

import errno
import os

import pytest

from understudy.base.machine import says_memory_ran_out


def waiting_pipe():
    """What Python raises when a pipe that does not block is full."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        with open(write, "wb", buffering=1 << 20) as full:
            full.write(b"x" * (1 << 19))
            full.flush()
    except BlockingIOError as error:
        return error
    finally:
        os.close(read)
    raise AssertionError("the pipe took it all")


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), True),
        (OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), True),  # a process that cannot be begun
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "out of memory.mp4"), False),
        (PermissionError(errno.EACCES, "Permission denied", "not enough memory"), False),
        (ValueError("a shape"), False),
    ],
)
def test_errors_of_memory(error, memory):
    assert says_memory_ran_out(error) is memory


def test_a_full_pipe_is_none():
    assert not says_memory_ran_out(waiting_pipe())
