"""
`python: { file, call, reads: [SEG], writes: [PATHS], timeout: 1s }`: a function of the hospital's own.

The function runs in another process, sees the segments under `reads` only, and writes the paths under `writes` only:
both are enforced here, whatever it does there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from engine.core.asking import Asked, Code, Question
from engine.errors import StepFailed
from engine.transforms.nodes import Mark, Node
from engine.transforms.segmentnames import SegmentName
from engine.transforms.shapes import Key, ListOf, Reader, Record, TextShape, Verb, refuse
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import ValuePath

if TYPE_CHECKING:
    from engine.parsers.hl7v2.message import Message
    from engine.parsers.paths import Path

_FACTS: Final = ("site", "source", "type", "event", "control_id")
_TIMEOUT_MAX: Final = 60.0
_TIMEOUT: Final = re.compile(r"(\d{1,5}(?:\.\d{1,3})?) ?(ms|s)", re.ASCII)


class Python(Step):
    """Call a function of the hospital's."""

    __slots__ = ("_code", "_writes")

    asks = True

    def __init__(self, code: Code, writes: list[Path]) -> None:
        super().__init__("python")
        self._code = code
        self._writes = {path.text: path for path in writes}

    @property
    def file(self) -> str:
        """The file of the function."""
        return self._code.file

    def apply(self, context: Context) -> None:
        """
        Write what the function wrote.

        Raises:
            Asked: There is no reply to this call yet.
            StepFailed: E-PYTHON: it failed, it didn't return in time, or it wrote what it may not.
        """
        facts = {name: str(getattr(context, name)) for name in _FACTS} | {"rank": str(context.rank)}
        question = Question(self._code, visible(context.message, self._code.reads), facts)
        reply = context.answers.get(question.key)
        if reply is None:
            raise Asked([question])
        if reply.failure:
            raise StepFailed("E-PYTHON", reply.failure, field=self._code.file)
        for text, value in reply.writes:
            path = self._writes.get(text)
            if path is None:
                reason = f"{self._code.call} wrote a path that isn't under writes:"
                raise StepFailed("E-PYTHON", reason, field=self._code.file)
            if value is None:
                path.delete(context.message)
            else:
                path.write(context.message, value)


def files_called(steps: Iterable[Step]) -> frozenset[str]:
    """Return the files whose functions are called by steps, those inside others too."""
    files: set[str] = set()

    def look(step: Step) -> Step:
        if isinstance(step, Python):
            files.add(step.file)
        return step

    for step in steps:
        step.wrapped(look)
    return frozenset(files)


def visible(message: Message, reads: frozenset[str]) -> bytes:
    """Return the segments that a function may see, under the header's delimiters."""
    names = message.names
    lines = [message.peek(position).line() for position, name in enumerate(names) if name in reads]
    header = names[0] if names else "MSH"
    if header not in reads:
        marks = message.delimiters
        lines.insert(0, header.encode() + marks.field + marks.declared)
    return b"".join([line + b"\r" for line in lines]).decode(message.codec).encode()


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step; the file is read, and its function looked for, once."""
    word = arguments["file"]
    file, text = reader.file(word.node)
    call = arguments["call"]
    _check(reader, file, text, call)
    if not reader.allows_python():
        raise refuse(
            reader, node, "E153", "code of the hospital's own isn't allowed here",
            "set PASSERELLE_PYTHON=yes where Passerelle starts, or write the step without python",
        )  # fmt: skip
    writes = arguments["writes"] or []
    code = Code(
        file=file, text=text, call=str(call), reads=frozenset(map(str, arguments["reads"] or ())),
        writes=frozenset(path.text for path in writes), timeout=arguments["timeout"],
    )  # fmt: skip
    return Python(code, writes)


def _check(reader: Reader, file: str, text: str, call: Any) -> None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line, column = (error.lineno or 1, error.offset or 1) if isinstance(error, SyntaxError) else (1, 1)
        raise refuse(
            reader, Mark(file, line, column), "E154", "this isn't Python", "look at this line and the one before"
        ) from None
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    found = functions.get(str(call))
    if found is None:
        raise refuse(reader, call.node, "E116", f"{file} has no function {call}", reader.suggest(call, list(functions)))
    if len(found.args.args) != 1:
        raise refuse(
            reader, Mark(file, found.lineno, found.col_offset + 1), "E154", f"{call} takes one argument, the message",
            f"write def {call}(message):",
        )  # fmt: skip


class _Timeout(TextShape):
    """How long a function may take, in seconds."""

    wants = "a duration up to a minute: 500ms, 1s"

    def read(self, node: Node, reader: Reader) -> Any:
        """Read the node."""
        match = _TIMEOUT.fullmatch(super().read(node, reader))
        seconds = float(match[1]) / (1000 if match[2] == "ms" else 1) if match is not None else 0.0
        if not 0 < seconds <= _TIMEOUT_MAX:
            raise refuse(reader, node, "E111", "a function may take up to a minute", "write timeout: 1s")
        return seconds


_SHAPE = Record(
    {
        "file": Key(TextShape(), required=True, about="The file, beside routes.yaml."),
        "call": Key(TextShape(), required=True, about="The function; it takes one argument, the message."),
        "reads": Key(
            ListOf(SegmentName()),
            required=True,
            about="Names of the segments that it sees; no others leave the engine.",
        ),
        "writes": Key(ListOf(ValuePath()), about="Paths that it may write, as it writes them."),
        "timeout": Key(_Timeout(), default=1.0, about="After that it is killed, and the message is a dead letter."),
    }
)
VERB = Verb("python", _SHAPE, build, "call a function of the hospital's own")
