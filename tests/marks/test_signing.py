"""The key that marks are signed with: made once, for its owner alone; or the user's own, checked before any work."""

import multiprocessing
import os
import signal
import stat
import sys
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from understudy.cli.main import main
from understudy.errors import UsageError
from understudy.marks import signing as module
from understudy.marks.marking import checked_signing
from understudy.marks.signing import CERTIFICATE, FILE, KEY, own, signing

posix = pytest.mark.skipif(sys.platform == "win32", reason="pipes with names, and alarms, are of POSIX")


@pytest.fixture(autouse=True)
def _no_key_remembered(monkeypatch, tmp_path):
    own.cache_clear()
    monkeypatch.setenv("UNDERSTUDY_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv(CERTIFICATE, raising=False)
    monkeypatch.delenv(KEY, raising=False)


def pem(key, password=None):
    hidden = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)


def certificate(key, days=10):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a studio")])
    now = datetime.now(timezone.utc)
    ends = now + timedelta(days=days)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now - timedelta(days=20)).not_valid_after(ends)
    return builder.sign(key, algorithm).public_bytes(Encoding.PEM)


def given(monkeypatch, folder, certificates, key):
    (folder / "c.pem").write_bytes(certificates)
    (folder / "k.pem").write_bytes(key)
    monkeypatch.setenv(CERTIFICATE, str(folder / "c.pem"))
    monkeypatch.setenv(KEY, str(folder / "k.pem"))
    return signing()


def test_a_key_is_made_once_and_says_nothing_of_its_owner(tmp_path):
    first = signing()
    file = tmp_path / "config" / FILE
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [one.name for one in file.parent.iterdir()] == [FILE], "nothing is left beside it"
    own.cache_clear()
    assert signing() == first and first.algorithm == "es256"
    leaf, root = x509.load_pem_x509_certificates(first.certificates)
    words = {attribute.value for one in (leaf, root) for name in (one.subject, one.issuer) for attribute in name}
    assert words == {module.ORGANISATION, "root", "signs what it makes"}
    leaf.verify_directly_issued_by(root)
    now = datetime.now(timezone.utc)
    for one in (leaf, root):  # whatever a wrong clock says
        assert one.not_valid_before_utc.year == 1970 and one.not_valid_after_utc - now > timedelta(days=3000)


def test_a_file_that_holds_certificate_and_key_gives_its_certificates_alone(monkeypatch, tmp_path):
    key_first = module.made()
    chain = x509.load_pem_x509_certificates(key_first)
    secret = key_first[: key_first.index(b"-----BEGIN CERT")]
    for content in (key_first, key_first.removeprefix(secret) + secret):
        found = given(monkeypatch, tmp_path, content, content)
        assert b"PRIVATE" not in found.certificates and found.certificates.count(b"BEGIN CERTIFICATE") == 2
        assert x509.load_pem_x509_certificates(found.certificates) == chain


def test_a_key_made_while_the_clock_said_1970_is_good_today(monkeypatch):
    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(1970, 1, 1, 0, 3, tzinfo=tz)

    monkeypatch.setattr(module, "datetime", Wrong)
    (leaf, *_) = x509.load_pem_x509_certificates(module.made())
    assert leaf.not_valid_before_utc < datetime.now(timezone.utc) < leaf.not_valid_after_utc


def _one_of_several(folder, barrier, results):
    barrier.wait()
    results.put(own(folder).key)


def test_of_several_that_come_at_once_all_have_the_same_key(tmp_path):
    context = multiprocessing.get_context("fork" if sys.platform.startswith("linux") else "spawn")
    barrier, results = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_one_of_several, args=(tmp_path / "c", barrier, results)) for _ in range(4)]
    for process in processes:
        process.start()
    keys = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    assert len(keys) == 1


def test_where_nothing_can_be_kept_a_key_is_made_for_once(monkeypatch, tmp_path, caplog):
    (tmp_path / "config").write_text("a file, where a folder should be")
    assert signing().key.startswith(b"-----BEGIN PRIVATE KEY")
    assert "the key for signing cannot be kept in" in caplog.text and "UNDERSTUDY_CONFIG" in caplog.text


def test_a_damaged_key_is_said_with_what_to_do(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / FILE).write_text("nothing")
    with pytest.raises(UsageError, match="is not a key as this program writes it: delete it"):
        signing()


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), "es256"),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "es384"),
        (lambda: ec.generate_private_key(ec.SECP521R1()), "es512"),
        (lambda: rsa.generate_private_key(65537, 2048), "ps256"),
        (ed25519.Ed25519PrivateKey.generate, "ed25519"),
    ],
    ids=["es256", "es384", "es512", "ps256", "ed25519"],
)
def test_a_key_of_ones_own(monkeypatch, tmp_path, make, algorithm):
    key = make()
    found = given(monkeypatch, tmp_path, certificate(key), pem(key))
    assert (found.algorithm, found.key) == (algorithm, pem(key))
    assert not (tmp_path / "config").exists(), "none is made beside it"


@pytest.mark.parametrize(
    ("certificates", "key", "message"),
    [
        (lambda k: b"nothing", pem, "c.pem holds no certificates as PEM"),
        (certificate, lambda k: b"nothing", "k.pem holds no private key as PEM, or one with a password"),
        (certificate, lambda k: pem(k, b"secret"), "k.pem holds no private key as PEM, or one with a password"),
        (
            certificate,
            lambda k: pem(ec.generate_private_key(ec.SECP256R1())),
            "is not the key of the first certificate",
        ),
    ],
    ids=["certificate", "key", "password", "another's"],
)
def test_what_cannot_sign_is_said_at_once(monkeypatch, tmp_path, certificates, key, message):
    one = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(UsageError, match=message):
        given(monkeypatch, tmp_path, certificates(one), key(one))


