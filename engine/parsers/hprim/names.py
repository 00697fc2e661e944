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
    "ERR": (
        "rang|fichier reçu|date de réception|gravité|ligne|segment|champ|valeur|type|texte"
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
