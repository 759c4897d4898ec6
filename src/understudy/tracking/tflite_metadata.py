"""What a .tflite file says of itself: the range in which its network wants pictures.

TensorFlow Lite keeps that in a flatbuffer of its own ("TFLITE_METADATA") inside the file. The numbers below are places
of fields in the two published schemas, tensorflow/compiler/mlir/lite/schema/schema.fbs and metadata_schema.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NORMALIZATION = 1
"""number of NormalizationOptions in the union ProcessUnitOptions"""


def normalization(path: Path) -> tuple[float, float] | None:
    """(mean, standard deviation) by which grey levels of 0 to 255 become the network's input; None if not told.

    Raises:
        ValueError: the file is damaged.
    """
    import flatbuffers.packer
    import flatbuffers.table

    data = path.read_bytes()

    def table_at(place: int) -> Any:
        return flatbuffers.table.Table(data, place)

    def root(start: int) -> Any:
        return table_at(start + int(flatbuffers.packer.uoffset.unpack_from(data, start)[0]))

    def tables(table: Any, field: int) -> Iterator[Any]:
        offset = table.Offset(4 + 2 * field)
        if offset:
            start = table.Vector(offset)
            for index in range(table.VectorLen(offset)):
                yield table_at(table.Indirect(start + 4 * index))

    def first_float(table: Any, field: int) -> float:
        offset = table.Offset(4 + 2 * field)
        return float(flatbuffers.packer.float32.unpack_from(data, table.Vector(offset))[0])

    def metadata() -> Iterator[Any]:
        model = root(0)
        buffers = list(tables(model, 4))
        for entry in tables(model, 6):
            name, index = entry.Offset(4), entry.Offset(6)
            if name and entry.String(entry.Pos + name) == b"TFLITE_METADATA":
                number = flatbuffers.packer.uint32.unpack_from(data, entry.Pos + index)[0] if index else 0
                yield root(buffers[number].Vector(buffers[number].Offset(4)))

    try:
        for described in metadata():
            for graph in tables(described, 3):
                for tensor in tables(graph, 2):
                    for unit in tables(tensor, 4):
                        kind, options = unit.Offset(4), unit.Offset(6)
                        if kind and options and data[unit.Pos + kind] == NORMALIZATION:
                            chosen = table_at(unit.Indirect(unit.Pos + options))
                            return first_float(chosen, 0), first_float(chosen, 1)
    except (IndexError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise ValueError(f"{path} is damaged ({error})") from None
    return None
