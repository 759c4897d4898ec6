"""The key that manifests are signed with: made at first use and kept by the user, or the user's own.

A key of one's own making proves that nobody has changed a file since, and that two files were signed by the same key;
not who holds it. For that a certificate from somebody who checks is needed: `sign_cert` and `sign_key` name one, as PEM
files, or else `UNDERSTUDY_SIGN_CERT` and `UNDERSTUDY_SIGN_KEY` in the environment.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.arguments import StrPath
from understudy.base.folders import config_folder
from understudy.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

log = logging.getLogger(__name__)

CERTIFICATE, KEY = "UNDERSTUDY_SIGN_CERT", "UNDERSTUDY_SIGN_KEY"
FILE = "signing.pem"
_CERTIFICATE_BEGINS = b"-----BEGIN CERTIFICATE-----"
BEGINS = datetime(1970, 1, 2, tzinfo=timezone.utc)
"""from when on a key of ours is valid: clocks are set back, and one without a battery begins in 1970"""
YEAR_OF_MARKS = datetime(2026, 1, 1, tzinfo=timezone.utc)
"""when such keys were first made: a clock that says less is wrong"""
VALID_DAYS = 3650
ORGANISATION = "understudy, a key made on the computer that uses it"


@dataclass(frozen=True)
class Signing:
    """A private key and the certificates that go with it."""

    certificates: bytes
    """PEM: the key's own first"""
    key: bytes
    """PEM, PKCS 8, not encrypted"""
    algorithm: str
    """as C2PA calls it: es256, es384, es512, ps256 or ed25519"""
    whose: str
    """for people: the file or files, and what to do where it does not sign"""


def signing(sign_cert: StrPath | None = None, sign_key: StrPath | None = None) -> Signing:
    """The certificate and key that are given, else those that the environment names, else the key made at first use.

    Args:
        sign_cert: PEM file, the key's own certificate first, then those that vouch for it.
        sign_key: PEM file, without a password.

    Raises:
        UsageError: only one of the two is named, they are no regular files, cannot be read or do not belong together.
    """
    for names, (certificate, key) in (
        (("`sign_cert`", "`sign_key`"), (sign_cert, sign_key)),
        ((CERTIFICATE, KEY), (os.environ.get(CERTIFICATE) or None, os.environ.get(KEY) or None)),
    ):
        for name, file in zip(names, (certificate, key), strict=True):
            if file is not None and Path(file) == Path():  # as a variable of the shell is that was never set
                raise UsageError(f"{name} names no file, it is empty: name one, or leave both out")
        if certificate is not None and key is not None:
            return _read(Path(certificate).expanduser(), Path(key).expanduser(), " and ".join(names))
        if certificate is not None or key is not None:
            raise UsageError(f"{names[0]} and {names[1]} go together: give both, or neither")
    return own(config_folder())


@cache
def own(folder: Path) -> Signing:
    """The key in a folder, made if there is none; where nothing can be kept, one for this process alone."""
    file = folder / FILE
    try:
        if not file.exists():
            _keep(file, made())
        return _parted(_content(file), file)
    except OSError as error:
        log.warning(
            "the key for signing cannot be kept in %s (%s): this once another one signs; UNDERSTUDY_CONFIG names "
            "another folder",
            folder,
            error.strerror or error,
        )
        return _parted(made(), file)


def _keep(file: Path, content: bytes) -> None:
    """Writes the file, for its owner alone; of two processes that come here at once the first one's stays."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(part, file)  # unlike a rename, takes no other file's place
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def made() -> bytes:
    """PEM of a new key, of its certificate, and of the one that signed that and whose own key is then forgotten.

    C2PA does not take a certificate that has signed itself.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    ends = max(datetime.now(timezone.utc), YEAR_OF_MARKS) + timedelta(days=VALID_DAYS)

    def named(what: str) -> x509.Name:
        words = {NameOID.ORGANIZATION_NAME: ORGANISATION, NameOID.COMMON_NAME: what}
        return x509.Name([x509.NameAttribute(oid, word) for oid, word in words.items()])

    def certificate(what: str, public: ec.EllipticCurvePublicKey, is_root: bool) -> x509.CertificateBuilder:
        uses = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False
        )  # fmt: skip
        uses |= {"key_cert_sign": True, "crl_sign": True} if is_root else {"digital_signature": True}
        return (
            x509.CertificateBuilder()
            .subject_name(named(what))
            .issuer_name(named("root"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGINS)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**uses), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    top = certificate("root", root.public_key(), is_root=True).sign(root, hashes.SHA256())
    leaf = (
        certificate("signs what it makes", key.public_key(), is_root=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + leaf.public_bytes(Encoding.PEM) + top.public_bytes(Encoding.PEM)


def _parted(pem: bytes, file: Path) -> Signing:
    begins = pem.find(_CERTIFICATE_BEGINS)
    if begins < 0:
        raise UsageError(f"{file} is not a key as this program writes it: delete it, and a new one is made")
    return _checked(pem[begins:], pem[:begins], file, file, f"{file}: delete it, and a new one is made")


def _read(certificate: Path, key: Path, named_by: str) -> Signing:
    try:
        pems = _content(certificate), _content(key)
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}") from None
    return _checked(*pems, certificate, key, f"{certificate} and {key}, which {named_by} name")


def _content(file: Path) -> bytes:
    """Of a regular file: a pipe may give nothing, for ever.

    Raises:
        OSError: it cannot be read.
        UsageError: it is a pipe or a device.
    """
    if file.exists() and not file.is_file() and not file.is_dir():
        raise UsageError(f"{file} is no regular file, which a key or certificate has to be: write it into one")
    return file.read_bytes()


def _checked(certificates: bytes, key: bytes, certificate_file: Path, key_file: Path, whose: str) -> Signing:
    """Both as they are, if they can be used together; the key without a password and as PKCS 8."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )
    from cryptography.x509 import load_pem_x509_certificates

    try:
        chain = load_pem_x509_certificates(certificates)
    except ValueError:
        raise UsageError(f"{certificate_file} holds no certificates as PEM") from None
    if certificates.count(_CERTIFICATE_BEGINS) != len(chain):
        raise UsageError(f"nothing can be signed with {whose} (one of its certificates is cut off)")
    try:
        secret = load_pem_private_key(key, None)
    except (ValueError, TypeError):
        raise UsageError(f"{key_file} holds no private key as PEM, or one with a password: give one without") from None
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if secret.public_key().public_bytes(*form) != chain[0].public_key().public_bytes(*form):
        raise UsageError(f"{key_file} is not the key of the first certificate in {certificate_file}")
    plain = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    alone = b"".join(one.public_bytes(Encoding.PEM) for one in chain)  # a file may hold the key as well: it stays here
    return Signing(alone, plain, _algorithm(secret, key_file), whose)


def _algorithm(key: PrivateKeyTypes, file: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey):
        by_curve = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
        if key.curve.name in by_curve:
            return by_curve[key.curve.name]
    elif isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise UsageError(f"{file}: C2PA signs with P-256, P-384, P-521, RSA or Ed25519, and this key is none of them")
