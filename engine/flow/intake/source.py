"""
One source's reception: from a block to a message on disk and its acknowledgement.

Reads the header only: whatever the content, custody comes first, and what is wrong with it is a dead letter
later, because many senders stop their queue or drop the message at a negative answer. `AA`/`CA` is said when
the transaction is on disk, never before. What is no message gets a negative answer that says why, and is
kept among the refusals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from engine.core.acceptance import Acceptance, application_code, commit_code
from engine.core.ack import AckCode, AnswerError, ErrorCode
from engine.core.changes import Receipt, Receive, Refuse, Route
from engine.core.lifecycle import MessageState
from engine.core.messages import Attachment, Refusal, StoredMessage
from engine.core.ports import UNSENT, Reply, Timer, Urgency
from engine.core.references import digest_of
from engine.errors import ParseError, StoreError, StoreUnavailable
from engine.errors import where as where_of
from engine.flow.intake.batch import BatchReply, PartReply
from engine.flow.intake.stage import Intake
from engine.parsers import header_of, sniff
from engine.parsers.hl7v2.ack import NO_HEADER, build_ack, error_of
from engine.parsers.hl7v2.batch import is_batch, split_batch
from engine.parsers.hl7v2.header import Header, read_header
from engine.parsers.hprim.acknowledgement import build_err
from engine.parsers.hprim.header import read_hprim_header
from engine.parsers.sniff import is_text, may_be_letter
from engine.routes.configuration import Source

_log = structlog.get_logger(__name__)

_FORMATS_WITH_BATCHES: Final = ("hl7v2", "auto")
_ACKNOWLEDGEMENTS: Final = ("ERR", "ACK")
"""Context of HPRIM Santé, MSH-9.1 of HL7: a file that is itself an answer."""
REFUSAL_BYTES: Final = 65_536
REFUSAL_LOAD: Final = 0.5
"""Load of the store above which a refusal is kept without its bytes: messages need the room."""


@dataclass(slots=True)
class _Awaiting:
    """A message whose application acknowledgement comes after the router (`ack: after_route`)."""

    header: Header
    reply: Reply
    timer: Timer | None = None


class SourceIntake:
    """One source's reception."""

    def __init__(self, source: Source, intake: Intake) -> None:
        """
        Prepare.

        Args:
            source: Its format, acknowledgement mode and tolerances.
            intake: What the sources have in common.
        """
        self.source = source
        self._intake = intake
        self._store = intake.store
        self._runtime = intake.runtime
        self._after_route = source.ack == "after_route"
        self._files = source.type == "directory"
        self._awaiting: dict[int, _Awaiting] = {}
        self.counts = {"received": 0, "stored": 0, "acknowledged": 0, "refused": 0}
        self.findings: dict[str, int] = {}
        self.last_received_ms = 0
        self.refused_by_code: dict[str, int] = {}
        self._unkept = 0
        """Refusals of this run that the store doesn't know: nothing could be stored then."""
        if self._after_route:
            self._store.on_routed(source.routing, self._routed)

    @property
    def answers_trouble(self) -> bool:
        """While nothing can be stored its senders get AE or AR, so reading must go on."""
        return self.source.when_unavailable != "wait" and not self._files

    # --- what the doors call

    def accept(
        self, raw: bytes, peer: str, reply: Reply, name: str = "", attachments: tuple[Attachment, ...] = ()
    ) -> None:
        """
        Take one block (core.ports.Accept).

        A fault of ours in one block is answered AR and kept with the refusals: it must neither stop the engine
        nor leave the sender without an answer.
        """
        self.counts["received"] += 1
        try:
            if self.source.batch == "split" and self.source.format in _FORMATS_WITH_BATCHES and is_batch(raw):
                self._accept_batch(raw, peer, reply, name)
            else:
                self._accept_one(raw, peer, reply, name, attachments)
        except Exception as error:
            where = where_of(error)
            _log.error("internal fault", source=self.source.name, where=where)
            reason = f"a fault of Passerelle ({where}); please report it"
            self._keep_refusal("E-INTERNAL", reason, raw, len(raw), peer)
            self._answer(NO_HEADER, reply, Acceptance.REJECTED, _error(ErrorCode.INTERNAL, "", reason))

    def refuse(self, code: str, reason: str, head: bytes, size: int, peer: str, reply: Reply) -> None:
        """Keep what is no block, and answer AR where an MSH was read (core.ports.RefuseBytes)."""
        header = _header_of(head, files=self._files)
        self._keep_refusal(code, reason, head, size, peer)
        if header is None:
            reply.answer(UNSENT if self._files else b"")
            return
        self._answer(header, reply, Acceptance.REJECTED, _error(ErrorCode.INTERNAL, "", reason))

    # --- one message

    def _accept_one(
        self, raw: bytes, peer: str, reply: Reply, name: str, attachments: tuple[Attachment, ...] = ()
    ) -> None:
        source = self.source
        try:
            header = self._read_header(raw)
        except ParseError as error:
            self._keep_refusal("E-NO-HEADER" if raw.strip() else "E-EMPTY", str(error), raw, len(raw), peer)
            self._answer(_header_of(raw, files=self._files) or NO_HEADER, reply, Acceptance.REJECTED, error_of(error))
            return
        form = header.format
        if not header.control_id and source.missing_control_id == "refuse" and form == "hl7v2" and not name:
            reason = "MSH-10 (message control id) is absent: the sender must number its messages"
            self._keep_refusal("E-NO-CONTROL-ID", reason, raw, len(raw), peer)
            missing = _error(ErrorCode.REQUIRED_FIELD_MISSING, "MSH^1^10", reason)
            self._answer(header, reply, Acceptance.ERROR, missing)
            return
        self.last_received_ms = now = self._runtime.now_ms()
        message = StoredMessage(
            source=source.name,
            group=source.routing,
            raw=raw,
            received_ms=now,
            peer=peer,
            name=name,
            format=form,
            control_id=header.control_id,
            type=header.type,
            charset=header.charset,
            digest=digest_of(raw, [one.digest for one in attachments]),
            site=source.site,
            attachments=attachments,
        )
        self._intake.large.taken(message)
        self.receive(message, header, reply)

    def receive(self, message: StoredMessage, header: Header, reply: Reply) -> None:
        """Commit a message, then answer; also called again for one that was held."""
        intake = self._intake
        if not intake.available:
            self._unavailable(message, header, reply)
            return

        def done(result: Receipt | StoreError) -> None:
            if isinstance(result, Receipt):
                self.counts["stored"] += 1
                intake.large.stored(message)
                self._stored(message, header, reply)
                intake.stored()
            else:
                self._not_stored(result, message, header, reply)

        intake.take(Receive(message), Urgency.NOW, done)

    def _stored(self, message: StoredMessage, header: Header, reply: Reply) -> None:
        self.counts["acknowledged"] += 1
        if not self._after_route:
            self._answer(header, reply, Acceptance.ACCEPTED, None)
            return
        commit = commit_code(header.accept_ack, header.application_ack, Acceptance.ACCEPTED)
        if commit is not None and not self._files:
            reply.answer(self._ack(header, commit, None), last=False)
        waiting = _Awaiting(header, reply)
        self._awaiting[message.place] = waiting
        waiting.timer = self._runtime.call_later(
            self.source.answer_within, lambda: self._answer_application(message.place, Acceptance.ACCEPTED, None)
        )

    def _not_stored(self, error: StoreError, message: StoredMessage, header: Header, reply: Reply) -> None:
        if isinstance(error, StoreUnavailable):
            self._unavailable(message, header, reply)
            return
        # A rule of ours was broken: the sender must not believe that it is stored, and may send again.
        self._intake.large.not_stored(message)
        _log.error("reception refused by the store", source=self.source.name, reason=str(error))
        failed = _error(ErrorCode.INTERNAL, "", "the message could not be stored")
        self._answer(header, reply, Acceptance.REJECTED, failed)
        self._intake.stored()

    def _unavailable(self, message: StoredMessage, header: Header, reply: Reply) -> None:
        if not self.answers_trouble:  # and of a file: a negative answer would set it aside
            message.place = 0
            self._intake.hold(lambda: self.receive(message, header, reply))
            return
        self._intake.large.not_stored(message)
        acceptance = Acceptance.REJECTED if self.source.when_unavailable == "ar" else Acceptance.ERROR
        self._answer(header, reply, acceptance, _error(ErrorCode.INTERNAL, "", "nothing can be stored at the moment"))

    # --- a batch: one answer a message

    def _accept_batch(self, raw: bytes, peer: str, reply: Reply, name: str) -> None:
        try:
            batch = split_batch(raw)
            if not batch.messages:
                raise ParseError("the batch holds no message: no MSH follows its header; nothing of it is kept to send")
        except ParseError as error:
            self._keep_refusal("E-BATCH", str(error), raw, len(raw), peer)
            self._answer(_header_of(raw, files=self._files) or NO_HEADER, reply, Acceptance.REJECTED, error_of(error))
            return
        for finding in batch.findings:
            self._found(finding)
        if batch.headers <= 1 and not batch.enveloped:
            self._accept_one(raw, peer, reply, name)
            return
        collected = BatchReply(reply, len(batch.messages))
        for rank, message in enumerate(batch.messages):
            part = f"{name}#{rank + 1}" if name else ""
            self._accept_one(message, peer, PartReply(collected, rank), part)

    # --- answers

    def _answer(self, header: Header, reply: Reply, acceptance: Acceptance, error: AnswerError | None) -> None:
        """
        Give every answer that the message asks for, at once.

        A file is no conversation: nothing is its positive answer, and a negative one is always given,
        whatever MSH-15 and MSH-16 say, because the door moves the file by it.
        """
        if self._files:
            if acceptance is not Acceptance.ACCEPTED and header.type[:3] in _ACKNOWLEDGEMENTS:
                reply.answer(UNSENT, last=False)
            reply.answer(self._file_answer(header, acceptance, error))
            return
        commit = commit_code(header.accept_ack, header.application_ack, acceptance)
        application = application_code(header.accept_ack, header.application_ack, acceptance)
        if commit is None and application is None and self.source.acknowledge == "always":
            application = application_code("", "", acceptance)
        if commit is not None:
            reply.answer(self._ack(header, commit, error), last=application is None)
            if application is None:
                return
        reply.answer(self._ack(header, application, error) if application is not None else b"")

    def _file_answer(self, header: Header, acceptance: Acceptance, error: AnswerError | None) -> bytes:
        """
        Return what the door hears of a file, and writes beside others where the source wants it (`answer_files`).

        An acknowledgement has none (a refusal is for the door alone): two systems would answer each other's answers
        for ever.
        """
        wanted = self.source.answer_files
        always = wanted is not None and wanted.when == "always" and header.type[:3] not in _ACKNOWLEDGEMENTS
        if acceptance is Acceptance.ACCEPTED and not always:
            return b""
        if header.format == "hprim-sante" and wanted is not None:
            return build_err(
                header,
                name=header.control_id,
                extension=wanted.extension,
                now_ms=self._runtime.now_ms(),
                utc_offset_s=self._runtime.utc_offset_seconds(),
                error=error,
            )
        codes = {Acceptance.ACCEPTED: AckCode.AA, Acceptance.ERROR: AckCode.AE, Acceptance.REJECTED: AckCode.AR}
        return self._ack(header, codes[acceptance], error)

    def _ack(self, header: Header, code: AckCode, error: AnswerError | None) -> bytes:
        intake = self._intake
        return build_ack(
            header,
            code=code,
            now_ms=self._runtime.now_ms(),
            ack_id=intake.next_ack_id(),
            text="" if error is None else error.user_text,
            error=error,
            utc_offset_s=self._runtime.utc_offset_seconds(),
        )

    def _routed(self, routes: Sequence[Route]) -> None:
        awaiting = self._awaiting
        for route in routes:
            if route.place in awaiting:
                if route.state is MessageState.REJECTED:
                    acceptance = Acceptance.REJECTED if route.code.startswith("AR") else Acceptance.ERROR
                    self._answer_application(
                        route.place, acceptance, _error(ErrorCode.INTERNAL, route.field, route.reason)
                    )
                else:
                    self._answer_application(route.place, Acceptance.ACCEPTED, None)

    def _answer_application(self, place: int, acceptance: Acceptance, error: AnswerError | None) -> None:
        waiting = self._awaiting.pop(place, None)
        if waiting is None:
            return
        if waiting.timer is not None:
            waiting.timer.cancel()
        header = waiting.header
        if self._files:
            self._answer(header, waiting.reply, acceptance, error)
            return
        code = application_code(header.accept_ack, header.application_ack, acceptance)
        if code is None and acceptance is not Acceptance.ACCEPTED and header.application_ack in {"AL", "ER"}:
            code = AckCode.AE if acceptance is Acceptance.ERROR else AckCode.AR  # CA was already said
        waiting.reply.answer(self._ack(header, code, error) if code is not None else b"")

    # --- what is kept and counted

    def _read_header(self, raw: bytes) -> Header:
        """
        Read the header in the source's format.

        Raises:
            ParseError: It is no message, or one of another format.
        """
        wanted = self.source.format
        if wanted == "hl7v2":
            try:
                return read_header(raw)
            except ParseError:
                wanted = "none" if sniff(raw).startswith("hprim") else wanted
        seen = sniff(raw)
        if wanted not in ("auto", seen) and seen != "unknown":
            raise ParseError(
                f"this is {seen}, but the source takes {self.source.format}; write format: auto to take both",
                error_code=ErrorCode.UNSUPPORTED_TYPE,
            )
        if raw.strip():
            _check_hprim(raw, wanted, seen)
        return header_of(raw, wanted if wanted != "auto" else seen)

    def _keep_refusal(self, code: str, reason: str, raw: bytes, size: int, peer: str) -> None:
        self.counts["refused"] += 1
        times = self.refused_by_code[code] = self.refused_by_code.get(code, 0) + 1
        if times & (times - 1) == 0:  # 1, 2, 4, 8…: a broken sender doesn't flood the log
            _log.warning("refused", source=self.source.name, peer=peer, code=code, reason=reason, times=times)
        intake = self._intake
        if not intake.available:  # the disk is low or away: what room there is belongs to messages
            self._unkept += 1
            return
        kept = raw[:REFUSAL_BYTES] if intake.store.load <= REFUSAL_LOAD else b""
        refusal = Refusal(
            source=self.source.name,
            peer=peer,
            at_ms=self._runtime.now_ms(),
            code=code,
            reason=reason,
            size=size,
            raw=kept,
        )
        intake.take(Refuse(refusal), Urgency.LAZY, None)

    def _found(self, finding: str) -> None:
        self.findings[finding] = self.findings.get(finding, 0) + 1

    def facts(self) -> Mapping[str, Any]:
        """Return counts since the start, for status."""
        return {
            **self.counts,
            "findings": dict(self.findings),
            "refusals": dict(self.refused_by_code),
            "unkept_refusals": self._unkept,
            "last_received_ms": self.last_received_ms,
        }


