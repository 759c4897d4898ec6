"""Parsers in files of the user's: stand-ins with the interface of ONNX Runtime, and MediaPipe's own segmenter."""

import hashlib
import sys
from dataclasses import replace
from types import SimpleNamespace

import flatbuffers
import numpy as np
import pytest

from understudy.base.weights import SELFIE, SELFIE_SEGMENTATION, tracker_network
from understudy.body.labels import LABEL
from understudy.errors import UsageError
from understudy.poses import pose as p
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.label_numbers import JUMPSUIT, OURS, UNNAMED, completed
from understudy.tracking.parsing_chosen import chosen, parser_of
from understudy.tracking.parsing_networks import OnnxParser, SelfieClasses, SelfieParser, onnx_session
from understudy.tracking.tflite_metadata import normalization

NOBODY = np.zeros((133, 2), np.float32), np.zeros(133, np.float32)


class Session:
    """Stands in for onnxruntime.InferenceSession: `labels_of` says which number a BGR picture shows where."""

    def __init__(self, labels_of, count, size, shrink=1, kind="scores"):
        self.labels_of, self.count, self.size, self.shrink, self.kind = labels_of, count, size, shrink, kind

    def get_inputs(self):
        return [SimpleNamespace(name="picture", shape=[1, 3, *self.size], type="tensor(float)")]

    def run(self, names, inputs):
        picture = inputs["picture"]
        assert names is None
        assert picture.dtype == np.float32
        assert picture.shape[:2] == (1, 3)
        numbers = self.labels_of(picture[0])[:: self.shrink, :: self.shrink]
        if self.kind == "numbers":
            return [numbers[None].astype(np.int64)]
        scores = (np.arange(self.count)[:, None, None] == numbers).astype(np.float32)
        return [np.zeros((1, 3), np.float32), 9 * scores[None]]


def bands():
    """A frame in which red is above, blue below, and all of it is the person but its rim."""
    frame = np.zeros((120, 90, 3), np.uint8)
    frame[:70], frame[70:] = (200, 0, 0), (0, 0, 200)
    matte = np.zeros((120, 90), np.uint8)
    matte[10:110, 20:70] = 255
    return frame, matte


def red_above(upper, lower):
    def numbers(bgr):
        return np.where(bgr[2] > bgr[0], upper, lower)

    return numbers


@pytest.mark.parametrize(
    ("numbering", "upper", "lower", "names"),
    [
        pytest.param("lip", 5, 9, ("upper clothes", "pants"), id="LIP"),
        pytest.param("atr", 4, 8, ("upper clothes", "pants"), id="ATR, a belt"),
        pytest.param("atr", 11, 14, ("face", "left arm"), id="ATR, other places"),
        pytest.param("lip", 13, 10, ("face", "upper clothes"), id="LIP, a jumpsuit of nobody known"),
    ],
)
@pytest.mark.parametrize(
    ("size", "shrink", "kind"),
    [((160, 160), 1, "scores"), ((160, 96), 4, "scores"), (("height", None), 1, "scores"), ((160, 160), 2, "numbers")],
)
def test_a_network_s_labels_lie_where_its_picture_showed_them(numbering, upper, lower, names, size, shrink, kind):
    frame, matte = bands()
    session = Session(red_above(upper, lower), len(OURS[numbering]), size, shrink, kind)
    labels = OnnxParser(session, numbering)(frame, matte, *NOBODY)
    expected = np.where(np.arange(120)[:, None] < 70, LABEL[names[0]], LABEL[names[1]]) * (matte >= 128)
    assert not labels[matte < 128].any()
    right = (labels == expected)[matte >= 128].mean()
    assert right > (0.96 if shrink > 1 else 0.985)


def test_the_network_sees_the_person_in_the_middle_normalised():
    seen = []
    frame, matte = bands()

    def look(bgr):
        seen.append(bgr)
        return np.full(bgr.shape[1:], 5)

    OnnxParser(Session(look, 20, (160, 160)), "lip")(frame, matte, *NOBODY)
    assert seen[0].shape == (3, 160, 160)
    deviation, mean = np.array([0.225, 0.224, 0.229]), np.array([0.406, 0.456, 0.485])
    assert seen[0][:, 40, 80] == pytest.approx((np.array([0, 0, 200 / 255]) - mean) / deviation, abs=1e-4)
    # the person is 100 pixels high and with a tenth of room on each side fills the 160: frame row 70 is at 95.5 + 1/3
    edge = np.argmax(seen[0][2, :, 80] < seen[0][0, :, 80])
    assert edge == pytest.approx((70 - 59.5) * 160 / 120 + 79.5, abs=1.01)


