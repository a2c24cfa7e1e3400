"""Words that name what every survey has: in English, Filipino, French and Spanish.

A variable is what its name or its label says as a whole, ``S2_sex``, ``Kasarian``, ``Sexe de
l'enquêté``; not what one word of a sentence says, which may be about anybody.
"""

from __future__ import annotations

import re
import unicodedata

_WORDS = {
    "household": "household, hh, hhid, dwelling, sambahayan, ménage, foyer, hogar, vivienda",
    "psu": "psu, psuid, primary sampling unit, primary unit, cluster, clust, clusterid, "
    "sampling point, enumeration area, enum area, ea, eaid, census tract, kumpol, grappe, upm, "
    "unité primaire, unité primaire de sondage, zone de dénombrement, zd, conglomerado, "
    "unidad primaria de muestreo, unidad primaria, punto muestral",
    "ssu": "ssu, secondary sampling unit, barangay, brgy, village, segment, segmento, "
    "segmento censal",
    "interviewer": "interviewer, enumerator, interviewer id, tagapanayam, enquêteur, enquêtrice, "
    "entrevistador, entrevistadora, encuestador, encuestadora",
    "city": "city, municipality, city or municipality, lungsod, munisipalidad, bayan, commune, "
    "municipio, ciudad",
    "stratum": "stratum, strata, strat, stratumid, stratification, estrato, estratos, strate, "
    "strates",
    "consent": "consent, informed consent, pahintulot, pagsang-ayon, consentement, "
    "consentement éclairé, consentimiento, consentimiento informado",
    "region": "region, reg, rehiyon, région, región",
    "urban": "urban, rural, urban rural, urban or rural, residence, type of residence, "
    "place of residence, urbain, milieu, milieu de résidence, urbain ou rural, urbano, "
    "área de residencia, urbano o rural",
    "sex": "sex, gender, kasarian, sexe, genre, sexo, género",
    "age_group": "age group, age groups, agegroup, agegrp, age grp, agecat, age cat, age category, "
    "tranche d'âge, groupe d'âge, grupo de edad, grupo etario, pangkat ng edad",
    "age": "age, how old, edad, gulang, ilang taon, âge, quel âge, cuántos años tiene",
    "base_weight": "weight, weights, indweight, individual weight, wgt, wt, pweight, timbang, "
    "poids, pondération, coefficient de pondération, ponderación, factor de ponderación, "
    "expansion factor, factor de expansión, fexp, peso, pondera",
}
# Left out wherever they stand: they don't say what is asked.
_LEFT_OUT = """
    the of your you yours what is are was were do respondent respondents s resp rp interviewee
    id ids code codes plain number num no nr name sample sampling survey final base design year
    years in at last completed birthday old or and
    ng ang mga sa ano anong ka na po ba inyong iyong mo kayo respondente
    le la les l de du des d a et ou en un une quel quelle est sont votre avez vous enquete
    enquetee repondant repondante ans revolus sondage numero nom
    el los del y o su cual es anos cumplidos entrevistado entrevistada encuestado encuestada
    informante muestra muestreo nombre
"""
_FILLER = frozenset(_LEFT_OUT.split())
_CODE = re.compile(r"[a-z]{0,2}\d+[a-z]?")


def plain_words(text: str) -> list[str]:
    """Words in small letters without accents; ``HouseholdID`` are two."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    letters = unicodedata.normalize("NFKD", apart).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", letters.lower())


def _core(text: str) -> tuple[str, ...]:
    words = [word for word in plain_words(text) if not _CODE.fullmatch(word)]
    return tuple(word for word in words if word not in _FILLER) or tuple(words)


_NAMED = {_core(phrase): name for name, phrases in _WORDS.items() for phrase in phrases.split(", ")}


def named(text: str) -> str:
    """Say what a name or a label stands for, if as a whole it is one of the known words.

    Parameters
    ----------
    text
        Name of a variable, or its label.

    Returns
    -------
    str
        Analysis name such as ``sex`` or ``psu``; empty if the text says anything else.
    """
    return _NAMED.get(_core(text), "")
