"""
What the fields of HPRIM mean, in the norm's words, which are French.

Numbers are those of paths: H-1 is the delimiters (the norm's own prose counts the segment's name as field 1).
"""

from __future__ import annotations

from typing import Final

_SEGMENTS: Final[dict[str, str]] = {
    "H": "en-tête", "P": "patient", "OBR": "demande d'examen", "OBX": "résultat", "C": "commentaire",
    "L": "fin de message",
    "A": "suite", "AP": "assurance obligatoire", "AC": "assurance complémentaire", "ACT": "acte", "FAC": "facture",
    "REG": "règlement", "ERR": "erreur", "ENT": "en-tête de lettre", "TXT": "texte", "RES": "résultat", "TEX": "texte",
}  # fmt: skip

_FIELDS: Final[dict[str, str]] = {
    "H": (
        "délimiteurs|nom du fichier|mot de passe|émetteur|adresse de l'émetteur|contexte|téléphone de l'émetteur|"
        "caractéristiques de transmission|récepteur|commentaire|mode de traitement|version et type de liaison|date"
    ),
    "P": (
        "rang|identifiant du demandeur|identifiant de l'exécutant|numéro de dossier|nom|nom de naissance|"
        "date de naissance|sexe|race|adresse|INS|téléphone|médecins|libre 1|libre 2|taille|poids|diagnostic|traitement|"
        "régime|commentaire 1|commentaire 2|dates de mouvement|statut d'admission|localisation|"
        "classification du diagnostic|religion|situation maritale|précautions|langue|confidentialité|"
        "date de mise à jour|date de décès|lieu de naissance|mode d'obtention de l'identité|justificatif d'identité|"
        "date de naissance corrigée|statut de l'identité|attribut de l'identité|date de naissance lunaire|courriel"
    ),
    "OBR": (
        "rang|numéro du demandeur|numéro de l'exécutant|analyse|priorité|date de la demande|date du prélèvement|"
        "date de fin|volume|préleveur|code d'action|risque|renseignements cliniques|date de réception|prélèvement|"
        "prescripteur|téléphone|libre du demandeur 1|libre du demandeur 2|libre de l'exécutant 1|"
        "libre de l'exécutant 2|"
        "date du résultat|prix|service exécutant|statut|lien|quantité|copies|demande liée|transport|motif|interprète|"
        "assistant|technicien|secrétaire|date prévue"
    ),
    "OBX": (
        "rang|type|analyse|sous-identifiant|valeur|unité|normales|anormalité|probabilité|nature des normales|statut|"
        "date des normales|accès|date du résultat|secteur et ordre|validateur"
    ),
    "C": "rang|origine|texte",
    "L": "rang|libre|nombre de patients|nombre de segments|lot",
    "REG": "rang|numéro de dossier|montant|signe|date|mode|numéro de l'exécutant",
    "ERR": ("rang|fichier reçu|date de réception|gravité|ligne|segment|champ|valeur|type|texte"
    ),
    "ENT": (
        "référence du patient|nom|prénom|adresse 1|adresse 2|code postal et ville|date de naissance|numéro de sécurité "
        "sociale|code complémentaire|date de l'examen|émetteur|destinataire"
    ),
    "TXT": "ligne",
    "RES": (
        "libellé|code|type|valeur|unité|borne basse|borne haute|anormalité|statut|valeur 2|unité 2|borne basse 2|"
        "borne haute 2"
    ),
    "TEX": "ligne",
}  # fmt: skip
_NAMES: Final[dict[str, tuple[str, ...]]] = {segment: tuple(words.split("|")) for segment, words in _FIELDS.items()}


def segment_name(segment: str) -> str:
    """Return what a segment is, empty for one that the norm doesn't know."""
    return _SEGMENTS.get(segment, "")


def field_name(segment: str, number: int) -> str:
    """Return what a field means, empty for one that the norm doesn't know; `number` counts from 1."""
    names = _NAMES.get(segment, ())
    return names[number - 1] if 0 < number <= len(names) else ""


