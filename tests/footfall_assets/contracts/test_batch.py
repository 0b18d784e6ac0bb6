import io
import tarfile
import time
import tracemalloc

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.contracts.batch import (
    BatchManifest,
    accepted_key,
    landing_key,
    pack_batch,
    public_key_text,
    unpack_batch,
)
from footfall_assets.contracts.errors import InvalidBatch, QuarantineReason
from footfall_assets.contracts.ids import batch_id, sha256_hex
from footfall_assets.contracts.settings import IntakeLimits
from footfall_assets.storage.lake import check_key

BLOCK = 512


def tar_of(members, tar_format=tarfile.USTAR_FORMAT):
    """A tar of (TarInfo or name, bytes) pairs."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as archive:
        for member, data in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            if info.isreg():
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def end_of(packed):
    """Where the two blocks of zeros end that a tar has to have; more of them only fill a tape's record."""
    return -(-len(packed.rstrip(b"\0")) // BLOCK) * BLOCK + 2 * BLOCK


def parts_of(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return [(member.name, archive.extractfile(member).read()) for member in archive]


def reason_of(data, limits=None):
    with pytest.raises(InvalidBatch) as caught:
        unpack_batch(data, limits or IntakeLimits())
    return caught.value.reason


def test_what_is_packed_is_unpacked(packed, manifest, stills, key, limits):
    batch = unpack_batch(packed, limits)
    assert batch.manifest == manifest
    assert [member.data for member in batch.members] == stills
    assert [packed[each.offset : each.offset + len(each.data)] for each in batch.members] == stills
    batch.verify_signature(public_key_text(key))


def test_packing_again_gives_the_same_bytes(packed, manifest, stills, key):
    assert pack_batch(manifest, stills, key) == packed


def test_the_bytes_of_a_batch_stay_what_they_were_for_devices_that_sent_it_before(packed):
    assert sha256_hex(packed) == "7504215dbea0c7023b60b1cd38b256eac14853cd5436bced12d7b23734b78ae7"


def test_other_tools_read_it(packed, manifest, stills):
    parts = parts_of(packed)
    assert [name for name, _ in parts] == ["manifest.json", "manifest.sig", *(each.name for each in manifest.images)]
    assert [data for _, data in parts[2:]] == stills


def test_a_batch_without_stills_is_a_batch(manifest, key, limits):
    empty = BatchManifest.model_validate(
        manifest.model_dump() | {"images": (), "frames_kept": 0, "batch_id": batch_id("door", manifest.opened_at, ())}
    )
    assert unpack_batch(pack_batch(empty, [], key), limits).members == ()


def test_stills_and_manifest_have_to_agree_in_number(manifest, stills, key):
    with pytest.raises(ValueError, match="zip"):
        pack_batch(manifest, stills[:-1], key)


def test_its_keys_say_where_it_belongs_and_are_safe(manifest):
    name = f"2024-01-01/store-101/door/{manifest.batch_id}.tar"
    assert check_key(landing_key(manifest)) == f"landing/{name}"
    assert check_key(accepted_key(manifest)) == f"batches/{name}"


@pytest.mark.parametrize("percent", range(100))
def test_cut_short_anywhere_it_is_refused(packed, percent):
    length = end_of(packed) * percent // 100
    assert reason_of(packed[:length]) is QuarantineReason.TRUNCATED


def test_cut_at_any_byte_of_its_last_kilobytes_it_is_whole_or_refused(packed, limits, manifest):
    end = end_of(packed)
    for length in range(end - 3 * BLOCK, end):
        assert reason_of(packed[:length]) is QuarantineReason.TRUNCATED
    assert unpack_batch(packed[:end], limits).manifest == manifest


@pytest.mark.parametrize("data", [b"", b"\0" * 10240, b"\0"])
def test_nothing_is_not_a_batch(data):
    assert reason_of(data) is QuarantineReason.TRUNCATED


@given(st.binary(min_size=BLOCK, max_size=4 * BLOCK).filter(any))
def test_noise_is_refused(data):
    assert reason_of(data) in {QuarantineReason.BAD_ARCHIVE, QuarantineReason.TRUNCATED}


@given(position=st.integers(0, 10**9), value=st.integers(1, 255))
def test_no_changed_byte_passes_unnoticed(small_batch, position, value):
    """The tar's own fields are not signed; manifest and stills are, so what is read is what was packed."""
    manifest, stills, key = small_batch
    packed = pack_batch(manifest, stills, key)
    changed = bytearray(packed)
    changed[position % len(packed)] ^= value
    try:
        batch = unpack_batch(bytes(changed), IntakeLimits())
        batch.verify_signature(public_key_text(key))
    except InvalidBatch:
        return
    assert batch.manifest == manifest
    found = [sha256_hex(member.data) for member in batch.members]
    hashes_match = found == [entry.sha256 for entry in manifest.images]
    assert hashes_match == ([member.data for member in batch.members] == stills)


def test_a_signature_of_another_key_is_refused(manifest, stills, key, limits):
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    batch = unpack_batch(pack_batch(manifest, stills, other), limits)
    batch.verify_signature(public_key_text(other))
    with pytest.raises(InvalidBatch) as caught:
        batch.verify_signature(public_key_text(key))
    assert caught.value.reason is QuarantineReason.BAD_SIGNATURE


def test_a_signature_of_another_manifest_is_refused(with_manifest, manifest, key, limits):
    document = manifest.model_copy(update={"frames_expected": 181}).model_dump_json().encode()
    batch = unpack_batch(with_manifest(document), limits)
    with pytest.raises(InvalidBatch, match="device-1 did not sign"):
        batch.verify_signature(public_key_text(key))


@pytest.mark.parametrize("public_key", ["", "x" * 44, "ä" * 44, "A" * 43 + "=", "AAAA", "A" * 44 + "\n"])
def test_no_text_instead_of_a_public_key_lets_a_batch_pass(packed, limits, public_key):
    with pytest.raises(InvalidBatch):
        unpack_batch(packed, limits).verify_signature(public_key)


@pytest.mark.parametrize("signature", [b"", b"x" * 63, b"x" * 65, b"x" * 64])
def test_a_signature_of_another_form_is_refused(packed, key, limits, signature):
    parts = parts_of(packed)
    with pytest.raises(InvalidBatch):
        unpack_batch(tar_of([parts[0], ("manifest.sig", signature), *parts[2:]]), limits).verify_signature(
            public_key_text(key)
        )


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_no_plain_file_is_refused(packed, kind, place):
    parts = parts_of(packed)
    parts[place] = (special(parts[place][0], kind, "/etc/passwd"), b"")
    assert reason_of(tar_of(parts, tarfile.GNU_FORMAT)) is QuarantineReason.BAD_ARCHIVE


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../x.jpg", "./manifest.json", "manifest.json/", "MANIFEST.JSON", "x"]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_member_of_another_name_is_refused(packed, name, place):
    parts = parts_of(packed)
    parts[place] = (name, parts[place][1])
    assert reason_of(tar_of(parts)) is QuarantineReason.BAD_ARCHIVE


def test_members_in_another_order_are_refused(packed):
    parts = parts_of(packed)
    assert reason_of(tar_of([*parts[:2], parts[3], parts[2], *parts[4:]])) is QuarantineReason.BAD_ARCHIVE
    assert reason_of(tar_of([parts[1], parts[0], *parts[2:]])) is QuarantineReason.BAD_ARCHIVE


def test_a_missing_member_is_refused(packed):
    assert reason_of(tar_of(parts_of(packed)[:-1])) is QuarantineReason.TRUNCATED


@pytest.mark.parametrize(
    "extra", [("x.jpg", b"1"), ("manifest.json", b"{}"), (special("x", tarfile.SYMTYPE, "/"), b"")]
)
def test_a_member_too_many_is_refused(packed, extra):
    assert reason_of(tar_of([*parts_of(packed), extra])) is QuarantineReason.BAD_ARCHIVE


@pytest.mark.parametrize("rest", [b"x", b"\0" * 600 + b"x", b"x" * BLOCK, b"\0" * 20_000 + b"PK\3\4"])
def test_nothing_may_hide_behind_the_last_member(packed, rest):
    assert reason_of(packed + rest) is QuarantineReason.BAD_ARCHIVE


def test_more_zeros_at_the_end_are_allowed(packed, limits, manifest):
    assert unpack_batch(packed + b"\0" * 20_480, limits).manifest == manifest


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_extended_headers_are_refused(packed, tar_format):
    parts = parts_of(packed)
    assert reason_of(tar_of([("m" * 300, b"1"), *parts], tar_format)) is QuarantineReason.BAD_ARCHIVE


def test_a_chain_of_extended_headers_is_refused(packed):
    """`tarfile` follows them by recursion."""
    header = special("x", tarfile.XHDTYPE).tobuf(tarfile.USTAR_FORMAT)
    assert reason_of(header * 5000 + packed) is QuarantineReason.BAD_ARCHIVE


@pytest.mark.parametrize("size", [8 * 1024**3 - 1, 2**60, -1, -(2**60)])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_declared_size_beyond_the_limits_is_refused_and_nothing_is_kept_for_it(packed, size, place):
    blocks = []
    for number, (name, data) in enumerate(parts_of(packed)[:3]):
        info = tarfile.TarInfo(name)
        info.size = size if number == place else len(data)
        blocks.append(info.tobuf(tarfile.GNU_FORMAT) + data + b"\0" * (-len(data) % BLOCK))
    tracemalloc.start()
    assert reason_of(b"".join(blocks)) is QuarantineReason.TOO_LARGE
    assert tracemalloc.get_traced_memory()[1] < 10 * 1024**2
    tracemalloc.stop()


def test_each_limit_holds(packed, manifest, stills):
    largest = max(len(still) for still in stills)
    document = len(manifest.model_dump_json())
    exact = {"batch_bytes": len(packed), "image_bytes": largest, "images": len(stills), "manifest_bytes": document}
    assert unpack_batch(packed, IntakeLimits(**exact)).manifest == manifest
    for name, value in exact.items():
        assert reason_of(packed, IntakeLimits(**exact | {name: value - 1})) is QuarantineReason.TOO_LARGE


def test_a_hundred_thousand_members_cost_no_more_than_those_that_were_listed(packed):
    extra = special("x", tarfile.REGTYPE).tobuf(tarfile.USTAR_FORMAT) * 100_000
    data = packed.rstrip(b"\0")
    data += b"\0" * (-len(data) % BLOCK) + extra + b"\0" * 1024
    start = time.process_time()
    assert reason_of(data) is QuarantineReason.BAD_ARCHIVE
    assert time.process_time() - start < 0.5
