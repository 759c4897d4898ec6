"""Files without marks are asked about once."""

import json

import pytest

from understudy.errors import UsageError
from understudy.marks.opting_out import FILE, opt_out


@pytest.fixture(autouse=True)
def record(monkeypatch, tmp_path):
    monkeypatch.setenv("UNDERSTUDY_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config" / FILE


def test_it_is_asked_once_and_kept_in_mind(record, caplog):
    questions = []

    def answer(question):
        questions.append(question)
        return " Yes "

    opt_out(asks=True, answer=answer)
    opt_out(asks=True, answer=answer)
    assert len(questions) == 1 and "nobody can tell" in questions[0]
    assert json.loads(record.read_text())["asked"] is True
    assert caplog.text.count("noted in") == 1


@pytest.mark.parametrize("said", ["no", "", "maybe"])
def test_whoever_does_not_say_yes_writes_nothing(record, said):
    with pytest.raises(UsageError, match="nothing was written: leave out `marks=False`"):
        opt_out(asks=True, answer=lambda _: said)
    assert not record.exists()


def test_the_end_of_input_is_no_yes(record):
    def answer(_):
        raise EOFError

    with pytest.raises(UsageError, match="nothing was written"):
        opt_out(asks=True, answer=answer)


def test_without_anybody_to_ask_the_option_is_answer_enough(record, caplog):
    opt_out(asks=False)
    assert json.loads(record.read_text())["asked"] is False
    assert str(record) in caplog.text


def test_what_cannot_be_kept_is_said(record, caplog):
    record.parent.write_text("a file, where a folder should be")
    opt_out(asks=False)
    assert "cannot be kept in mind" in caplog.text