_CODED: Final = "code|libellé|table"
_COMPONENTS: Final[dict[str, str]] = {
    "H-4": "code|nom", "H-9": "code|nom", "H-12": "version|type de liaison",
    "P-2": "identifiant|identifiant fusionné|fusion", "P-5": "nom|prénom|deuxième prénom|alias|civilité|titre",
    "P-6": "nom|premier prénom|liste des prénoms", "P-10": "rue|complément|ville|département|code postal|pays",
    "P-11": "identifiant|type|date|début|fin|OID", "P-13": "code|nom|prénom", "P-25": "lit|chambre|unité",
    "P-34": "ville|code INSEE|pays|code postal", "OBR-2": "échantillon|demande", "OBR-3": "échantillon|demande",
    "OBR-4": _CODED, "OBR-16": "code|nom|prénom", "OBX-3": _CODED,
}  # fmt: skip
_PARTS: Final = {place: tuple(words.split("|")) for place, words in _COMPONENTS.items()}

_RESULT_STATUS: Final = {
    "F": "validé", "P": "préliminaire", "C": "corrigé", "R": "non validé", "I": "en cours", "D": "supprimé",
    "X": "annulé", "U": "changé en validé",
}  # fmt: skip
_ABNORMAL: Final = {
    "L": "bas", "H": "haut", "LL": "très bas", "HH": "très haut", "<": "sous la limite de mesure",
    ">": "au-dessus de la limite de mesure", "N": "normal", "A": "anormal", "AA": "très anormal", "U": "en hausse",
    "D": "en baisse", "B": "mieux", "W": "pire", "R": "résistant", "I": "intermédiaire", "S": "sensible",
    "MS": "modérément sensible", "VS": "très sensible",
}  # fmt: skip
_TABLES: Final[dict[str, dict[str, str]]] = {
    "H-6": {
        "ADM": "admissions", "ORM": "demandes", "ORU": "résultats", "REG": "règlements", "FAC": "facturation",
        "ERR": "acquittement",
    },
    "H-11": {"P": "production", "T": "test", "D": "mise au point"},
    "H-12.2": {"C": "laboratoire et clinique", "L": "entre laboratoires", "R": "radiologie"},
    "P-2.3": {"FU": "fusion"},
    "P-8": {"M": "masculin", "F": "féminin", "U": "inconnu"},
    "P-24": {"IP": "hospitalisé", "OP": "externe", "ER": "urgences", "PA": "préadmission"},
    "P-28": {"S": "célibataire", "M": "marié", "D": "divorcé", "A": "séparé", "W": "veuf", "U": "inconnu"},
    "OBR-25": _RESULT_STATUS | {"M": "partiel", "O": "demandé"},
    "OBR-30": {"PORT": "appareil mobile", "CART": "brancard", "WHLC": "fauteuil", "WALK": "à pied"},
    "OBX-2": {
        "NM": "numérique", "CE": "code", "ST": "texte court", "TX": "texte", "FIC": "fichier joint", "AD": "adresse",
        "CK": "identifiant avec clé", "CNA": "code et nom", "DT": "date", "PN": "nom de personne", "TN": "téléphone",
    },
    "OBX-8": _ABNORMAL, "OBX-11": _RESULT_STATUS, "RES-8": _ABNORMAL, "RES-9": _RESULT_STATUS,
    "C-2": {"P": "patient", "L": "laboratoire"},
    "ERR-4": {"T": "rejet total", "P": "rejet partiel"},
    "RES-3": {"N": "numérique", "A": "alphanumérique", "C": "codé"},
}  # fmt: skip


def component_name(segment: str, number: int, component: int) -> str:
    """Return what a component means, empty for one that the norm doesn't know."""
    names = _PARTS.get(f"{segment}-{number}", ())
    return names[component - 1] if 0 < component <= len(names) else ""


def meaning(place: str, code: str) -> str:
    """Return what a code means at a place (`P-8`, `H-12.2`); empty where there is no table or no such code."""
    return _TABLES.get(place, {}).get(code, "")
