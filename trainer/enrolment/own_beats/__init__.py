"""Enrolment of a model of beats: makes a wearer's own from about five minutes with classes."""
