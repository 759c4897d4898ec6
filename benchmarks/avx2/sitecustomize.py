"""A Python that starts with this folder on its PYTHONPATH takes the processor for one without bfloat16.

The variables that hold PyTorch to AVX2 change its kernels, and not what it says of the processor. A server with AMX
would go on to compute in bfloat16, which it then has to emulate; a laptop with AVX2 computes in float32. Python imports
a module of this name before anything else, in every process of a run, whatever revision it is of.
"""

import torch

if hasattr(torch.cpu, "get_capabilities"):
    _of_the_processor = torch.cpu.get_capabilities

    def _without_bfloat16() -> dict[str, object]:
        return {**_of_the_processor(), "amx_bf16": False, "avx512_bf16": False}

    torch.cpu.get_capabilities = _without_bfloat16