def _header_of(head: bytes, *, files: bool) -> Header | None:
    """Return what can be answered to: an MSH, or the H of a file."""
    try:
        return header_of(head, "hprim-sante") if files and sniff(head) == "hprim-sante" else read_header(head)
    except ParseError:
        return None


def _check_hprim(raw: bytes, wanted: str, seen: str) -> None:
    """
    Look whether bytes may be HPRIM at all: a letter begins with no mark, and noise holds an H line by chance.

    Raises:
        ParseError: They can't.
    """
    if (wanted if seen == "unknown" else seen).startswith("hprim") and not is_text(raw):
        raise ParseError("these bytes are no text (an image, a program, a damaged or encrypted file?), and no message")
    if seen != "unknown":
        return
    if wanted == "hprim-sante":
        read_hprim_header(raw)  # says what it lacks
        raise ParseError("its H line is no header: the delimiters, then fields, are expected", location="H")
    if wanted == "hprim-medecin" and not may_be_letter(raw):
        raise ParseError("this is no HPRIM Médecin letter: it has neither closing tags nor twelve header lines")


def _error(code: int, location: str, reason: str) -> AnswerError:
    return AnswerError(
        code=str(int(code)), code_text=ErrorCode(code).text, location=location, severity="E", user_text=reason
    )
