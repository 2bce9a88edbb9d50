"""Finding licence plates: YOLOv3 (Redmon and Farhadi, 2018, arXiv:1804.02767) on grey pictures."""
