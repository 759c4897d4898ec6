"""What a number was measured on: processor, versions, and the peak of memory."""

from __future__ import annotations

import errno
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("understudy", "torch", "lightning-fabric", "numpy", "av", "ai-edge-litert")


OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")
"""its builds, of which one is installed"""


HOLD_INSTRUCTIONS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
"""variables that keep PyTorch and its libraries from the newest instructions of the processor"""


HOW_THREADS_WAIT = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""variables that say whether PyTorch's threads spin or sleep while they wait"""


def cores() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def says_memory_ran_out(error: BaseException) -> bool:
    """Whether an error is one of memory, which PyTorch, OpenCV and the system's loader say each in their own ways.

    What files are called says nothing of it, and neither does a pipe that would have to be waited for.
    """
    ways = (
        *("out of memory", "not enough memory", "insufficient memory", "cannot allocate memory"),
        *("can't allocate memory", "alloc_failed", "failed to map segment", "can't start new thread"),
    )
    if isinstance(error, OSError) and error.errno is not None:
        waits = isinstance(error, BlockingIOError) and hasattr(error, "characters_written")
        if error.errno == errno.ENOMEM or (error.errno == errno.EAGAIN and not waits):
            return True
        return any(way in (error.strerror or "").lower() for way in ways)
    return isinstance(error, MemoryError) or any(way in str(error).lower() for way in ways)


def available_bytes(root: Path = Path("/")) -> int:
    """Memory that this process may still take without pushing others out: what is free, within a container's limit.

    Args:
        root: of the system's files, for tests.
    """
    found = [_free_bytes(root)]
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:  # "0::/path" of cgroups v2, "4:memory:/path" of v1
        _, kinds, path = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        top, most, now, cache = (
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            if kinds
            else ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")
        )
        folder, group = root / top, Path(path.strip("/"))
        for each in (folder / group, *(folder / above for above in group.parents)):
            try:
                limit = int((each / most).read_text())  # "max" is none
                used = int((each / now).read_text())
                counted = dict(row.split() for row in (each / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):
                continue
            found.append(limit - used + int(counted.get(cache, 0)))
    return max(0, min(found))


def _free_bytes(root: Path) -> int:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def machine(device: str) -> dict[str, Any]:
    """JSON-able facts: cpu, cores, system, python, threads, openmp, instructions, gpu, load_before, versions.

    Args:
        device: "cpu", "cuda" or "mps": what computes.
    """
    import torch

    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch_threads": torch.get_num_threads(),
        "openmp": {name: value for name, value in os.environ.items() if name.startswith(("OMP_", "GOMP_", "KMP_"))},
        "instructions": {"PyTorch": torch.backends.cpu.get_cpu_capability()}
        | {name: os.environ[name] for name in HOLD_INSTRUCTIONS if name in os.environ},
        "gpu": torch.cuda.get_device_name() if device == "cuda" else None,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {name: version_of(name) for name in PACKAGES}
        | {name: version for name in OPENCV if (version := version_of(name)) is not None},
    }


def forget_peaks(device: str) -> None:
    """Starts the peaks of memory anew, where the system can do that (Linux, CUDA)."""
    try:
        with open("/proc/self/clear_refs", "w") as stream:
            stream.write("5")
    except OSError:
        pass
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()


def peaks_mib(device: str) -> tuple[int | None, int | None]:
    """Peak of this process's memory and of PyTorch's memory on the GPU, MiB; None where nobody counts it."""
    gpu = None
    if device == "cuda":
        import torch

        gpu = round(torch.cuda.max_memory_allocated() / 2**20)
    try:
        with open("/proc/self/status") as stream:
            kib = next(int(line.split()[1]) for line in stream if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None, gpu
    return round(kib / 1024), gpu


def cpu_model() -> str:
    try:
        with open("/proc/cpuinfo") as stream:
            return next(line.split(":", 1)[1].strip() for line in stream if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def version_of(package: str) -> str | None:
    """Of a package that is installed; None where it is not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
