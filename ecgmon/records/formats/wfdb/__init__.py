"""The WFDB format of PhysioNet: header, signal and annotation files."""
