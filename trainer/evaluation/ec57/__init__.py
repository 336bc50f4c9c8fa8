"""ANSI/AAMI EC57: beat annotations of any program against the experts' own, beat by beat.

What is done is what bxb of the WFDB software does, the reference implementation of the standard, as
its manual page (WFDB Applications Guide, bxb(1)) and its version of 2020 define it with SVEB
statistics; gross and average figures are those of sumstats(1). Runs are compared as rxr(1) does,
heart rates as mxm(1). Nothing here needs torch.
"""
