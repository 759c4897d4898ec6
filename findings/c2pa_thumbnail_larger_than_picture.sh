#!/usr/bin/env bash
# Signing a small PNG with c2pa-python makes it many times as large: its manifest holds the picture enlarged to 1024 pixels.
#
# Versions: c2pa-python 0.38.0, Pillow 11.3.0, cryptography 46.0.3, Python 3.11, Linux x86_64.
# Expected: a manifest of a few kilobytes, as in MP4 files, or with it a thumbnail that is no larger than the picture.
# Seen: a PNG of 40x48 random pixels (6 kB) comes out with 160 kB: by default a "c2pa.thumbnail.claim" is made of pictures, a
#   JPEG whose longer side is 1024 pixels whatever that of the picture is, 853x1024 for this one, and for one of 400x480 too. With the
#   setting builder.thumbnail.enabled = false the file grows by 3 kB.
# Worth knowing: whoever signs a clip's frames one by one stores each of them twice, and the second time larger.
# Fails when this changes: when the thumbnail is not larger than the picture, or is not made by default.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet c2pa-python==0.38.0 cryptography==46.0.3 pillow==11.3.0
cat > "$folder/signed.py" <<'PYTHON'
import io, json, random
from datetime import datetime, timedelta, timezone
import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

begins = datetime.now(timezone.utc) - timedelta(days=1)

def certificate(holder, key, issuer, signer, is_root):
    named = lambda what: x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "example"), x509.NameAttribute(NameOID.COMMON_NAME, what)])
    usage = x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False)
    made = x509.CertificateBuilder().subject_name(named(holder)).issuer_name(named(issuer)).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(begins + timedelta(days=30))
    made = made.add_extension(x509.BasicConstraints(is_root, None), True).add_extension(usage, True)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    if not is_root:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return made.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)

root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
chain = certificate("leaf", leaf, "root", root, False) + certificate("root", root, "root", root, True)
secret = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
source = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
action = {"action": "c2pa.created", "digitalSourceType": source}
definition = json.dumps({
    "claim_generator_info": [{"name": "example", "version": "1"}],
    "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
})

def signed(png, settings):
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=secret, ta_url=None)
    with c2pa.Context(c2pa.Settings.from_dict(settings)) as context, c2pa.Signer.from_info(info) as signer:
        with c2pa.Builder(definition, context) as builder:
            out = io.BytesIO()
            builder.sign(signer, "image/png", io.BytesIO(png), out)
    return out.getvalue()

def thumbnail(png):
    with c2pa.Reader("image/png", io.BytesIO(png)) as reader:
        store = json.loads(reader.json())
        held = store["manifests"][store["active_manifest"]].get("thumbnail")
        if held is None:
            return None
        picture = io.BytesIO()
        reader.resource_to_stream(held["identifier"], picture)
        return Image.open(picture).size

random.seed(0)
found = {}
for width, height in ((40, 48), (400, 480)):
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), random.randbytes(3 * width * height)).save(out, "png")
    png = out.getvalue()
    usual, without = signed(png, {}), signed(png, {"builder": {"thumbnail": {"enabled": False}}})
    found[width] = thumbnail(usual)
    print(f"{width}x{height}: {len(png)} bytes, signed {len(usual)}, without thumbnail {len(without)}; thumbnail {found[width]}")
    assert thumbnail(without) is None and len(without) - len(png) < 10_000, "changed: the setting"
assert found == {40: (853, 1024), 400: (853, 1024)}, "changed: the thumbnail"
PYTHON
"$folder/venv/bin/python" "$folder/signed.py"
