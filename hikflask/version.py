"""The version of this program; the wheel, the commands and the pages take it from here."""

VERSION = "0.4.0"