def test_a_kind_of_key_that_c2pa_does_not_know(monkeypatch, tmp_path):
    key = dsa.generate_private_key(1024)
    with pytest.raises(UsageError, match="C2PA signs with P-256"):
        given(monkeypatch, tmp_path, certificate(key), pem(key))


def test_certificate_and_key_go_together(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "k.pem")
    with pytest.raises(UsageError, match="go together"):
        signing()
    monkeypatch.setenv(CERTIFICATE, str(tmp_path / "nowhere.pem"))
    with pytest.raises(UsageError, match=r"cannot read .*nowhere\.pem"):
        signing()


@pytest.mark.parametrize("days", [-1, 10], ids=["run out", "signed by itself"])
def test_what_readers_would_not_take_is_found_before_any_work(monkeypatch, tmp_path, days):
    key = ec.generate_private_key(ec.SECP256R1())
    given(monkeypatch, tmp_path, certificate(key, days=days), pem(key))
    with pytest.raises(
        UsageError, match=r"nothing can be signed with .*c\.pem and .*k\.pem, which UNDERSTUDY_SIGN_CERT"
    ):
        checked_signing()


def test_what_is_given_counts_more_than_what_the_environment_names(monkeypatch, tmp_path):
    named, chosen = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    given(monkeypatch, tmp_path, certificate(named), pem(named))
    for name, content in (("mine.pem", certificate(chosen)), ("mine.key", pem(chosen))):
        (tmp_path / name).write_bytes(content)
    found = signing(tmp_path / "mine.pem", str(tmp_path / "mine.key"))
    assert found.key == pem(chosen) != signing().key
    assert found.whose.endswith("mine.key, which `sign_cert` and `sign_key` name")
    for alone in ({"sign_cert": tmp_path / "mine.pem"}, {"sign_key": tmp_path / "mine.key"}):
        with pytest.raises(UsageError, match=r"^`sign_cert` and `sign_key` go together: give both, or neither$"):
            signing(**alone)
    with pytest.raises(UsageError, match=r"^cannot read .*gone\.key: No such file"):
        signing(tmp_path / "mine.pem", tmp_path / "gone.key")


def test_a_key_file_that_was_cut_is_found_before_any_work(tmp_path):
    file = tmp_path / "config" / FILE
    whole = checked_signing().certificates
    assert whole
    own.cache_clear()
    content = file.read_bytes()
    file.write_bytes(content[: content.rindex(b"-----BEGIN CERTIFICATE-----") + 60])
    with pytest.raises(UsageError, match="delete it, and a new one is made"):
        checked_signing()


@pytest.fixture
def impatient():
    """Whatever waits for seconds is ended."""

    def late(*_):
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@posix
@pytest.mark.parametrize("pipe", ["c.pem", "k.pem", "config/signing.pem"])
def test_pipes_are_not_waited_for(monkeypatch, tmp_path, impatient, pipe):
    key = ec.generate_private_key(ec.SECP256R1())
    given(monkeypatch, tmp_path, certificate(key), pem(key))
    (tmp_path / "config").mkdir()
    (tmp_path / pipe).unlink(missing_ok=True)
    os.mkfifo(tmp_path / pipe)
    if pipe.startswith("config"):
        monkeypatch.delenv(CERTIFICATE)
        monkeypatch.delenv(KEY)
    with pytest.raises(UsageError, match=rf"^{tmp_path / pipe} is no regular file, which a key or certificate has"):
        signing()


@posix
def test_a_link_to_a_key_is_as_good_as_the_key(monkeypatch, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    given(monkeypatch, tmp_path, certificate(key), pem(key))
    (tmp_path / "link").symlink_to(tmp_path / "k.pem")
    assert signing(tmp_path / "c.pem", tmp_path / "link").key == pem(key)
    with pytest.raises(UsageError, match=r"^cannot read .*: Is a directory$"):
        signing(tmp_path / "c.pem", tmp_path)


@posix
def test_on_the_command_line_it_is_one_line(tmp_path, impatient, capsys):
    os.mkfifo(tmp_path / "k.fifo")
    (tmp_path / "c.pem").write_bytes(b"nothing")
    with pytest.raises(SystemExit) as left:
        main(["demo", "--output", str(tmp_path / "demo"), "--sign-cert", str(tmp_path / "c.pem"), "--sign-key",
              str(tmp_path / "k.fifo")])  # fmt: skip
    assert left.value.code == 2 and not (tmp_path / "demo").exists()
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'k.fifo'} is no regular file, which a key or certificate has to be: write it into one\n"
    )


@pytest.mark.parametrize("words", [["--sign-cert", ""], ["--sign-cert", "c.pem", "--sign-key", ""]])
def test_an_empty_name_is_said_to_be_one(tmp_path, capsys, words):
    with pytest.raises(SystemExit) as left:
        main(["demo", "--output", str(tmp_path / "demo"), *words])
    assert left.value.code == 2 and not (tmp_path / "demo").exists()
    assert capsys.readouterr().err == f"error: {words[-2]} names no file, it is empty: name one, or leave both out\n"
