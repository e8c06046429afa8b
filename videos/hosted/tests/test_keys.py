import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.key_stores.local import LocalKeyStore
from videos.hosted.models import ContentKey, KeyState, Package, PackageState, Scheme
from videos.hosted.seams.keys import KeyStoreUnavailable, KeyUnreadable
from videos.hosted.services.content_keys import keys
from videos.hosted.services.content_keys.plain_keys import PlainKeys, plain_keys
from videos.hosted.services.content_keys.rotation import DUE_AFTER, due_rotations
from videos.hosted.tests.conftest import KEK
from videos.hosted.tests.making import IV, KEY, KID, make_hosted_video, make_key

CONTEXT = {"app": "videos", "asset": UUID(int=1).hex, "kid": KID.hex, "v": "1"}
# `KEY` under `KEK` and `CONTEXT` with the nonce 0, 1, … 11, made by hand: HKDF from two HMACs, AES-GCM by OpenSSL.
BLOB = "v1.kek-1.AAECAwQFBgcICQoLbM9G-XGgBkYf__-XVWhVPwPv2_U5RFSKpV_cSs_6iU8"
STORE = LocalKeyStore(keys={"kek-1": KEK})


def spoilt(place):
    """The blob with one bit of its sealed bytes turned over."""
    head, _, text = BLOB.rpartition(".")
    sealed = bytearray(base64.urlsafe_b64decode(text + "=="))
    sealed[place] ^= 1
    return f"{head}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def make_package(hosted_video, key, state=PackageState.PUBLISHED):
    return Package.objects.create(video=hosted_video, key=key, scheme=Scheme.CBCS, state=state)


def test_a_key_wrapped_by_the_described_format_opens():
    assert STORE.unwrap(BLOB, CONTEXT) == KEY


@pytest.mark.parametrize("changed", [{"app": "x"}, {"asset": UUID(int=2).hex}, {"kid": UUID(int=3).hex}, {"v": "2"}])
def test_a_wrapped_key_opens_in_its_own_row_alone(changed):
    with pytest.raises(KeyUnreadable):
        STORE.unwrap(BLOB, CONTEXT | changed)


@pytest.mark.parametrize(
    "blob",
    [
        *(pytest.param(spoilt(place), id=f"bit in byte {place}") for place in (0, 11, 12, 27, 28, 43)),
        *("", "v1", "v1.kek-1.", "v1.kek-1.AAAA", "v1.kek-1.€", BLOB + "A", BLOB.replace("v1.", "v2.")),
        BLOB.replace("kek-1", "kek-2"),
        BLOB.replace("kek-1", "kek.1"),
    ],
)
def test_what_is_damaged_or_foreign_does_not_open_and_says_no_secret(blob):
    with pytest.raises(KeyUnreadable) as refused:
        STORE.unwrap(blob, CONTEXT)
    assert KEK not in str(refused.value)
    assert BLOB[10:] not in str(refused.value)


def test_another_key_of_the_same_id_does_not_open():
    other = LocalKeyStore(keys={"kek-1": base64.b64encode(bytes(32)).decode()})
    with pytest.raises(KeyUnreadable):
        other.unwrap(BLOB, CONTEXT)


@pytest.mark.parametrize(
    ("configured", "problem"),
    [
        ({}, "No key-encryption key is configured."),
        ({"kek-1": "no base64 ßecret"}, "The key-encryption key 'kek-1' is no base64."),
        ({"kek-1": KEK, "kek-2": base64.b64encode(bytes(31)).decode()}, "'kek-2' has 31 bytes instead of 32."),
        ({KEK.rstrip("="): ""}, "write it as id=base64"),
    ],
)
def test_a_wrong_configuration_is_told_without_its_secret(configured, problem):
    store = LocalKeyStore(keys=configured)
    told = " ".join(store.problems())
    assert problem in told
    with pytest.raises(KeyStoreUnavailable, match="key"):
        store.probe()
    assert not any(text.rstrip("=") in told for text in (KEK, *configured.values()) if text)
    assert not any(text.rstrip("=") in repr(store) for text in (KEK, *configured.values()) if text)


def test_a_good_configuration_has_no_problems_and_can_be_probed():
    assert not STORE.problems()
    STORE.probe()


def test_an_older_key_encryption_key_opens_and_the_first_one_wraps():
    newer = base64.b64encode(bytes(range(1, 33))).decode()
    store = LocalKeyStore(keys={"kek-2": newer, "kek-1": KEK})
    moved = store.rewrap(BLOB, CONTEXT)
    assert (store.unwrap(BLOB, CONTEXT), store.unwrap(moved.blob, CONTEXT)) == (KEY, KEY)
    assert moved.wrapped_by == store.primary == "kek-2"
    with pytest.raises(KeyUnreadable, match="kek-2"):
        STORE.unwrap(moved.blob, CONTEXT)


