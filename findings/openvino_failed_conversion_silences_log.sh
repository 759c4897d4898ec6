#!/usr/bin/env bash
# A conversion by openvino.convert_model that fails turns down the log of the whole program, for good.
#
# Versions: openvino 2026.4.1, openvino-telemetry 2025.2.0, onnx 1.23.2, NumPy 2.4.6, Python 3.11, Linux x86_64.
# Expected: who catches the error of a conversion that cannot be done goes on as before.
# Seen: while it converts, Python's root logger is set to ERROR and gets a filter; that is taken back only where the
#   conversion succeeds. After an error that was caught (here of a file that is not there) the level stays, and each further
#   failure adds a filter: warnings of every module without a level of its own are lost from then on, with no word of it.
# Fails when this changes: when a warning is logged after a conversion that failed, or is not after one that succeeded.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet openvino==2026.4.1 openvino-telemetry==2025.2.0 onnx==1.23.2 numpy==2.4.6
cat > "$folder/log.py" <<'PYTHON'
import logging
import sys

sys.modules["openvino_telemetry"] = None  # OpenVINO then uses a stub of its own, which sends nothing

import onnx
import openvino
from onnx import TensorProto, helper

values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "one", values[:1], values[1:])
file = sys.argv[1] + "/one.onnx"
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), file)

said = []


class Kept(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())


root, module = logging.getLogger(), logging.getLogger("of.somebody.else")
root.addHandler(Kept())
assert root.level == logging.WARNING
openvino.convert_model(file)
module.warning("after one that succeeded")
for _ in range(2):
    try:
        openvino.convert_model(sys.argv[1] + "/missing.onnx")
    except Exception as error:
        print("caught:", type(error).__name__)
    module.warning("after one that failed")
module.error("an error")
print("said:", said)
print("root logger:", logging.getLevelName(root.level), [type(one).__name__ for one in root.filters])
assert said == ["after one that succeeded", "an error"]
assert root.level == logging.ERROR and len(root.filters) == 2
PYTHON
"$folder/venv/bin/python" "$folder/log.py" "$folder"
