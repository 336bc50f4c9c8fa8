"""Splits of the wearers: training, model selection, and held out for good."""

from typing import Final

RECORDS: Final = tuple(
    "100 101 102 103 104 105 106 107 108 109 111 112 113 114 115 116 117 118 119 121 122 123 124 "
    "200 201 202 203 205 207 208 209 210 212 213 214 215 217 219 220 221 222 223 228 230 231 232 "
    "233 234".split()
)
"""All 48 records of the MIT-BIH Arrhythmia Database."""
HELD_OUT: Final = ("100", "119", "203", "208", "213", "219", "231", "233")
"""Held out of the generic model entirely, for demonstration and tests."""
VALIDATION: Final = ("106", "114", "116", "200", "210", "215", "223", "228")
"""Wearers the generic model is not fitted to, who choose its epoch and threshold."""
MODEL_SELECTION: Final = (*VALIDATION, "209", "220")
"""Wearers on whom networks and recipes were compared; 209 and 220 for their supraventricular
beats, of which `VALIDATION` has few."""
TRAINING: Final = tuple(r for r in RECORDS if r not in HELD_OUT + VALIDATION)
STUDY: Final = tuple(
    "100 102 104 105 106 108 114 116 119 200 201 202 203 205 208 209 210 212 213 215 217 219 220 "
    "221 222 223 228 231 233".split()
)
"""The 29 records of CardiacNet (Vavekanand et al. 2024)."""
ENROLMENT_S: Final = 300
"""Enrolment takes a wearer's first 5 minutes, the learning time of AAMI EC57."""