@pytest.mark.django_db
def test_every_key_of_a_video_is_another_one_in_another_version(hosted):
    ours, _ = make_hosted_video()
    first, second = keys.create_key(video=ours), keys.create_key(video=ours)
    assert (first.version, second.version) == (1, 2)
    opened = [keys.material_of(key) for key in (first, second)]
    assert len({(made.kid, made.key, made.iv) for made in opened}) == 2
    assert {len(made.key) for made in opened} == {len(made.iv) for made in opened} == {16}
    assert len({made.key for made in opened} | {made.iv for made in opened}) == 4


@pytest.mark.django_db
def test_the_encryption_of_a_package_is_its_key_even_when_it_is_revoked(hosted):
    ours, _ = make_hosted_video()
    package = make_package(ours, make_key(ours, state=KeyState.REVOKED))
    found = keys.encryption_of(Package.objects.get(pk=package.pk))
    assert (found.scheme, found.kid, found.key, found.iv) == ("cbcs", KID, KEY, IV)
    assert keys.encryption_of(Package(video=ours, scheme=Scheme.OPEN)).key == b""


@pytest.mark.django_db
def test_a_wrapped_key_in_another_row_gives_nothing_although_it_was_opened_before(hosted):
    ours, _ = make_hosted_video()
    good, other = make_key(ours), make_key(ours, version=2, kid=UUID(int=7))
    keys.material_of(good)
    other.wrapped = good.wrapped
    with pytest.raises(KeyUnreadable):
        keys.material_of(other)


@pytest.mark.django_db
def test_revoking_says_how_many_keys_it_was_and_leaves_other_videos_alone(hosted):
    ours, _ = make_hosted_video()
    elsewhere, _ = make_hosted_video()
    made = [keys.create_key(video=ours), keys.create_key(video=ours)]
    spared = keys.create_key(video=elsewhere)
    assert keys.revoke(key=made[0], reason="test") == 1
    assert keys.revoke(video=ours, reason="test") == 1
    assert keys.revoke(video=ours, reason="test") == 0
    assert {key.state for key in ours.keys.all()} == {KeyState.REVOKED}
    assert ContentKey.objects.get(pk=spared.pk).state == KeyState.ACTIVE
    with pytest.raises(ValueError, match="video or a key"):
        keys.revoke(reason="test")


@pytest.mark.django_db
@pytest.mark.parametrize("state", PackageState.values)
def test_a_key_is_destroyed_once_no_package_needs_it(hosted, state):
    ours, _ = make_hosted_video()
    key = make_key(ours)
    make_package(ours, key, state)
    keys.material_of(key)
    is_dead = state in (PackageState.ABANDONED, PackageState.EMPTIED)
    assert keys.destroy(key) is is_dead
    key.refresh_from_db()
    if not is_dead:
        assert keys.material_of(key).key == KEY
        return
    assert keys.destroy(key) is True
    assert (key.wrapped, key.wrapped_by, key.state) == ("", "", KeyState.REVOKED)
    with pytest.raises(KeyUnreadable, match="destroyed"):
        keys.material_of(key)


@pytest.mark.django_db
def test_a_key_under_a_former_key_store_opens_and_one_under_none_says_so(hosted, settings):
    ours, _ = make_hosted_video()
    key = keys.create_key(video=ours)
    plain = keys.material_of(key).key
    plain_keys.forget("")
    options = settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]
    former = options["key_store"]
    options["key_store"] = {"BACKEND": former["BACKEND"], "OPTIONS": {"keys": {"new": KEK}}}
    with pytest.raises(KeyUnreadable, match="No configured key store holds"):
        keys.material_of(key)
    options["former_key_stores"] = [former]
    assert keys.material_of(key).key == plain
    assert keys.create_key(video=ours).wrapped_by == "new"
    assert KEK not in repr(host("hosted"))


@pytest.mark.django_db(transaction=True)
def test_keys_made_at_the_same_time_have_versions_of_their_own(hosted):
    ours, _ = make_hosted_video()
    barrier = threading.Barrier(4)

    def create(_):
        barrier.wait(timeout=10)
        try:
            return keys.create_key(video=ours).version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(4))) == [1, 2, 3, 4]


def test_plain_keys_are_forgotten_by_time_without_anybody_asking():
    kept = PlainKeys(kept_s=0.05)
    kept.put("blob", CONTEXT, KEY)
    assert kept.get("blob", CONTEXT) == KEY
    assert kept.get("blob", CONTEXT | {"v": "2"}) is None
    deadline = time.monotonic() + 5
    while len(kept) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not len(kept)
    assert KEY.hex() not in repr(kept)


@pytest.mark.django_db
def test_what_is_in_use_for_long_is_told(hosted):
    ours, _ = make_hosted_video()
    key = make_key(ours)
    ours.package = make_package(ours, key)
    ours.save()
    assert due_rotations(timezone.now()) == []
    ContentKey.objects.update(created_at=timezone.now() - DUE_AFTER * 2)
    assert [(due.what, due.count) for due in due_rotations(timezone.now())] == [
        ("content keys", 1),
        ("key-encryption key kek-1", 1),
    ]
    ContentKey.objects.update(rewrapped_at=timezone.now())
    assert [due.what for due in due_rotations(timezone.now())] == ["content keys"]
