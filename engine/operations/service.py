"""`Operations`: the one list of what operators can ask and do, by name."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from engine.errors import OperationRefused
from engine.operations import changing, dead, explaining, exporting, messages, planning, queues, status, tables, trying
from engine.operations.desk import Answer, Desk
from engine.operations.identities import deciding, looking, reviewing, taking, telling

Operation = Callable[..., Awaitable[Answer]]

OPERATIONS: Final[Mapping[str, Operation]] = {
    operation.__name__: operation
    for operation in (
        status.status,
        queues.queue_list,
        queues.queue_show,
        queues.queue_lanes,
        queues.hold,
        queues.release,
        queues.probe,
        dead.dead_list,
        dead.dead_groups,
        dead.dead_show,
        dead.dead_retry,
        dead.dead_pass,
        dead.dead_discard,
        dead.dead_restore,
        messages.message_find,
        messages.message_show,
        messages.message_raw,
        messages.message_trace,
        messages.refusals,
        messages.audit,
        trying.message_try,
        explaining.message_explain,
        exporting.message_export,
        tables.table_misses,
        looking.identity_find,
        looking.identity_show,
        looking.identity_history,
        reviewing.identity_review,
        looking.identity_stats,
        telling.identity_impact,
        deciding.identity_link,
        deciding.identity_unlink,
        deciding.identity_apart,
        deciding.identity_undo,
        deciding.identity_next_number,
        taking.identity_import,
        taking.identity_export,
        planning.config_plan,
        changing.config_apply,
        changing.config_confirm,
        changing.config_rollback,
        changing.config_log,
        changing.config_show,
        changing.config_diff,
    )
}
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (int, float),
    "Sequence[str]": (list, tuple),
}


class Operations:
    """Carry out operators' requests; used by the control socket, and directly when no engine runs."""

    def __init__(self, desk: Desk) -> None:
        """Keep where requests are handled."""
        self._desk = desk

    async def call(self, name: str, arguments: Mapping[str, Any], *, who: str) -> Answer:
        """
        Carry out one request.

        Args:
            name: A key of OPERATIONS.
            arguments: As the operation's own; JSON values.
            who: Name of the operator, for the audit trail.

        Returns:
            A dict that goes to JSON as it is, with `"v": 1`.

        Raises:
            OperationRefused: No such operation, wrong arguments (exit code 2), or it can't be done.
            StoreError: The store did not take it.
        """
        operation = OPERATIONS.get(name)
        if operation is None:
            raise OperationRefused(f"there is no operation '{name}'; there are {', '.join(OPERATIONS)}", exit_code=2)
        parameters = inspect.signature(operation).parameters
        check_arguments(name, parameters, arguments)
        given = dict(arguments)
        if "who" in parameters:
            given["who"] = who
        return await operation(self._desk, **given)


def check_arguments(name: str, parameters: Mapping[str, inspect.Parameter], arguments: Mapping[str, Any]) -> None:
    """
    Compare what was given with what an operation takes.

    Raises:
        OperationRefused: An unknown, missing or mistyped argument (usage).
    """
    for key, value in arguments.items():
        if key not in parameters or key in ("desk", "who"):
            raise OperationRefused(f"{name} takes no '{key}'", exit_code=2)
        wanted = _TYPES[str(parameters[key].annotation)]
        fits = isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))
        if not fits or (list in wanted and not all(isinstance(one, str) for one in value)):
            raise OperationRefused(f"{name}: '{key}' has the wrong type", exit_code=2)
        if key == "limit" and value < 1:
            raise OperationRefused(f"{name}: 'limit' begins at 1", exit_code=2)
    for key, parameter in parameters.items():
        if parameter.default is parameter.empty and key not in ("desk", "who") and key not in arguments:
            raise OperationRefused(f"{name} needs '{key}'", exit_code=2)
