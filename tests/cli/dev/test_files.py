"""Which saves are seen."""

import os
from pathlib import Path

import pytest

from kajitori.cli.dev.files import SavedFiles


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_text("one")
    return path


def watching(*files: Path, folder: Path, wants_new: bool = False) -> SavedFiles:
    saved = SavedFiles()
    saved.begin(folder)
    saved.watch(files, wants_new=wants_new)
    return saved


def test_another_content_is_a_change_and_a_touch_is_none(file: Path) -> None:  # F1
    saved = watching(file, folder=file.parent)
    assert saved.changed() == saved.changed() == []
    os.utime(file, ns=(1, 1))
    assert saved.changed() == saved.changed() == []
    file.write_text("two")
    assert saved.changed() == [] and saved.changed() == [file] and saved.changed() == []


def test_a_file_that_is_being_written_is_waited_for(file: Path) -> None:  # F2
    saved = watching(file, folder=file.parent)
    for text in ("tw", "two,", "two, three"):
        file.write_text(text)
        assert saved.changed() == []
    assert saved.changed() == [file]


def test_a_file_that_is_put_aside_and_back_has_not_changed(file: Path) -> None:  # F1, F2
    saved = watching(file, folder=file.parent)
    file.rename(file.with_suffix(".bak"))
    assert saved.changed() == []
    file.with_suffix(".bak").rename(file)
    assert saved.changed() == saved.changed() == []
    file.unlink()
    assert saved.changed() == [] and saved.changed() == [file], "gone for good"


def test_new_files_count_while_they_are_waited_for(file: Path) -> None:  # F3
    saved = watching(file, folder=file.parent, wants_new=True)
    (file.parent / "notes.txt").write_text("no module")
    assert saved.changed() == []
    (file.parent / "b.py").write_text("new")
    assert saved.changed() == [file.parent / "b.py"] and saved.changed() == []
    saved.begin(file.parent)
    saved.watch([file])
    (file.parent / "c.py").write_text("newer")
    assert saved.changed() == []


def test_what_is_saved_while_it_is_read_is_read_again(file: Path) -> None:  # F4
    saved = SavedFiles()
    saved.begin(file.parent)
    file.write_text("two")
    new = file.parent / "b.py"
    new.write_text("new")
    saved.watch([file], wants_new=True)
    assert saved.changed() == [new] and saved.changed() == [file] and saved.changed() == []


def test_files_that_are_not_there_are_no_error(tmp_path: Path) -> None:
    saved = watching(tmp_path / "gone.py", folder=tmp_path / "nowhere", wants_new=True)
    assert saved.changed() == saved.changed() == []
    (tmp_path / "gone.py").write_text("there")
    assert saved.changed() == [] and saved.changed() == [tmp_path / "gone.py"]
