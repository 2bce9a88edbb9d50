"""Labelled pictures and texts in the forms that people have them: COCO, Pascal VOC, YOLO, CSV."""
