"""Remarks on each recipe's figures, in Markdown."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CONCLUSION: Final = """### Which to use, and why the published figures are what they are

The published figures of studies 3 to 5 are of the random split. There each test beat has
neighbours of the same wearer and minute among those trained on, and what is measured is how well a
wearer's beats are remembered. Among strangers the same networks lose 8 to 27 points of accuracy,
and nearly all of their S beats. That it came early is what makes an S beat, and a beat cut out from
its R peak on does not hold the RR interval before it; within one wearer its shape may give it away,
in another it seldom does.

So: fit a network to the wearer, and tell it when the beats came. Where five minutes are annotated,
`context` is the best system here for S, V and F, and a small one, with 28,000 parameters; of the
publications' own study 4's pre-trained CNN is best for V, and study 5's network for S. Nothing here
finds S beats of strangers well enough to be relied on. For a verdict on seconds instead of beats
study 1's networks do better than the pictures of study 2; the monitor serves the project's own
(`docs/results/new-wearer`).
"""
"""What all the systems together say."""
REMARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "focal": """The published table cannot be of beats as they come, 83 % of them N. Recall
.98 at precision .97 would call 2,750 of 109,446 beats N wrongly, but by their own recalls the other
classes miss 470. No confusion matrix has these precisions and recalls unless N is at most 75 % of
the beats; equal classes fit. So the test beats were probably resampled, and the column *at equal
classes* is the one to compare: the same network, each class given the same weight. *Balanced* is
*tuned* with its outputs shifted, on validation beats, to do well there. (The table may also be in
error: its accuracies fit no class proportions.) *Met* there by *balanced*:
S (.955 against .93), F (.957 against .91) and Q (.996, which is the published 1.00 to two places).
*Missed*: N (.945 against .97) and V (.958 against .98). What is missing in V is its border to F: of
the 63 V beats missed, 43 are called F, 20 of them wearer 213's. What is missing in N is precision:
beats called N wrongly are above all S, 4.3 % of which are called N. As beats come *tuned* is above
the table for N, and below it for S (.894) and F (.857) by .04 and .05, of which it finds 87 % and
86 %, and for V and Q by less than a hundredth. Other gammas, which were not compared, more epochs,
and an RR interval as input, which the publication has not, would be tried next.
""",
        "transfer": """On the publication's own split *tuned* is above both of its figures, with the
same network of 5,125,125 parameters: beats vary in training, hidden dense layers drop out 30 %,
classes are balanced half way and weights are averaged. Then rare classes are favoured as far as
puts both figures, on validation beats, furthest above the published ones. With the publication's
best settings alone it is below both: classes that all count alike cost the frequent one too much.
The publication names no sizes; several networks have its number of parameters. Among strangers both
have the lowest accuracy of all systems meant for beats as they come.

In the transfer below, the more layers are retrained the better beats split at random are known, and
the worse new patients are judged, though the intervals overlap. The publication finds that all four
layers retrained are as good as a training from scratch; here they are better, .982 against .893 at
random. There are but 1,118 beats, where the full database gave it 14,552, and each training is of
ten epochs, which is little to begin from nothing. Both may be why .994 is not reached.
""",
        "context": """Made for live beats, which the publications do not have: the RR intervals
before a beat join behind three small convolutions, and in training some normal beats are made
early. Most S beats of DS2 after the first five minutes (1,167 of 1,608) are of one wearer, 232;
without 232 its F1 for S after fitting is 0.48, and for V as with it.
""",
        "pictures": """*Missed*: both means over the wearers are below the published ones, which
are study 1's. For each wearer the best of four networks (two rates, two losses) on validation
windows is taken, the threshold being the share of the abnormal, as in study 1. Of seven wearers
less than 4 % of the windows are abnormal: so few are left to choose with that the choice is much by
chance. Deciding at one half and without a choice, as earlier code did, fine-tuned networks had
0.898, and individual ones, with study 1's hyper-parameters, 0.919. The mean of the four networks is
no better on one half of the validation windows than the one that is best on the other half (once,
by no command). More pixels (48 instead of 32) would be tried next. *Fitted to the wearer* is
without a choice, as after five minutes.
""",
        "representation": """Why the published accuracies are lower is not known: the report gives
neither widths nor a schedule. Our networks have a one-cycle schedule and averaged weights, an epoch
of pre-training takes every beat four times, and the LSTM reads eleven samples a step. The ensemble
was to be better than its members; ours is better than two and no better than its CNN. What
pre-training adds is small where neighbours of each test beat were seen, and larger for the CNN
among strangers. On PTB most networks are below the published figures: it has 1,118 beats here, not
14,552.
""",
    }
)
"""By recipe. Not in the recipes: their code decides which results are still valid."""
