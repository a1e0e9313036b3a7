"""The lessons of docs/course, and how one is run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from testbed import course
from testbed.course import FOLDER, LessonError, lessons, run, steps
from testbed.settings import Settings

Lesson = Callable[[str], None]


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """Runs a lesson of this text."""
    monkeypatch.setattr(course, "FOLDER", tmp_path)

    def run_it(text: str) -> None:
        (tmp_path / "1-a-test.md").write_text(text)
        run(Settings.isolated(tmp_path), 1)

    return run_it


def test_the_lessons_are_numbered_and_listed() -> None:
    """The lessons are numbered from 1, and the course's first page links each."""
    assert [*lessons()] == [*range(1, len(lessons()) + 1)]
    listed = (FOLDER / "README.md").read_text()
    assert all(f"[{number}]({path.name})" in listed for number, path in lessons().items())
    assert all(any(step.commands for step in steps(path.read_text())) for path in lessons().values())


def test_a_lesson_shows_its_text_its_commands_and_their_output(
    lesson: Lesson, capfd: pytest.CaptureFixture[str]
) -> None:
    """Commands share one shell, and the output may have more space and other lines than the lesson shows."""
    lesson(
        "# One\n\n```sh\nNAME=ada\necho first\n```\n\nMore.\n\n"
        '```sh\necho "hello   $NAME"; echo bye\n```\n```text\nhello … bye\n```\nEnd.\n'
    )
    shown = capfd.readouterr().out
    places = [shown.index(part) for part in ("# One", "$ NAME=ada", "    first", "More.", "hello   ada", "End.")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("```sh\necho one\n```\n```text\ntwo\n```\n", "expected this output"),
        ("```sh\nfalse\n```\n", "failed with exit code 1"),
        ("```sh\nfalse | true\n```\n", "failed with exit code 1"),
        ("```sh\necho $UNKNOWN\n```\n", "failed with exit code"),
    ],
)
def test_a_lesson_that_goes_wrong_fails(lesson: Lesson, text: str, problem: str) -> None:
    """Another output than the lesson shows, and a command that fails, end it."""
    with pytest.raises(LessonError, match=problem):
        lesson(text)


def test_commands_do_not_read_the_lesson(lesson: Lesson, capfd: pytest.CaptureFixture[str]) -> None:
    """A command that reads its input gets none."""
    lesson("```sh\ncat\n```\n\n```sh\necho still here\n```\n```text\nstill here\n```\n")
    assert "still here" in capfd.readouterr().out


def test_another_lesson_is_refused(tmp_path: Path) -> None:
    """The error names the lessons."""
    with pytest.raises(LessonError, match=r"expected one of 1, 2, .*, got 99"):
        run(Settings.isolated(tmp_path), 99)
