"""Words that have no place in messages about appointments, by language, and links that are not ours.

Lists, not understanding: they catch what is written in good faith. Each entry is a regular expression for
whole words, whatever their case; where only one case is meant, it says so. Texts are judged at start-up, so
that a word too many costs a rewording, and never a patient's message.
"""

import re
from collections.abc import Mapping

_ADVERTISING: Mapping[str, tuple[str, ...]] = {
    "de": (
        r"(sonder)?angebote?n?s?",
        r"rabatte?[ns]?",
        r"(rabatt|sonder|spar)aktion(en)?",
        r"unsere[rn]? aktion(en)?",
        r"aktions(preise?|wochen?|tage?|angebote?)",
        r"(sonder|spar|schnäppchen)preise?",
        r"schnäppchen",
        r"gutscheine?[ns]?",
        r"gratis",
        r"bonus(programm|punkte)\w*",
        r"newsletters?",
        r"werbung",
        r"igel([- ]?leistung(en)?)?",
        r"selbstzahler\w*",
        r"jetzt (kaufen|buchen|bestellen|sichern)",
    ),
    "fr": (
        r"promos?",
        r"promotions?",
        r"codes? promo",
        r"(notre|nos|une|des|cette|les|votre) offres?",
        r"l['’]offre",
        r"offres? (spéciales?|exclusives?|limitées?)",
        r"(\d+ ?% de )?réductions?",
        r"\d+ ?% de remise",
        r"soldes",
        r"bons? (d['’]achat|de réduction|cadeaux?)",
        r"publicités?",
        r"newsletters?",
        r"infolettres?",
        r"achetez",
    ),
    "en": (
        r"discount(s|ed)?",
        r"(special|limited|exclusive|our|this|great|latest) offers?",
        r"offers? (ends?|of the (week|month))",
        r"on sale",
        r"sales?",
        r"vouchers?",
        r"coupons?",
        r"promos?",
        r"promotions?",
        r"promo codes?",
        r"gratis",
        r"newsletters?",
        r"advertisements?",
        r"bargains?",
        r"buy now",
    ),
}

_MEDICINE: Mapping[str, tuple[str, ...]] = {
    "de": (
        r"(psych(o|iatr)|onkolog|hämatolog|gynäkolog|frauenheil|urolog|androlog|prokto|dermatolog|venerolog"
        r"|kardiolog|neurolog|nephrolog|gastroenterolog|endokrinolog|diabetolog|rheumatolog|pneumolog"
        r"|infektiolog|hepatolog)\w*",
        r"(palliativ|schmerz|sucht|reproduktions)medizin\w*",
        r"(?-i:Sucht)",
        r"sucht(krank|hilfe|beratung|therap|klinik|ambulanz)\w*",
        r"(entzug|entgiftung|substitution|alkohol|drogen)\w*",
        r"(chemo|schmerz|strahlen|verhaltens|sexual|paar|trauma)therap\w*",
        r"(hiv|aids|syphilis|hepatitis|tripper|chlamydien)(-?\w+)*",
        r"geschlechtskrank\w*",
        r"schwanger\w*",
        r"kinderwunsch\w*",
        r"(abtreibung|schwangerschaftsabbruch|verhütung)\w*",
        r"(krebs|tumor|karzinom|leukämie|metastas)\w*",
        r"depressi\w*",
        r"(schizophren|borderline|adhs|autis|demenz|alzheimer|parkinson|epilep|diabet)\w*",
        r"(inkontinenz|impotenz|adipositas|essstörung|burn-?out)\w*",
        r"(diagnosen?|krankschreibung|befund(besprechung)?)",
    ),
    "fr": (
        r"(psych(o|iatr)|oncolog|cancérolog|hématolog|gynécolog|urolog|androlog|proctolog|dermatolog"
        r"|vénérolog|cardiolog|neurolog|néphrolog|gastro-?entérolog|endocrinolog|diabétolog|rhumatolog"
        r"|pneumolog|infectiolog|hépatolog|addict)\w*",
        r"soins palliatifs",
        r"(sevrage|désintoxication|substitution|alcool|drogue)\w*",
        r"(chimio|radio|sexo)thérap\w*",
        r"(vih|sida|syphilis|hépatites?|chlamydi\w*|ist|mst)",
        r"(grossesses?|enceinte|ivg|avortements?|contracepti\w*|fertilité|infertilité|pma)",
        r"(cancer|tumeur|leucémie|métastas)\w*",
        r"(dépressi|schizophr|autis|démence|alzheimer|parkinson|épilep|diab[eéè]t|tdah)\w*",
        r"(incontinence|impuissance|obésité|anorexie|boulimie|burn-?out)",
        r"(diagnostics?|arrêt maladie|arrêt de travail)",
    ),
    "en": (
        r"(psych(o|iatr)|oncolog|ha?ematolog|gyna?ecolog|urolog|androlog|proctolog|dermatolog|venereolog"
        r"|cardiolog|neurolog|nephrolog|gastroenterolog|endocrinolog|diabetolog|rheumatolog|pulmonolog"
        r"|hepatolog|addict)\w*",
        r"(palliative|reproductive|pain) medicine",
        r"(rehab|detox|methadone|alcohol|drug (abuse|test))\w*",
        r"(chemo|radio|behaviou?ral |couples |sex )therap\w*",
        r"(hiv|aids|std|sti|syphilis|hepatitis|chlamydia)",
        r"(pregnan\w*|abortions?|contracepti\w*|(in)?fertility|ivf)",
        r"(cancer|tumou?r|leuka?emia|metasta)\w*",
        r"(depressi|schizophr|autis|dementia|alzheimer|parkinson|epilep|diabet|adhd)\w*",
        r"(incontinence|impotence|obesity|anorexia|bulimia|burn-?out)",
        r"(diagnos[ie]s|sick note|test results?)",
    ),
}


def _whole(words: Mapping[str, tuple[str, ...]]) -> Mapping[str, re.Pattern[str]]:
    return {
        language: re.compile(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)", re.IGNORECASE)
        for language, found in words.items()
    }


ADVERTISING = _whole(_ADVERTISING)
MEDICINE = _whole(_MEDICINE)
"""fields of medicine, diagnoses, treatments"""

_PLACEHOLDER = re.compile(r"\{\w+\}")
_LINK = re.compile(
    r"\w+://|(?<![@\w.-])www\.|"
    r"(?<![@\w.-])[a-z0-9-]+(\.[a-z0-9-]+)*"
    r"\.(de|at|ch|li|lu|fr|be|eu|com|net|org|info|biz|io|app|me|ly|link|shop|online|health|doctor|clinic)"
    r"(?![\w-])",
    re.IGNORECASE,
)
"""an address that phones make a link of; the domain of a mail address is none"""


def has(words: Mapping[str, re.Pattern[str]], language: str, text: str) -> bool:
    """Whether the text says one of them in its own language. Languages without a list say none."""
    found = words.get(language.partition("-")[0].lower())
    return bool(found and found.search(_PLACEHOLDER.sub(" ", text)))


def has_link(text: str) -> bool:
    """Whether there is a link beside those that are placeholders."""
    return bool(_LINK.search(_PLACEHOLDER.sub(" ", text)))
