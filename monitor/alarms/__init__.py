"""Alarms: conditions over the seconds of a stream, alarm states, and the messages about them.

    seconds, beats, verdicts -> conditions -> machine -> transitions -> sound
                                              ^   |
                       technical conditions --+   +-> the journal, and from it after a restart

All of it is pure: times and sample indices come as arguments. Priorities are those of IEC
60601-1-8, the delays keep within those of IEC 60601-2-27 and ANSI/AAMI EC13.
"""
