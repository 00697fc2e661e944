"""From the parts of a message to the bytes that such a system sends: HL7 v2.5 PAM France, HPRIM Santé from the town."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.scenarios.parts import STATUS_CODES, Parts, traits_of

_STRUCTURES: Final = {
    "A28": "ADT_A05", "A31": "ADT_A05", "A40": "ADT_A39", "A41": "ADT_A39", "A47": "ADT_A30", "A49": "ADT_A30",
    "A44": "ADT_A43", "A43": "ADT_A43", "A24": "ADT_A24", "A37": "ADT_A37", "A05": "ADT_A05", "A04": "ADT_A01",
    "A08": "ADT_A01", "A03": "ADT_A03", "A18": "ADT_A18", "A30": "ADT_A30", "A34": "ADT_A30", "A35": "ADT_A30",
    "A36": "ADT_A30", "A42": "ADT_A39", "A45": "ADT_A45", "A46": "ADT_A30", "A50": "ADT_A50", "A51": "ADT_A50",
    "R01": "ORU_R01", "O01": "ORM_O01",
}  # fmt: skip


def _names(said: Mapping[str, str], statuses: list[str]) -> str:
    kind = "S" if "anonymous" in statuses else "L"
    births = f"{said.get('birth name', '')}^{said.get('first name', '')}^{said.get('all first names', '')}^^^^{kind}"
    names = [births] if said.get("birth name") or said.get("first name") else []
    if said.get("used name"):
        names.append(f"{said['used name']}^{said.get('first name', '')}^^^^^D")
    return "~".join(names)


def _pid(parts: Parts) -> str:
    said = traits_of(parts)
    fields = {
        1: "1", 3: "~".join([*parts.pid3, *parts.ins]), 5: _names(said, parts.statuses),
        7: said.get("born", "").replace("-", ""), 8: said.get("sex", ""),
        11: f"^^^^^FRA^BDL^^{said['birth place']}" if "birth place" in said else "",
        32: "~".join(dict.fromkeys(STATUS_CODES[one] for one in parts.statuses)),
    }  # fmt: skip
    return _segment("PID", fields | parts.pid)


def _segment(name: str, fields: Mapping[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields, default=0) + 1))])


def _extra(parts: Parts) -> str:
    """ZFD: how the identity was found (PAM France, ZFD-5, ZFD-7)."""
    fields = {}
    if "qualified" in parts.statuses or "retrieved" in parts.statuses:
        fields[5] = "INSI"
    if "qualified" in parts.statuses or "validated" in parts.statuses:
        fields[7] = "CN"
    fields |= _of(parts, "ZFD")
    return _segment("ZFD", fields) if fields else ""


def _of(parts: Parts, segment: str) -> dict[int, str]:
    return {int(path[4:]): value for path, value in parts.other.items() if path.startswith(f"{segment}-")}


def hl7(event: str, control_id: str, parts: Parts, *, facility: str) -> bytes:
    """Return the message as HL7 v2.5 of PAM France, in UTF-8."""
    kind = {"R": "ORU", "O": "ORM", "T": "MDM"}.get(event[0], "ADT")
    msh = _segment(
        "MSH",
        {1: "^~\\&", 2: "GAM", 3: facility, 4: "PASSERELLE", 5: "GHT", 6: "20260102030405",
         8: f"{kind}^{event}^{_STRUCTURES.get(event, f'{kind}_{event}')}", 9: control_id, 10: "P", 11: "2.5^FRA^2.11",
         16: "FRA", 17: "UNICODE UTF-8", 18: "FR"}
        | {number - 1: value for number, value in _of(parts, "MSH").items()},
    )  # fmt: skip
    segments = [msh]
    if kind == "ADT":
        segments.append("EVN||20260102030405")
    segments.append(_pid(parts))
    if parts.second:
        segments.append(_segment("PID", {1: "2", 3: "~".join(parts.second)}))
    if parts.mrg:
        segments.append(_segment("MRG", {number: "~".join(values) for number, values in parts.mrg.items()}))
    visit = _of(parts, "PV1")
    if kind == "ADT" or visit:
        segments.append(_segment("PV1", {1: "1", 2: "I" if 18 in parts.pid or 19 in visit else "N"} | visit))
    if movement := _of(parts, "ZBE"):
        segments.append(_segment("ZBE", {2: "20260102030000", 4: "INSERT", 5: "N"} | movement))
    if extra := _extra(parts):
        segments.append(extra)
    segments += [_segment(payer, {1: "1"} | said) for payer in ("GT1", "IN1") if (said := _of(parts, payer))]
    if kind == "ORM":
        segments += [f"ORC|NW|{control_id}^DPI", f"OBR|1|{control_id}^DPI||2160-0^CREATININE^LN"]
    elif kind == "ORU":
        segments += [
            f"OBR|1|D{control_id}^DPI|F{control_id}^LIS|2160-0^CREATININE^LN|||20260102",
            "OBX|1|NM|2160-0^CREATININE^LN||84|umol/L|||||F",
            "OBX|2|ST|NOTE||IPP 1001^^^CPAGE^PI du courrier||||||F",
        ]
    return ("\r".join(segments) + "\r").encode()


def _hprim_ins(cx: str) -> str:
    """Put an INS as PID-3 has it into P-11: value, type, dates, OID (H2.3 and later)."""
    value, _, authority = cx.partition("^^^")
    name, oid, *_ = authority.split("&")
    return f"{value}~{name.removeprefix('ASIP-SANTE-')}~~~~{oid}"


def hprim(control_id: str, parts: Parts) -> bytes:
    """
    Return a result of a town laboratory as HPRIM Santé, in CP1252; `was IPP` is a fusion (P-2.2, P-2.3).

    One that says an INS or a status is of version 2.5: P-6 with the given names, P-11, P-34 birth place, P-38.
    """
    said, local = traits_of(parts), parts.local
    ipp = local.get("IPP", "")
    if "was IPP" in local:
        ipp += f"~{local['was IPP']}~FU"
    name = f"{said.get('birth name', '')}~{said.get('first name', '')}"
    fields = {1: "1", 2: ipp, 4: local.get("NDA", ""), 5: name, 6: said.get("birth name", ""),
              7: said.get("born", "").replace("-", ""), 8: said.get("sex", "")}  # fmt: skip
    newer = bool(parts.statuses or parts.ins)
    if newer:
        fields |= {
            6: f"{said.get('birth name', '')}~{said.get('first name', '')}~{said.get('all first names', '')}",
            11: "^".join(map(_hprim_ins, parts.ins)), 34: f"~{said.get('birth place', '')}",
            38: "^".join(dict.fromkeys(STATUS_CODES[one] for one in parts.statuses)),
        }  # fmt: skip
    patient = _segment("P", fields)
    lines = [
        f"H|~^\\&|{control_id}.HPR||LABO~LABO DE VILLE||ORU|||CHA~CHA||P|H2.{5 if newer else 3}~C|202601020304",
        patient,
        f"OBR|1|~D{control_id}|~F{control_id}|GLU~GLYCEMIE~L",
        "OBX|1|NM|GLU~GLYCEMIE~L||5.4|mmol/L|||||F",
        "L|1||1|5",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")
