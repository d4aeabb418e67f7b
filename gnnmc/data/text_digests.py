"""Digests of texts that come with Python, whose releases differ in them: which release a text is that of."""

# sha256 of the text as UTF-8, of the releases that were looked at.
PYDOC_TOPICS: dict[str, str] = {
    "3.11.2": "b0796031be1d1b35e6efa46b7944effd47a0c52a48087d470dde314fe2d66968",
    "3.11.7": "2a95af4ac93f5b719944030ce3769070ddf827d847cba42192afa8da989e5dc4",
    "3.12.1": "b5bb57d637a700f50d8c7309e7340f40a333fdf2cba89d3f1da81c1b74ee8952",
    "3.13.0": "4b7ff11aae42ee979a50edb5d279a88ae9d80d7216e9ba99add988136ded5fb2",
}