def test_what_the_network_leaves_out_of_the_matte_takes_the_nearest_label():
    frame, matte = bands()
    labels = OnnxParser(Session(red_above(16, 6), 18, (128, 128)), "atr")(frame, matte, *NOBODY)  # 16 is a bag
    assert set(np.unique(labels)) == {0, LABEL["pants"]}
    assert ((labels > 0) == (matte >= 128)).all()


def test_a_network_of_other_labels_is_told():
    frame, matte = bands()
    with pytest.raises(UsageError, match=r"one\.onnx gives .*\(1, 7, .* LIP labels gives 20 scores"):
        OnnxParser(Session(red_above(1, 2), 7, (64, 64)), "lip", "one.onnx")(frame, matte, *NOBODY)


def test_hands_are_cut_from_arms_and_jumpsuits_at_the_hips():
    xy, confidence = NOBODY[0].copy(), NOBODY[1].copy()
    for point, place in {
        p.LEFT_SHOULDER: (60, 20),
        p.RIGHT_SHOULDER: (40, 20),
        p.LEFT_HIP: (57, 60),
        p.RIGHT_HIP: (43, 60),
    }.items():
        xy[point], confidence[point] = place, 1
    xy[p.LEFT_HAND] = np.random.default_rng(1).uniform((80, 40), (90, 50), (21, 2))
    confidence[p.LEFT_HAND] = 1
    labels = np.full((128, 128), LABEL["left arm"], np.uint8)
    labels[:, :75] = JUMPSUIT
    labels[0] = UNNAMED
    cut = completed(labels, xy, confidence)
    assert cut[45, 85] == LABEL["left hand"]
    assert cut[45, 110] == LABEL["left arm"]
    assert (cut[40, 50], cut[80, 50]) == (LABEL["upper clothes"], LABEL["pants"])
    assert (cut[0] == UNNAMED).all()


@pytest.fixture(scope="module")
def person():
    motion = choreography(954, 4, 30)
    return next(render(make_person(954), motion[60:61], make_scene(954, (256, 256))))


def test_the_selfie_segmenter_decides_hair_skin_and_clothes(person):
    """With classes made of the exact labels, more is right than without; and skin is only where it says so."""
    names = np.array([0, 4, 1, 4, 5, 4, 4, 4, 4, 4, 2, 4, 4, 3, 2, 2, 2, 2, 4, 4, 2, 2], np.uint8)
    closed = []

    class Classes:
        def __call__(self, frame):
            return names[person.labels]

        def close(self):
            closed.append(True)

    parser = SelfieParser(Classes())
    arguments = person.frame, person.matte, person.xy, person.confidence
    labels = parser(*arguments)
    inside = person.labels > 0
    same = names[labels] == names[person.labels]
    assert same[inside].mean() > 0.97
    assert (labels == person.labels)[inside].mean() > 0.93
    blank = SelfieParser(lambda frame: np.zeros(frame.shape[:2], np.uint8))(*arguments)
    assert (names[blank] == names[person.labels])[inside].mean() < same[inside].mean()
    parser.close()
    assert closed


def test_another_segmenter_is_told(tmp_path):
    with pytest.raises(UsageError, match="tells 1 classes apart, and the multiclass selfie segmenter 6"):
        SelfieClasses(tracker_network(SELFIE_SEGMENTATION))
    (tmp_path / "no.tflite").write_bytes(b"no network")
    with pytest.raises(UsageError, match=r"no\.tflite is no segmenter"):
        SelfieClasses(tmp_path / "no.tflite")


def small_segmenter(path, told=(127.5, 127.5), channels=2):
    """A network of 8 x 8 pixels that gives its input's colours again, `channels` times over: 3 classes each."""
    from ai_edge_litert import schema_py_generated as schema

    def tensor(shape, name):
        made = schema.TensorT()
        made.shape, made.type, made.buffer, made.name = shape, schema.TensorType.FLOAT32, 0, name
        return made

    graph, operator, code = schema.SubGraphT(), schema.OperatorT(), schema.OperatorCodeT()
    graph.tensors = [tensor([1, 8, 8, 3], b"picture"), tensor([1, 8, 8, 3 * channels], b"scores")]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONCATENATION
    options = schema.ConcatenationOptionsT()
    options.axis = 3
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.ConcatenationOptions, options
    operator.inputs, operator.outputs = [0] * channels, [1]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [operator]
    model, empty = schema.ModelT(), schema.BufferT()
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [code], [empty]
    if told is not None:
        entry, buffer = schema.MetadataT(), schema.BufferT()
        entry.name, entry.buffer, buffer.data = b"TFLITE_METADATA", 1, np.frombuffer(metadata(*told), np.uint8)
        model.metadata, model.buffers = [entry], [empty, buffer]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def metadata(mean, deviation):
    """What MediaPipe's converters write about the range of pictures, and nothing else."""
    builder = flatbuffers.Builder(256)

    def floats(value):
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(value)
        return builder.EndVector()

    def table(fields):
        """{place: offset of a table or vector, or a number of one byte}"""
        builder.StartObject(max(fields) + 1)
        for place, (kind, value) in fields.items():
            getattr(builder, f"Prepend{kind}Slot")(place, value, 0)
        return builder.EndObject()

    def one(offset):
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    means, deviations = floats(mean), floats(deviation)
    chosen = table({0: ("UOffsetTRelative", means), 1: ("UOffsetTRelative", deviations)})
    unit = table({0: ("Uint8", 1), 1: ("UOffsetTRelative", chosen)})
    inner = table({4: ("UOffsetTRelative", one(unit))})
    inner = table({2: ("UOffsetTRelative", one(inner))})
    builder.Finish(table({3: ("UOffsetTRelative", one(inner))}), file_identifier=b"M001")
    return bytes(builder.Output())


