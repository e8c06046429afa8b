"""A folder as a store, where it must agree with a bucket."""

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.stores.local import LocalStore


def store_with(tmp_path, *keys):
    store = LocalStore(root=str(tmp_path / "store"))
    for key in keys:
        (tmp_path / "put").write_text(key)
        store.put_file(key, tmp_path / "put")
    return store


def test_what_begins_with_a_prefix_is_listed_and_deleted_and_nothing_else(tmp_path):
    others = ["a/p/1/source", "b/source", "a/other"]
    store = store_with(tmp_path, "a/source", "a/source.writer", "a/source-1/part", *others)
    assert set(store.keys("a/source")) == {"a/source", "a/source.writer", "a/source-1/part"}
    assert store.delete_all("a/source") == 3
    assert set(store.keys("")) == set(others)
    assert list(store.keys("a/oth")) == ["a/other"]
    assert (store.delete_all("a/"), list(store.keys("")), store.delete_all("a/")) == (2, ["b/source"], 0)
    assert not (tmp_path / "store" / "a").exists()


def test_a_file_is_on_disk_before_its_key_names_it_and_the_name_before_it_counts(tmp_path, monkeypatch):
    synced = []

    def note(descriptor, fsync=os.fsync):
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), target.exists()))
        fsync(descriptor)

    target = tmp_path / "store" / "a" / "film"
    monkeypatch.setattr(os, "fsync", note)
    store_with(tmp_path, "a/film")
    assert synced == [(str(tmp_path / "put"), False), (str(target.parent), True)]


def test_what_the_disk_refuses_is_told_and_nothing_is_taken_for_gone(tmp_path):
    """A loop of links is refused to every user, root too."""
    store = store_with(tmp_path, "a/source")
    (tmp_path / "store" / "loop").symlink_to("loop")
    (tmp_path / "put").write_text("film")
    for ask in (
        lambda: store.put_file("loop/film", tmp_path / "put"),
        lambda: store.fetch("loop/film", tmp_path / "got"),
        lambda: store.open_range("loop/film", 0, 1),
        lambda: store.size_of("loop/film"),
        lambda: list(store.keys("loop/")),
        lambda: store.delete_all("loop/"),
        lambda: LocalStore(root=str(tmp_path / "store" / "loop")).probe(),
    ):
        with pytest.raises(StoreUnavailable):
            ask()
    assert list(store.keys("none/")) == []


def test_a_folder_that_is_made_for_films_is_closed_to_other_users(tmp_path):
    (tmp_path / "put").write_text("film")
    uses = [LocalStore.probe, LocalStore.free_bytes, lambda store: store.put_file("a/b", tmp_path / "put")]
    former = os.umask(0)
    try:
        for number, use in enumerate(uses):
            root = tmp_path / f"new-{number}" / "store"
            use(LocalStore(root=str(root)))
            assert stat.S_IMODE(root.stat().st_mode) == 0o750
    finally:
        os.umask(former)


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="There is no second disk to copy to.")
def test_a_copy_to_another_disk_that_fails_leaves_nothing_there(tmp_path):
    with TemporaryDirectory(dir="/dev/shm") as other:
        if os.stat(other).st_dev == os.stat(tmp_path).st_dev:
            pytest.skip("Both are one disk.")
        store = LocalStore(root=other)
        (Path(other) / "a" / "source").mkdir(parents=True)
        (tmp_path / "put").write_text("film")
        with pytest.raises(StoreUnavailable):
            store.put_file("a/source", tmp_path / "put")
        assert list(store.keys("")) == []
        store.put_file("a/other", tmp_path / "put")
        assert list(store.keys("")) == ["a/other"]
