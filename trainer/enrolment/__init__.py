"""Enrolment: makes a wearer's own model from about five minutes of signal and its labels."""