def test_a_segmenter_is_shown_pictures_in_the_range_that_its_file_names(tmp_path):
    path = small_segmenter(tmp_path / "six.tflite")
    assert normalization(path) == (127.5, 127.5)
    classes = SelfieClasses(path)
    shown = []
    run = classes._network
    classes._network = type(
        "Seen", (), {"size_wh": run.size_wh, "__call__": lambda self, picture: shown.append(picture) or run(picture)}
    )()
    frame = np.zeros((16, 16, 3), np.uint8)
    frame[:8, :8, 0], frame[:8, 8:, 1], frame[8:, :, 2] = 255, 255, 255
    labels = classes(frame)
    assert (shown[0].min(), shown[0].max()) == pytest.approx((-1, 1), abs=1e-6)
    assert labels.shape == (16, 16) and labels[2, 2] == 0 and labels[2, 13] == 1 and labels[13, 4] == 2


def test_a_file_that_does_not_name_its_range_is_told(tmp_path):
    with pytest.raises(UsageError, match="does not say in which range it wants pictures"):
        SelfieClasses(small_segmenter(tmp_path / "bare.tflite", told=None))


def test_a_published_file_names_its_range():
    assert normalization(tracker_network(SELFIE_SEGMENTATION)) == (0.0, 255.0)


def test_damaged_metadata_is_an_error_of_its_own(tmp_path):
    whole = small_segmenter(tmp_path / "six.tflite").read_bytes()
    place = whole.index(b"M001") - 4
    (tmp_path / "torn.tflite").write_bytes(whole[:place] + b"\xff\xff\xff\x7f" + whole[place + 4 :])
    with pytest.raises(ValueError, match=r"torn\.tflite is damaged"):
        normalization(tmp_path / "torn.tflite")


def test_onnx_runtime_is_asked_for_by_name(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"understudy\[rtmpose\]"):
        onnx_session(tmp_path / "x.onnx")


def test_the_segmenter_is_fetched_where_it_is_asked_for_by_name(tmp_path, monkeypatch):
    published = tmp_path / "published.tflite"
    published.write_bytes(b"segmenter")
    there = replace(SELFIE, address=published.as_uri(), size=9, sha256=hashlib.sha256(b"segmenter").hexdigest())
    monkeypatch.setattr("understudy.tracking.parsing_chosen.SELFIE", there)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    with pytest.raises(
        UsageError, match=r"cannot be fetched: fetch file:.* yourself and give it as selfie:FILE, or take auto"
    ):
        chosen("selfie")
    monkeypatch.delenv("UNDERSTUDY_OFFLINE")
    kind, _, path = chosen("selfie")
    assert kind == "selfie" and path.name == "selfie_multiclass_256x256.tflite" and path.read_bytes() == b"segmenter"


def test_what_a_user_types(tmp_path):
    file, folder = tmp_path / "x.onnx", tmp_path / "maps"
    file.write_bytes(b"x")
    folder.mkdir()
    assert chosen("auto") == ("auto", "vip", None)
    assert chosen(f"lip:{file}") == ("network", "lip", file)
    assert chosen(f"selfie:{file}") == ("selfie", "vip", file)
    assert chosen(str(folder)) == ("maps", "vip", folder)
    assert chosen(f"atr:{folder}") == ("maps", "atr", folder)
    one = tmp_path / "labels.PNG"
    one.write_bytes(b"x")
    assert chosen(str(one)) == ("maps", "vip", one) and chosen(f"lip:{one}") == ("maps", "lip", one)
    for typed, told in (
        ("lip:nowhere.onnx", "nowhere.onnx, which is not there"),
        ("automatic", "automatic, which is not there"),
        (str(file), "not what it is: write lip:"),
        (f"selfie:{folder}", "not what it is"),
    ):
        with pytest.raises(UsageError, match=told):
            chosen(typed)
    assert parser_of(chosen("auto"), (0, 0, 64), 64, (64, 64)) is not None
